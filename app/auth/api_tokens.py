"""Create, list and revoke tokens of the JSON API, and find the token of a request."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from datetime import timedelta

from flask import g, request
from sqlalchemy import select, update

from app.extensions import db
from app.models import ApiToken, User
from app.models.api_token import ABILITIES
from app.models.base import transaction, utcnow
from app.models.display_names import visible_text

# As GitHub does it: prefix and checksum let secret scanners recognise a leaked token offline.
KEY_PREFIX = "sp404_"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_CHARS, CHECK_CHARS = 30, 6  # 30 characters of 62 are 178 bits
SECRET_PATTERN = re.compile(rf"{KEY_PREFIX}[0-9A-Za-z]{{{RANDOM_CHARS + CHECK_CHARS}}}")
# `last_used_at` is written at most this often.
USE_UPDATE_INTERVAL = timedelta(minutes=1)
MAX_TOKENS = 50


class TooManyTokensError(Exception):
    """The account has as many tokens as it may have."""


def create_token(user: User, name: str, abilities: list[str], days: int | None) -> tuple[ApiToken, str]:
    """Create a token and return it with its secret, which is not stored and can't be shown again.

    The token expires after the given number of days, or never if that is None. Raises TooManyTokensError.
    """
    secret = generate_secret()
    token = ApiToken(
        user_id=user.id,
        name=visible_text(name)[:60] or "token",
        secret_sha256=_hash_secret(secret),
        hint=secret[-4:],
        abilities=[ability for ability in ABILITIES if ability in abilities],
        expires_at=utcnow() + timedelta(days=days) if days else None,
    )
    with transaction() as session:
        if len(list_tokens(user)) >= MAX_TOKENS:
            raise TooManyTokensError
        session.add(token)
    return token, secret


def list_tokens(user: User) -> list[ApiToken]:
    """Return the user's tokens that have not been revoked, newest first."""
    unrevoked = select(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    return list(db.session.scalars(unrevoked.order_by(ApiToken.id.desc())))


def revoke_token(token: ApiToken) -> None:
    """Revoke a token, so that it stops working at once; safe to call twice."""
    live = update(ApiToken).where(ApiToken.id == token.id, ApiToken.revoked_at.is_(None))
    with transaction() as session:
        session.execute(live.values(revoked_at=utcnow()))


def live_tokens(user: User) -> list[ApiToken]:
    """Return the user's tokens that still work, newest first."""
    return [token for token in list_tokens(user) if token.is_live]


def revoke_every_token(user: User) -> int:
    """Revoke all tokens of an account inside the caller's transaction, and return how many still worked."""
    count = len(live_tokens(user))
    live = update(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    db.session.execute(live.values(revoked_at=utcnow()))
    return count


def request_token() -> ApiToken | None:
    """Return the live token in this request's Authorization header; looked up once per request."""
    if "api_token" not in g:
        g.api_token = _find_live_token(_secret_from_header())
    token: ApiToken | None = g.api_token
    return token


def rate_limit_key() -> str:
    """Return the rate limit key of the token's account, so that more tokens allow no more requests."""
    token = request_token()
    return f"account:{token.user_id}" if token is not None else ""


def has_auth_header() -> bool:
    """Return whether the request carries an Authorization header, valid or not."""
    return "Authorization" in request.headers


def generate_secret() -> str:
    """Return a new random secret with prefix and checksum."""
    body = KEY_PREFIX + "".join(secrets.choice(BASE62) for _ in range(RANDOM_CHARS))
    return body + _checksum(body)


def is_well_formed(secret: str) -> bool:
    """Return whether a secret has our format and checksum, without asking the database."""
    matches = SECRET_PATTERN.fullmatch(secret) is not None
    return matches and _checksum(secret[:-CHECK_CHARS]) == secret[-CHECK_CHARS:]


def _secret_from_header() -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _find_live_token(secret: str) -> ApiToken | None:
    if not is_well_formed(secret):
        return None
    token = db.session.scalar(select(ApiToken).where(ApiToken.secret_sha256 == _hash_secret(secret)))
    if token is None or not token.is_live or token.user.closed_at is not None:
        return None
    if token.last_used_at is None or token.last_used_at < utcnow() - USE_UPDATE_INTERVAL:
        with transaction():
            token.last_used_at = utcnow()
    return token


def _hash_secret(secret: str) -> str:
    """Return a plain SHA-256, which is enough for 178 random bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(body: str) -> str:
    """Return the CRC-32 of the text as six base-62 digits."""
    value, digits = zlib.crc32(body.encode()), ""
    while value:
        value, digit = divmod(value, len(BASE62))
        digits = BASE62[digit] + digits
    return digits.rjust(CHECK_CHARS, BASE62[0])
