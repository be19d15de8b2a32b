"""Describe to an account's owner who sent a request: the kind of browser, and the network it came from."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

from app.auth.login_sessions import recognised_browser

# Wide enough not to point at a person's home, narrow enough to tell one's own provider from another.
IPV4_BITS, IPV6_BITS = 24, 48


class Requester(NamedTuple):
    """The browser and the network of a request, as mails name them. Either is empty when it is unknown."""

    agent: str
    network: str


def describe_requester(address: str, agent: str) -> Requester:
    """Return the browser, if it is a known one, and the network of a request.

    The user agent of an unknown browser is left out: it would be a stranger's text in our mail.
    """
    return Requester(recognised_browser(agent), surrounding_network(address))


def surrounding_network(address: str) -> str:
    """Return the network around an address, such as `203.0.113.0/24`; empty if it is not an address."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    bits = IPV6_BITS if isinstance(ip, IPv6Address) else IPV4_BITS
    return str(ip_network((ip, bits), strict=False))
