"""Codes of the second step, and a sign-in that waits for one."""

from __future__ import annotations

import time

import pyotp
from flask import Flask

from app.extensions import db
from app.models import TwoFactor, User
from app.models.base import transaction
from tests.support import PASSWORD, Browser


def code_of(user: User, drift: int = 0) -> str:
    found = db.session.get_one(TwoFactor, user.id)
    return pyotp.TOTP(found.secret).at(int(time.time()) + 30 * drift)


def forget_last_code(user: User) -> None:
    """Allow the current code again, as if half a minute had passed."""
    with transaction():
        db.session.get_one(TwoFactor, user.id).last_step = 0


def pending_sign_in(app: Flask, owner: User) -> Browser:
    browser = Browser(app)
    answer = browser.post("/sign-in?next=/samples", email=owner.email, password=PASSWORD)
    assert answer.headers["Location"] == "/sign-in/code?next=/samples"
    assert browser.get("/dashboard").status_code == 303
    return browser
