"""Wrong passwords from many networks, and what they lead to."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app import rate_limits
from app.auth import guess_limits
from app.auth.guess_limits import PASSWORD_GUESS, Guess, account_key
from app.extensions import db
from app.models import MailLink
from tests.support import PASSWORD, Browser

NEW = "another quiet long password"
HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"


def sign_in(browser: Browser, email: str, password: str = PASSWORD, address: str = HOME) -> TestResponse:
    return post(browser, "/sign-in", address, email=email, password=password)


def post(browser: Browser, path: str, address: str, **form: Any) -> TestResponse:
    data = {"csrf_token": browser.token} | form
    return browser._request("POST", path, data=data, environ_overrides={"REMOTE_ADDR": address})


def guess_from(app: Flask, addresses: list[str], email: str, each: int = 10) -> list[int]:
    """Enter wrong passwords from each of the addresses, and return the statuses."""
    browser = Browser(app)
    return [
        sign_in(browser, email, f"guess {number}", address).status_code
        for address in addresses
        for number in range(each)
    ]


def under_attack(email: str) -> None:
    """Count wrong passwords from twenty networks, as if they had been entered."""
    for address in many_networks(20):
        network, site = rate_limits.network_of(address), rate_limits.site_of(address)
        guess_limits.record_wrong(Guess(PASSWORD_GUESS, account_key(email), network, site))


def many_networks(count: int = 40) -> list[str]:
    """Return addresses of many networks, half of them IPv6."""
    return [f"192.0.2.{n}" if n % 2 else f"2001:db8:{n:x}::1" for n in range(1, count + 1)]


def fresh_links(purpose: str) -> int:
    found = select(func.count()).where(MailLink.purpose == purpose, MailLink.used_at.is_(None))
    return db.session.scalar(found) or 0
