"""Every limit counts networks: IPv4 addresses, IPv6 /64 and the /56 above. Every 429 has Retry-After."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from limits.storage import MemoryStorage
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.extensions import limiter
from app.models import User
from app.rate_limits import SITE_FACTOR, network_of, site_of
from tests.support import Browser

HERE, SAME_NETWORK = "2001:db8:1:aa01::1", "2001:db8:1:aa01:ffff:1:2:3"
# They would end the session that the walk needs.
UNLIMITED = {"auth.sign_out", "auth.demo", "account.end_sessions"}
SAME_SITE, OTHER_SITE = "2001:db8:1:aaff::1", "2001:db8:1:ab01::1"


@pytest.mark.parametrize(
    ("address", "network", "site"),
    [
        ("192.0.2.1", "192.0.2.1", None),
        ("192.0.2.1:5000", "192.0.2.1", None),
        ("::ffff:192.0.2.1", "192.0.2.1", None),
        ("::FFFF:c000:201", "192.0.2.1", None),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1", None),
        ("2002:c000:201:1::5", "192.0.2.1", None),  # 6to4
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45", None),  # Teredo, from RFC 4380
        ("2001:db8::1", "2001:db8::/64", "2001:db8::/56"),
        ("2001:0DB8:0:0:1:2:3:4", "2001:db8::/64", "2001:db8::/56"),
        ("[2001:db8::1]:443", "2001:db8::/64", "2001:db8::/56"),
        ("2001:db8:0:ff::1", "2001:db8:0:ff::/64", "2001:db8::/56"),
        ("2001:db8:0:100::1", "2001:db8:0:100::/64", "2001:db8:0:100::/56"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/56"),
        ("::1", "::/64", "::/56"),
        ("", "unknown", None),
        ("unknown", "unknown", None),
        ("192.0.2.1, 198.51.100.1", "unknown", None),
    ],
)
def test_the_network_of_an_address(address: str, network: str, site: str | None) -> None:
    assert (network_of(address), site_of(address)) == (network, site)


def counts() -> MemoryStorage:
    storage = limiter.storage
    assert isinstance(storage, MemoryStorage)
    return storage


def ask(client: FlaskClient, rule: Rule, address: str) -> TestResponse:
    path = re.sub(r"<any\([^)]*\):factor>", "half", rule.rule)
    path = re.sub(r"<[^>]+>", "x", path)
    method = max((rule.methods or set()) - {"HEAD", "OPTIONS"})  # POST rather than GET
    return client.open(path, method=method, environ_overrides={"REMOTE_ADDR": address})


def test_every_limited_endpoint_counts_networks_or_accounts(app: Flask, owner: User) -> None:
    """Ask each endpoint once, pretend that what it counted is used up, and ask from other places."""
    app.config["WTF_CSRF_ENABLED"] = False
    app.testing = False  # views that can't work on nothing answer 500 instead of raising
    browser = Browser(app, owner).client
    by_network, by_account = set(), set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint in UNLIMITED:
            continue
        limiter.reset()
        ask(browser, rule, HERE)
        keys = list(counts().storage)
        for key in keys:
            counts().storage[key] = 10**6
        if not keys:
            continue
        refused = ask(browser, rule, SAME_NETWORK)
        assert refused.status_code == 429, rule
        assert 0 < int(refused.headers["Retry-After"]) <= 86400, rule
        if all("account:" in key for key in keys):
            by_account.add(rule.endpoint)
            continue
        by_network.add(rule.endpoint)
        assert ask(browser, rule, SAME_SITE).status_code == 429, rule
        assert ask(browser, rule, OTHER_SITE).status_code != 429, rule
        amounts = sorted(int(key.split("/")[-3]) for key in keys if "/64/" in key or "/56/" in key)
        assert amounts[-1] == SITE_FACTOR * amounts[0 if len(amounts) == 2 else 1], (rule, keys)
    assert browser.get("/dashboard").status_code == 200
    assert by_network >= {
        "auth.register",
        "auth.forgot",
        "auth.reset",
        "upload.make_link",
        "api.document",
    }
    assert by_account >= {"account.change_password", "account.close_account", "library.learn_words"}


def test_addresses_of_one_network_share_the_limit_of_signing_up(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()

    def sign_up(address: str) -> int:
        place = {"REMOTE_ADDR": address}
        return client.post("/register", data={"email": address}, environ_overrides=place).status_code

    assert [sign_up(f"2001:db8::{n:x}") for n in range(1, 22)] == [422] * 20 + [429]
    assert sign_up("2001:db8:0:1::1") == 422
    wide = [sign_up(f"2001:db8:0:{n:x}::1") for n in range(2, 70)]
    assert wide == [422] * (80 - 20 - 1) + [429] * 9
    assert sign_up("2001:db8:0:100::1") == 422


def test_mapped_addresses_count_with_their_ipv4_address(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    both = ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"]
    codes = [
        client.post(
            "/register", data={"email": f"{n}"}, environ_overrides={"REMOTE_ADDR": both[n % 3]}
        ).status_code
        for n in range(21)
    ]
    assert codes == [422] * 20 + [429]
