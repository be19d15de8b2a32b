"""Which addresses of the network may be talked to on behalf of a user: public ones, and no others."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

NAT64 = IPv6Network("64:ff9b::/96")
IPV4_COMPATIBLE = IPv6Network("::/96")
Address = IPv4Address | IPv6Address


def is_public(text: str) -> bool:
    """Whether an address is one of the internet at large, whatever it is wrapped in."""
    return all(_is_global(address) for address in _embedded_addresses(ip_address(text.partition("%")[0])))


def is_loopback(text: str) -> bool:
    return ip_address(text.partition("%")[0]).is_loopback


def _is_global(address: Address) -> bool:
    # Multicast and site-local addresses read as global in the standard library.
    is_inside = address.is_multicast or address.is_reserved or getattr(address, "is_site_local", False)
    return address.is_global and not is_inside


def _embedded_addresses(address: Address) -> list[Address]:
    """The address a packet would reach in the end; for Teredo the server's and the client's."""
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
