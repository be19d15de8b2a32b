"""Signing in with a second step: six figures of an authenticator app, or a recovery code."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from itertools import groupby

import pyotp
import segno
from sqlalchemy import delete, select

from app.extensions import db
from app.models import TwoFactor, User
from app.models.base import transaction, utcnow
from app.notify import message_kinds, outbox

ISSUER = "SP404MK2 Sample Agent"
STEP_S = 30
# A clock may be half a minute off, either way.
STEP_DRIFT = (0, -1, 1)
RECOVERY_CODE_COUNT = 10
RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is read for something else


def is_enabled(user: User) -> bool:
    found = db.session.get(TwoFactor, user.id)
    return found is not None and found.confirmed_at is not None


def begin_setup(user: User) -> TwoFactor:
    """The secret to put into an app; the same one until it is confirmed."""
    with transaction() as session:
        found = session.get(TwoFactor, user.id)
        if found is None:
            found = TwoFactor(user_id=user.id, secret=pyotp.random_base32())
            session.add(found)
    return found


def confirm_setup(user: User, code: str) -> list[str] | None:
    """Turn it on when the app shows the right code; returns the recovery codes, which are shown once."""
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODE_COUNT)]
    with transaction():
        found = _locked_row(user)
        if found is None or found.confirmed_at is not None or not _accept_totp(found, code):
            return None
        found.confirmed_at, found.recovery = utcnow(), [_hash_recovery_code(each) for each in codes]
        _enqueue_notice(user, is_on=True)
    return codes


def accept_code(user: User, code: str) -> bool:
    """Whether a code is right; whichever it is, it works once."""
    with transaction():
        found = _locked_row(user)
        if found is None:
            return False
        if _accept_totp(found, code):
            return True
        spent = _hash_recovery_code(code)
        if spent not in found.recovery:
            return False
        found.recovery = [each for each in found.recovery if each != spent]
    return True


def disable(user: User) -> None:
    with transaction() as session:
        off = delete(TwoFactor).where(TwoFactor.user_id == user.id).returning(TwoFactor.confirmed_at)
        if session.scalar(off) is not None:
            _enqueue_notice(user, is_on=False)


def provisioning_uri(user: User, found: TwoFactor) -> str:
    """What the square carries: `otpauth://totp/…`."""
    return pyotp.TOTP(found.secret).provisioning_uri(name=user.email, issuer_name=ISSUER)


def qr_code_path(text: str) -> tuple[str, int]:
    """A QR code as one SVG path, and how many modules it is wide with its quiet margin."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=4)]
    return "".join(_dark_runs(y, row) for y, row in enumerate(rows)), len(rows)


def _dark_runs(y: int, row: Sequence[int]) -> str:
    path, x = "", 0
    for is_dark, run in groupby(row):
        width = len(list(run))
        path += f"M{x} {y}h{width}v1h-{width}z" if is_dark else ""
        x += width
    return path


def _accept_totp(found: TwoFactor, code: str) -> bool:
    """Spend the code: none works a second time, nor one from before it."""
    figures, now = code.strip().replace(" ", ""), int(time.time()) // STEP_S
    for step in (now + drift for drift in STEP_DRIFT):
        expected = pyotp.TOTP(found.secret).at(step * STEP_S)
        if step > found.last_step and hmac.compare_digest(expected.encode(), figures.encode()):
            found.last_step = step
            return True
    return False


def _locked_row(user: User) -> TwoFactor | None:
    row = select(TwoFactor).where(TwoFactor.user_id == user.id).with_for_update()
    return db.session.scalar(row.execution_options(populate_existing=True))


def _enqueue_notice(user: User, is_on: bool) -> None:
    key = f"two-factor:{user.id}:{utcnow().timestamp()}"
    outbox.enqueue(key, user.id, message_kinds.TWO_FACTOR, {"is_on": is_on})


def _new_recovery_code() -> str:
    figures = "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(12))
    return f"{figures[:4]}-{figures[4:8]}-{figures[8:]}"


def _hash_recovery_code(code: str) -> str:
    """A plain hash is enough: twelve random figures are 59 bits, and guesses are throttled."""
    plain = code.strip().lower().replace("-", "").replace(" ", "")
    return hashlib.sha256(plain.encode()).hexdigest()
