"""Sign and read the tokens in mailed URLs; the secret key signs them, so the database alone can't."""

from __future__ import annotations

from datetime import timedelta

from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer

from app.extensions import settings
from app.models import MailLink


def link_token(link: MailLink) -> str:
    """Return the token of a link, signed for its purpose."""
    return str(_link_signer(link.purpose).dumps(link.id))


def link_id_from_token(token: str, purpose: str) -> str | None:
    """Return the id of the link, or None if the token is forged or was signed for another purpose."""
    try:
        return str(_link_signer(purpose).loads(token))
    except BadSignature:
        return None


def export_token(key: str) -> str:
    """Return a token for a ZIP in the store; it needs no row, so it outlives the account."""
    return str(_export_signer().dumps(key))


def export_key_from_token(token: str, max_age: timedelta) -> str | None:
    """Return the storage key of the ZIP, or None if the token is forged or too old."""
    try:
        return str(_export_signer().loads(token, max_age=int(max_age.total_seconds())))
    except BadSignature:
        return None


def registration_token(email: str) -> str:
    """Return a token that proves its holder reads the mail of this address."""
    return str(_registration_signer().dumps(email))


def registration_email(token: str, max_age: timedelta) -> str | None:
    """Return the address a registration token was made for, or None if it is forged or too old."""
    try:
        return str(_registration_signer().loads(token, max_age=int(max_age.total_seconds())))
    except BadSignature:
        return None


def _registration_signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().effective_secret_key, salt="register")


def _export_signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().effective_secret_key, salt="export")


def _link_signer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(settings().effective_secret_key, salt=f"mail-link:{purpose}")
