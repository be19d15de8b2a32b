"""Passwords: hashed slowly on purpose, and refused when they are easily guessed or known from breaches."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

MIN_LENGTH, MAX_LENGTH = 10, 200
# zxcvbn's scale of 0 to 4; below 3 an offline guesser has it in hours.
MIN_SCORE = 3
MAX_SCORED_CHARS = 72  # it takes time in the square of the length, and what is so long is strong
TOO_WEAK = "This password is easily guessed. A sentence of four or more words works well."
BREACHED = "This password is on the lists of breached ones that guessers try first. Choose another."

_hasher = PasswordHasher()
# Each check takes 64 MB on purpose; many at once must not take all there is.
_HASHING_SLOTS = threading.Semaphore(4)
# Checked when no account is found, so that an unknown address takes as long as a known one.
DUMMY_HASH = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    with _HASHING_SLOTS:
        return _hasher.hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    try:
        with _HASHING_SLOTS:
            return _hasher.verify(password_hash, password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    return _hasher.check_needs_rehash(password_hash)


def rejection_reason(password: str, email: str) -> str | None:
    """Why a password is not taken; None when it is. Nothing leaves this machine."""
    from zxcvbn import zxcvbn  # its lists are large, and most processes never need them

    name, _, host = email.lower().partition("@")
    own_words = [email, name, host.partition(".")[0], "sp404", "sample", "agent"]
    found = zxcvbn(password[:MAX_SCORED_CHARS], user_inputs=own_words)
    if any(_is_breached_password(part, password) for part in found["sequence"]):
        return BREACHED
    return TOO_WEAK if found["score"] < MIN_SCORE else None


def _is_breached_password(part: dict[str, object], password: str) -> bool:
    """The whole of it, as it stands or in another case, is one that breaches have shown."""
    return part.get("dictionary_name") == "passwords" and part["token"] == password
