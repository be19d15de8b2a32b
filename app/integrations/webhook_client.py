"""Send one webhook by POST, only to public machines and only to the address that was checked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx

from app.integrations import public_addresses
from app.integrations.deadlines import Deadline, DeadlineError, look_up
from app.integrations.public_addresses import RefusedUrlError

CONNECT_S, TOTAL_S = 5.0, 15.0
MAX_ANSWER_BYTES = 64 * 1024
HTTPS_ONLY = "The address must start with https://."


class NotDeliveredError(Exception):
    """No answer came; trying again later may help."""


@dataclass(frozen=True)
class WebhookTarget:
    """A parsed URL: where to connect to, and which host to ask for there."""

    scheme: str
    host: str  # for the Host header and SNI
    port: int
    path: str


def parse_url(url: str, loopback: bool = False) -> WebhookTarget:
    """Parse a URL, or raise RefusedUrlError. With `loopback`, http to this machine is allowed."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except (ValueError, UnicodeError) as error:
        raise RefusedUrlError("That is not a valid address.") from error
    if parts.scheme not in (("https", "http") if loopback else ("https",)) or not url.isprintable():
        raise RefusedUrlError(HTTPS_ONLY)
    if not host or parts.username is not None or parts.password is not None or port == 0:
        raise RefusedUrlError("The address needs a host name, and no user name or password.")
    path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return WebhookTarget(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def resolve_public(target: WebhookTarget, deadline: Deadline, loopback: bool = False) -> str:
    """Resolve the host and return one of its addresses; all of them must be public.

    Looked up for every request, as the answer may change.
    Raises RefusedUrlError and NotDeliveredError.
    """
    try:
        addresses = look_up(target.host, target.port, deadline)
    except OSError as error:
        raise NotDeliveredError(f"{target.host} could not be found") from error
    if loopback and all(public_addresses.is_loopback(address) for address in addresses):
        return addresses[0]
    if target.scheme != "https":
        raise RefusedUrlError(HTTPS_ONLY)
    public_addresses.check_public(target.host, addresses)
    return addresses[0]


def post_webhook(url: str, body: bytes, headers: dict[str, str], loopback: bool = False) -> int:
    """Send the body and return the status. Follows no redirect and uses no proxy of the environment.

    Looking up the name, connecting, TLS, sending and reading take TOTAL_S in all.
    """
    target = parse_url(url, loopback)
    with Deadline(TOTAL_S) as deadline:
        try:
            address = resolve_public(target, deadline, loopback)
            return _post(target, address, body, headers, deadline)
        except (httpx.HTTPError, DeadlineError) as error:
            if deadline.is_over or isinstance(error, DeadlineError):
                raise NotDeliveredError(f"It did not answer within {TOTAL_S:g} s.") from error
            raise NotDeliveredError(f"{type(error).__name__}: {error}"[:200]) from error


def _post(
    target: WebhookTarget, address: str, body: bytes, headers: dict[str, str], deadline: Deadline
) -> int:
    shown = f"[{address}]" if ":" in address else address
    default = 443 if target.scheme == "https" else 80
    host = target.host if target.port == default else f"{target.host}:{target.port}"
    left_s = deadline.left_s
    timeout = httpx.Timeout(left_s, connect=min(CONNECT_S, left_s))
    with httpx.Client(trust_env=False, follow_redirects=False, timeout=timeout) as client:
        request = client.build_request(
            "POST",
            f"{target.scheme}://{shown}:{target.port}{target.path}",
            content=body,
            headers=headers | {"Host": host},
            extensions={"sni_hostname": target.host, "trace": deadline.trace},
        )
        return _read_status(client, request)


def _read_status(client: httpx.Client, request: httpx.Request) -> int:
    """Return the status. The rest of the answer does not matter: it is read up to MAX_ANSWER_BYTES."""
    response, size = client.send(request, stream=True), 0
    try:
        with suppress(httpx.HTTPError):
            for chunk in response.iter_raw():
                size += len(chunk)
                if size > MAX_ANSWER_BYTES:
                    break
    finally:
        response.close()
    return response.status_code
