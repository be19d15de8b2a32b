"""Private addresses are never called for a webhook, however they are written, embedded or resolved."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from app.integrations import webhook_client
from app.integrations.public_addresses import RefusedUrlError, is_public

NEVER = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2001:0:7f00:1::1",
    "2001:0:808:808:0:0:80ff:fffe",
]
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]


def resolves_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """Resolve host names to these answers in turn, as in a DNS rebinding attack."""
    left = list(answers)

    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr("socket.getaddrinfo", lookup)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Answer all outgoing requests and return the list of them."""
    sent: list[httpx.Request] = []

    def send(_: httpx.Client, request: httpx.Request, **__: Any) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, request=request, stream=httpx.ByteStream(b"ok"))

    monkeypatch.setattr(httpx.Client, "send", send)
    return sent


@pytest.mark.parametrize("address", NEVER)
def test_a_private_address_is_never_called(
    address: str, monkeypatch: pytest.MonkeyPatch, connections: list[httpx.Request]
) -> None:
    assert not is_public(address)
    resolves_to(monkeypatch, [address])
    with pytest.raises(RefusedUrlError):
        webhook_client.post_webhook("https://receiver.example/", b"", {})
    assert connections == []


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_called(
    address: str, monkeypatch: pytest.MonkeyPatch, connections: list[httpx.Request]
) -> None:
    resolves_to(monkeypatch, [address])
    assert webhook_client.post_webhook("https://receiver.example/", b"", {}) == 200


def test_one_private_address_among_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch, connections: list[httpx.Request]
) -> None:
    resolves_to(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(RefusedUrlError):
        webhook_client.post_webhook("https://receiver.example/", b"", {})
    assert connections == []


def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, connections: list[httpx.Request]
) -> None:
    resolves_to(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    webhook_client.post_webhook("https://receiver.example:8443/hook?a=1", b"x", {})
    (request,) = connections
    assert str(request.url) == "https://8.8.8.8:8443/hook?a=1"
    assert request.headers["Host"] == "receiver.example:8443"
    assert request.extensions["sni_hostname"] == "receiver.example"
    with pytest.raises(RefusedUrlError):  # resolved again for the next delivery
        webhook_client.post_webhook("https://receiver.example:8443/hook?a=1", b"x", {})
    assert len(connections) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/",
        "file:///etc/passwd",
        "gopher://receiver.example/",
        "https:///nowhere",
        "https://user@receiver.example/",
        "https://user:secret@receiver.example/",
        "https://receiver.example:99999/",
        "https://receiver.example:0/",
        "https://[::1",
        "https://receiver.example/\r\nX: y",
        "https://" + "a" * 64 + ".example/",
    ],
)
def test_an_invalid_url_is_refused(url: str, connections: list[httpx.Request]) -> None:
    with pytest.raises(RefusedUrlError):
        webhook_client.post_webhook(url, b"", {})
    assert connections == []


@pytest.mark.parametrize(
    "url", ["https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/"]
)
def test_other_spellings_of_this_machine_are_refused(url: str, connections: list[httpx.Request]) -> None:
    with pytest.raises((RefusedUrlError, webhook_client.NotDeliveredError)):
        webhook_client.post_webhook(url, b"", {})
    assert connections == []


def test_http_is_allowed_to_loopback_only_and_only_in_development(
    monkeypatch: pytest.MonkeyPatch, connections: list[httpx.Request]
) -> None:
    with pytest.raises(RefusedUrlError):
        webhook_client.post_webhook("http://127.0.0.1:9/", b"", {})
    assert webhook_client.post_webhook("http://127.0.0.1:9/", b"", {}, loopback=True) == 200
    for address in ("10.0.0.1", "8.8.8.8"):
        resolves_to(monkeypatch, [address])
        with pytest.raises(RefusedUrlError):
            webhook_client.post_webhook("http://receiver.example/", b"", {}, loopback=True)
