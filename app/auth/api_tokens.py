"""Tokens of the JSON API: made, found by their secret, used and revoked."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from datetime import timedelta

from flask import g, request
from flask_limiter.util import get_remote_address
from sqlalchemy import select, update

from app.extensions import db
from app.models import ApiToken, User
from app.models.api_token import ABILITIES
from app.models.base import transaction, utcnow
from app.models.display_names import visible_text

# As GitHub's: a prefix and a checksum let secret scanners find leaked ones without asking anybody.
KEY_PREFIX = "sp404_"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_CHARS, CHECK_CHARS = 30, 6  # 30 of 62 are 178 bits
SECRET_PATTERN = re.compile(rf"{KEY_PREFIX}[0-9A-Za-z]{{{RANDOM_CHARS + CHECK_CHARS}}}")
USE_UPDATE_INTERVAL = timedelta(minutes=1)
MAX_TOKENS = 50


class TooManyTokensError(Exception):
    """The account has as many tokens as it may have."""


def create_token(user: User, name: str, abilities: list[str], days: int | None) -> tuple[ApiToken, str]:
    """A new token and its secret, which nobody can be shown again."""
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
    """The tokens of a user that were not revoked, the latest first."""
    kept = select(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    return list(db.session.scalars(kept.order_by(ApiToken.id.desc())))


def revoke_token(token: ApiToken) -> None:
    """It opens nothing from now on; a second time changes nothing."""
    live = update(ApiToken).where(ApiToken.id == token.id, ApiToken.revoked_at.is_(None))
    with transaction() as session:
        session.execute(live.values(revoked_at=utcnow()))


def request_token() -> ApiToken | None:
    """The live token that this request carries in its Authorization header, looked up once."""
    if "api_token" not in g:
        g.api_token = _find_live_token(_secret_from_header())
    token: ApiToken | None = g.api_token
    return token


def rate_limit_key() -> str:
    """Who is counted for the rate limit: the token, or the address of whoever has none."""
    token = request_token()
    return f"token:{token.id}" if token is not None else f"address:{get_remote_address()}"


def has_auth_header() -> bool:
    return "Authorization" in request.headers


def generate_secret() -> str:
    body = KEY_PREFIX + "".join(secrets.choice(BASE62) for _ in range(RANDOM_CHARS))
    return body + _checksum(body)


def is_well_formed(secret: str) -> bool:
    """Whether it could be one of ours, without asking the database."""
    matches = SECRET_PATTERN.fullmatch(secret) is not None
    return matches and _checksum(secret[:-CHECK_CHARS]) == secret[-CHECK_CHARS:]


def _secret_from_header() -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _find_live_token(secret: str) -> ApiToken | None:
    if not is_well_formed(secret):
        return None
    token = db.session.scalar(select(ApiToken).where(ApiToken.secret_sha256 == _hash_secret(secret)))
    if token is None or not token.is_live:
        return None
    if token.last_used_at is None or token.last_used_at < utcnow() - USE_UPDATE_INTERVAL:
        with transaction():
            token.last_used_at = utcnow()
    return token


def _hash_secret(secret: str) -> str:
    """A plain hash is enough for 178 random bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(body: str) -> str:
    value, digits = zlib.crc32(body.encode()), ""
    while value:
        value, digit = divmod(value, len(BASE62))
        digits = BASE62[digit] + digits
    return digits.rjust(CHECK_CHARS, BASE62[0])
