"""Set up and check the second step of signing in: a code of an authenticator app, or a recovery code."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import unicodedata
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
# The phone's clock may be one step behind or ahead.
STEP_DRIFT = (0, -1, 1)
RECOVERY_CODE_COUNT = 10
RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without characters that look like another


def is_enabled(user: User) -> bool:
    """Return whether signing in to this account asks for a second step."""
    row = db.session.get(TwoFactor, user.id)
    return row is not None and row.confirmed_at is not None


def begin_setup(user: User) -> TwoFactor:
    """Return the secret to put into an app; it stays the same until it is confirmed."""
    with transaction() as session:
        row = session.get(TwoFactor, user.id)
        if row is None:
            row = TwoFactor(user_id=user.id, secret=pyotp.random_base32())
            session.add(row)
    return row


def confirm_setup(user: User, code: str) -> list[str] | None:
    """Enable the second step if the app's code is right, and return the recovery codes.

    They can't be shown again. Returns None for a wrong code, or when the step is enabled already.
    """
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODE_COUNT)]
    with transaction():
        row = _locked_row(user)
        if row is None or row.confirmed_at is not None or not _accept_totp(row, code):
            return None
        row.confirmed_at, row.recovery = utcnow(), [_hash_recovery_code(each) for each in codes]
        _enqueue_notice(user, is_on=True)
    return codes


def accept_code(user: User, code: str) -> bool:
    """Return whether a code of the app or a recovery code is right, and use it up: each works once."""
    with transaction():
        row = _locked_row(user)
        if row is None:
            return False
        if _accept_totp(row, code):
            return True
        used = _hash_recovery_code(code)
        if used not in row.recovery:
            return False
        row.recovery = [each for each in row.recovery if each != used]
    return True


def warn_of_guesses(user: User) -> None:
    """Mail the owner, once a day, that somebody knows the password and enters wrong codes."""
    with transaction() as session:
        session.get(User, user.id, with_for_update={"of": User})  # one request at a time, for the key's sake
        key = f"codes-guessed:{user.id}:{utcnow().date()}"
        outbox.enqueue(key, user.id, message_kinds.CODES_GUESSED, {})


def disable(user: User) -> None:
    """Disable the second step and notify the owner."""
    with transaction() as session:
        own_row = delete(TwoFactor).where(TwoFactor.user_id == user.id)
        if session.scalar(own_row.returning(TwoFactor.confirmed_at)) is not None:
            _enqueue_notice(user, is_on=False)


def provisioning_uri(user: User, row: TwoFactor) -> str:
    """Return the `otpauth://totp/…` URI that the QR code holds."""
    return pyotp.TOTP(row.secret).provisioning_uri(name=user.email, issuer_name=ISSUER)


def qr_code_path(text: str) -> tuple[str, int]:
    """Return a QR code as one SVG path, and its width in modules, quiet zone included."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=4)]
    return "".join(_dark_runs(y, row) for y, row in enumerate(rows)), len(rows)


def _dark_runs(y: int, row: Sequence[int]) -> str:
    """Return the dark modules of one row as SVG rectangles, neighbours joined."""
    path, x = "", 0
    for is_dark, run in groupby(row):
        width = len(list(run))
        path += f"M{x} {y}h{width}v1h-{width}z" if is_dark else ""
        x += width
    return path


def _accept_totp(row: TwoFactor, code: str) -> bool:
    """Return whether the app's code is right, and remember its step, so that it and older ones fail now."""
    digits, now = _plain_code(code), int(time.time()) // STEP_S
    for step in (now + drift for drift in STEP_DRIFT):
        expected = pyotp.TOTP(row.secret).at(step * STEP_S)
        if step > row.last_step and hmac.compare_digest(expected.encode(), digits.encode()):
            row.last_step = step
            return True
    return False


def _locked_row(user: User) -> TwoFactor | None:
    row = select(TwoFactor).where(TwoFactor.user_id == user.id).with_for_update()
    return db.session.scalar(row.execution_options(populate_existing=True))


def _enqueue_notice(user: User, is_on: bool) -> None:
    key = f"two-factor:{user.id}:{utcnow().timestamp()}"
    outbox.enqueue(key, user.id, message_kinds.TWO_FACTOR, {"is_on": is_on})


def _new_recovery_code() -> str:
    characters = "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(12))
    return f"{characters[:4]}-{characters[4:8]}-{characters[8:]}"


def _hash_recovery_code(code: str) -> str:
    """Return a plain SHA-256, which is enough for 59 random bits when guesses are limited."""
    return hashlib.sha256(_plain_code(code).lower().replace("-", "").encode()).hexdigest()


def _plain_code(code: str) -> str:
    """Return a typed code without spaces, and with full-width digits and letters as plain ones."""
    return "".join(unicodedata.normalize("NFKC", code).split())
