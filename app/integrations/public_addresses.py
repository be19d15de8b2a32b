"""Refuse to call private network addresses on behalf of a user: only public ones are allowed.

The tables follow IANA's registries of special-purpose addresses for IPv4 and IPv6 as of November 2025. The
standard library's `is_global` follows them too, but stays as old as the Python it came with.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

IPV4_SPECIAL = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared between a provider and its customers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, with the metadata services of most clouds
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private use
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, with the broadcast address
    )
)
# The registry calls these globally reachable although they are inside a block that is not.
IPV4_REACHABLE = tuple(IPv4Network(block) for block in ("192.0.0.9/32", "192.0.0.10/32"))

# No address outside of this block is allocated for machines on the internet.
IPV6_UNICAST = IPv6Network("2000::/3")
IPV6_SPECIAL = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # IETF protocol assignments, with Teredo
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, deprecated
        "3fff::/20",  # documentation
    )
)
IPV6_REACHABLE = tuple(
    IPv6Network(block)
    for block in (
        "2001:1::1/128",  # Port Control Protocol, anycast
        "2001:1::2/128",  # TURN, anycast
        "2001:1::3/128",  # service registration, anycast
        "2001:3::/32",  # automatic multicast tunneling
        "2001:4:112::/48",  # AS112
        "2001:20::/28",  # ORCHIDv2
        "2001:30::/28",  # drone remote id
    )
)

# The registry calls these public, but inside these clouds they lead to services that trust every machine.
CLOUD_SERVICES = tuple(
    IPv4Network(block)
    for block in (
        "168.63.129.16/32",  # Azure: wire server, DNS and metadata
        "161.26.0.0/16",  # IBM Cloud: infrastructure services
        "166.8.0.0/14",  # IBM Cloud: service endpoints
    )
)

NAT64 = IPv6Network("64:ff9b::/96")
# The upper half of an ISATAP interface id; the lower half is an IPv4 address (RFC 5214).
ISATAP = frozenset({0x00005EFE, 0x02005EFE})


class RefusedUrlError(Exception):
    """The URL must not be called; the message tells its owner why."""


def check_public(host: str, addresses: list[str]) -> None:
    """Raise RefusedUrlError unless every address that a host leads to is public."""
    if not addresses or not all(is_public(address) for address in addresses):
        raise RefusedUrlError(f"{host} does not lead to a public address.")


def is_public(text: str) -> bool:
    """Return whether an address is on the public internet, also when it is embedded in another one."""
    return _is_reachable(ip_address(text.partition("%")[0]))


def is_loopback(text: str) -> bool:
    """Return whether an address is this machine."""
    return ip_address(text.partition("%")[0]).is_loopback


def _is_reachable(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return _is_reachable_v4(address)
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped is not None or address in NAT64:
        return _is_reachable_v4(low)
    if address not in IPV6_UNICAST:
        return False
    if int(address) >> 32 & 0xFFFFFFFF in ISATAP and not _is_reachable_v4(low):
        return False
    is_special = any(address in block for block in IPV6_SPECIAL)
    return not is_special or any(address in block for block in IPV6_REACHABLE)


def _is_reachable_v4(address: IPv4Address) -> bool:
    if any(address in block for block in CLOUD_SERVICES):
        return False
    is_special = any(address in block for block in IPV4_SPECIAL)
    return not is_special or any(address in block for block in IPV4_REACHABLE)
