"""Hash and check passwords, and reject those that are easy to guess or known from breaches."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from app.auth.hashing_queue import hashing_queue
from app.auth.password_text import password_spellings, prepare_password
from app.models.base import release_connection

# zxcvbn's scale is 0 to 4; a password below 3 falls to an offline attack within hours.
MIN_SCORE = 3
# zxcvbn's time grows with the square of the length, and a password that long is strong anyway.
MAX_SCORED_CHARS = 72
TOO_WEAK = "This password is easy to guess. A sentence of four or more words works well."
BREACHED = "This password is on lists of leaked passwords, which attackers try first. Choose another."

_hasher = PasswordHasher()
# The hash of a password that nobody knows. It is checked when there is no account, so that an unknown address
# takes as long as a known one, and it locks an account until its owner sets a new password.
UNKNOWN_HASH = _hasher.hash(secrets.token_urlsafe(32))


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a typed password, after normalizing it; slow on purpose.

    Raises HashingBusyError.
    """
    release_connection()
    return hashing_queue.run(lambda: _hasher.hash(prepare_password(password)))


def verify_password(password_hash: str, password: str) -> bool:
    """Return whether the password has this hash; False for a hash that can't be read.

    Raises HashingBusyError.
    """
    return matching_spelling(password_hash, password) is not None


def matching_spelling(password_hash: str, password: str) -> str | None:
    """Return the spelling of a typed password that has this hash, or None if none has.

    Raises HashingBusyError.
    """
    release_connection()
    with hashing_queue.turn():
        return next((each for each in password_spellings(password) if _has_hash(password_hash, each)), None)


def needs_rehash(password_hash: str, spelling: str) -> bool:
    """Return whether the hash has outdated parameters, or was made from an outdated form."""
    return _hasher.check_needs_rehash(password_hash) or spelling != prepare_password(spelling)


def rejection_reason(password: str, email: str) -> str | None:
    """Return why a password is rejected, or None if it is strong enough. Nothing leaves this machine."""
    from zxcvbn import zxcvbn  # its word lists are large, and most processes never need them

    password = prepare_password(password)
    name, _, host = email.lower().partition("@")
    own_words = [email, name, host.partition(".")[0], "sp404", "sample", "agent"]
    result = zxcvbn(password[:MAX_SCORED_CHARS], user_inputs=own_words)
    if any(_is_breached_password(part, password) for part in result["sequence"]):
        return BREACHED
    return TOO_WEAK if result["score"] < MIN_SCORE else None


def _is_breached_password(part: dict[str, object], password: str) -> bool:
    """Return whether zxcvbn found the whole password, in this or another case, in its list of leaked ones."""
    return part.get("dictionary_name") == "passwords" and part["token"] == password


def _has_hash(password_hash: str, spelling: str) -> bool:
    try:
        return hashing_queue.run(lambda: _hasher.verify(password_hash, spelling))
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
