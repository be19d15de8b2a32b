"""The token in a mailed address: a link's id, signed for its purpose. The database alone can't make one."""

from __future__ import annotations

from datetime import timedelta

from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer

from app.extensions import settings
from app.models import MailLink


def link_token(link: MailLink) -> str:
    return str(_link_signer(link.purpose).dumps(link.id))


def link_id_from_token(token: str, purpose: str) -> str | None:
    try:
        return str(_link_signer(purpose).loads(token))
    except BadSignature:
        return None


def export_token(key: str) -> str:
    """Stands for a ZIP in the store, whether or not its account is still there."""
    return str(_export_signer().dumps(key))


def export_key_from_token(token: str, max_age: timedelta) -> str | None:
    try:
        return str(_export_signer().loads(token, max_age=int(max_age.total_seconds())))
    except BadSignature:
        return None


def registration_token(email: str) -> str:
    """Proves that whoever has it reads the mail of this address."""
    return str(_registration_signer().dumps(email))


def registration_email(token: str, max_age: timedelta) -> str | None:
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
