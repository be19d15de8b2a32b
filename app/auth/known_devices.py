"""Remember in a signed cookie which accounts a browser has signed in to.

The cookie proves only that; it does not sign anybody in. It lets a browser try passwords at an account that
strangers are guessing at. A new password or signing out everywhere makes it invalid.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass

from flask import request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from app.auth.guess_limits import account_key
from app.auth.login_sessions import credential_stamp
from app.extensions import settings
from app.models import User

COOKIE = "known_device"
LIFETIME_S = 365 * 86400
# Several people may share a browser; beyond this many accounts the oldest is dropped.
MAX_ACCOUNTS = 4


@dataclass(frozen=True)
class KnownDevice:
    """One account in a browser's cookie; `stamp` stands for its password and sessions at that time."""

    account: str
    id: str
    stamp: str

    def is_current(self, user: User | None) -> bool:
        """Return whether the account still has the password it had when this browser signed in."""
        return user is not None and user.password_hash is not None and self.stamp == credential_stamp(user)


def claimed_device(account: str) -> KnownDevice | None:
    """Return the cookie's entry for an account, if any; `is_current` checks it against the database."""
    return next((each for each in _devices_in_cookie() if each.account == account), None)


def remember_device(response: Response, user: User) -> None:
    """Record in the browser's cookie that it has signed in to this account."""
    account, stamp = account_key(user.email), credential_stamp(user)
    devices = _devices_in_cookie()
    known = next((each for each in devices if each.account == account and each.stamp == stamp), None)
    device = known or KnownDevice(account, secrets.token_urlsafe(12), stamp)
    others = [each for each in devices if each.account != account]
    response.set_cookie(
        COOKIE,
        str(_signer().dumps([asdict(each) for each in [device, *others][:MAX_ACCOUNTS]])),
        max_age=LIFETIME_S,
        secure=settings().base_url.startswith("https://"),
        path=settings().base_path or "/",
        httponly=True,
        samesite="Lax",
    )


def _devices_in_cookie() -> list[KnownDevice]:
    try:
        return [KnownDevice(**each) for each in _signer().loads(request.cookies.get(COOKIE, ""), LIFETIME_S)]
    except BadSignature:
        return []


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().signing_keys, salt="known-device")
