"""Limit requests by the client's network: an IPv4 address, or an IPv6 /64 and, more generously, its /56.

One IPv6 customer has 2^64 addresses or more, so counting single addresses would count nothing.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from flask import has_request_context, request
from flask_limiter import Limiter, RequestLimit, RouteLimit

if TYPE_CHECKING:
    from flask_limiter._limits import RuntimeLimit

NETWORK_BITS, SITE_BITS = 64, 56
# A provider gives a home or an office a /56: 256 networks, whose common limit is this many times that of one.
SITE_FACTOR = 4
NO_ADDRESS = "unknown"
# Some proxies add the port: `192.0.2.1:5000`, `[2001:db8::1]:5000`.
WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](:\d+)?|(?P<v4>\d+\.\d+\.\d+\.\d+):\d+")


def client_network() -> str:
    """Return the network of the current request, or a fixed one outside of a request."""
    return network_of(request.remote_addr or "") if has_request_context() else NO_ADDRESS


def client_site() -> str | None:
    """Return the IPv6 /56 of the current request, or None for IPv4."""
    return site_of(request.remote_addr or "") if has_request_context() else None


def network_of(address: str) -> str:
    """Return the network an address is counted with, such as `192.0.2.1` or `2001:db8::/64`."""
    client = _parse_address(address)
    if client is None:
        return NO_ADDRESS
    return _prefix(client, NETWORK_BITS) if isinstance(client, IPv6Address) else str(client)


def site_of(address: str) -> str | None:
    """Return the /56 of an IPv6 address, such as `2001:db8::/56`, or None for any other address."""
    client = _parse_address(address)
    return _prefix(client, SITE_BITS) if isinstance(client, IPv6Address) else None


def seconds_left(limit: RequestLimit) -> int:
    """Return the seconds until a limit counts from zero again: at least 1, at most its whole window."""
    return min(max(math.ceil(limit.reset_at - time.time()), 1), limit.limit.get_expiry())


class NetworkLimit(RouteLimit):
    """A limit of a view that, when it counts the client's network, also counts its /56."""

    def __iter__(self) -> Iterator[RuntimeLimit]:
        for limit in super().__iter__():
            yield limit
            if limit.key_func is client_network:
                yield _limit_of_site(limit)


class NetworkLimiter(Limiter):
    """Flask-Limiter, counting by the client's network unless a limit has a key of its own."""

    def __init__(self) -> None:
        super().__init__(client_network)

    def limit(self, limit_value: str | Callable[[], str], **options: Any) -> NetworkLimit:
        """Return a decorator that limits a view; the options are those of Flask-Limiter."""
        return self._network_limit(limit_value, **options)

    def shared_limit(
        self, limit_value: str | Callable[[], str], scope: str | Callable[[str], str], **options: Any
    ) -> NetworkLimit:
        """Return a decorator for views or blueprints that share one count."""
        return self._network_limit(limit_value, scope=scope, shared=True, **options)

    def retry_after_s(self) -> int | None:
        """Return the seconds until this request would be accepted, or None if no limit refused it."""
        return max((seconds_left(limit) for limit in self.current_limits if limit.breached), default=None)

    def _network_limit(
        self,
        limit_value: str | Callable[[], str],
        key_func: Callable[[], str] = client_network,
        **options: Any,
    ) -> NetworkLimit:
        options.setdefault("override_defaults", True)
        return NetworkLimit(limit_provider=limit_value, limiter=self, key_function=key_func, **options)


def _parse_address(address: str) -> IPv4Address | IPv6Address | None:
    """Return the parsed address; an IPv4 address inside IPv6 (mapped, 6to4, Teredo) counts as IPv4."""
    found = WITH_PORT.fullmatch(address.strip())
    try:
        client = ip_address((found["v6"] or found["v4"]) if found else address.strip())
    except ValueError:
        return None
    if isinstance(client, IPv4Address):
        return client
    return client.ipv4_mapped or client.sixtofour or (client.teredo[1] if client.teredo else client)


def _prefix(client: IPv6Address, bits: int) -> str:
    host_bits = 128 - bits
    return f"{IPv6Address(int(client) >> host_bits << host_bits)}/{bits}"


def _limit_of_site(limit: RuntimeLimit) -> RuntimeLimit:
    """Return the limit of the whole /56 above a network; a client with IPv4 has none."""
    item, is_exempt = limit.limit, limit.exempt_when
    return replace(
        limit,
        limit=type(item)(item.amount * SITE_FACTOR, item.multiples, item.namespace),
        key_func=lambda: client_site() or NO_ADDRESS,
        exempt_when=lambda: client_site() is None or (is_exempt is not None and is_exempt()),
    )
