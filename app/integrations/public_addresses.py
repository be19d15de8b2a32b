"""Refuse to call private network addresses on behalf of a user: only public ones are allowed."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

NAT64 = IPv6Network("64:ff9b::/96")
IPV4_COMPATIBLE = IPv6Network("::/96")
Address = IPv4Address | IPv6Address


class RefusedUrlError(Exception):
    """The URL must not be called; the message tells its owner why."""


def check_public(host: str, addresses: list[str]) -> None:
    """Raise RefusedUrlError unless every address that a host leads to is public."""
    if not addresses or not all(is_public(address) for address in addresses):
        raise RefusedUrlError(f"{host} does not lead to a public address.")


def is_public(text: str) -> bool:
    """Return whether an address is on the public internet, also when it is embedded in another one."""
    return all(_is_global(address) for address in _embedded_addresses(ip_address(text.partition("%")[0])))


def is_loopback(text: str) -> bool:
    """Return whether an address is this machine."""
    return ip_address(text.partition("%")[0]).is_loopback


def _is_global(address: Address) -> bool:
    # The standard library counts multicast and site-local addresses as global.
    is_inside = address.is_multicast or address.is_reserved or getattr(address, "is_site_local", False)
    return address.is_global and not is_inside


def _embedded_addresses(address: Address) -> list[Address]:
    """Return the addresses a packet would finally reach; for Teredo those of server and client."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.sixtofour is not None:
        return [address.sixtofour]
    if address.teredo is not None:
        return list(address.teredo)
    if address in NAT64 or address in IPV4_COMPATIBLE:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address]
