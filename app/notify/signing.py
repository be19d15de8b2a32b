"""The token in a mailed address: a link's id, signed for its purpose. The database alone can't make one."""

from __future__ import annotations

from itsdangerous import BadSignature, URLSafeSerializer

from app.extensions import settings
from app.models import MailLink


def token_of(link: MailLink) -> str:
    return str(_signer(link.purpose).dumps(link.id))


def link_id_of(token: str, purpose: str) -> str | None:
    try:
        return str(_signer(purpose).loads(token))
    except BadSignature:
        return None


def _signer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(settings().effective_secret_key, salt=f"mail-link:{purpose}")
