"""Sign and read the tokens in mailed URLs; the secret key signs them, so the database alone can't."""

from __future__ import annotations

from datetime import datetime, timedelta

from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer
from sqlalchemy import select

from app.extensions import db, settings
from app.models import MailLink, User


def link_token(link: MailLink) -> str:
    """Return the token of a link, signed for its purpose."""
    return str(_link_signer(link.purpose).dumps(link.id))


def link_id_from_token(token: str, purpose: str) -> str | None:
    """Return the id of the link, or None if the token is forged or was signed for another purpose."""
    try:
        return str(_link_signer(purpose).loads(token))
    except BadSignature:
        return None


def account_export_token(key: str, user_id: str, ready_at: datetime) -> str:
    """Return a token for an account's export; it ends when all links of the account are ended."""
    return str(_export_signer().dumps({"key": key, "user": user_id, "at": ready_at.isoformat()}))


def export_token(key: str) -> str:
    """Return a token for a ZIP in the store that needs no row, so it outlives the account."""
    return str(_export_signer().dumps(key))


def export_key_from_token(token: str, max_age: timedelta) -> str | None:
    """Return the storage key of the ZIP, or None if the token is forged, too old or ended by its owner."""
    try:
        signer, age_s = _export_signer(), int(max_age.total_seconds())
        content, signed_at = signer.loads(token, max_age=age_s, return_timestamp=True)
    except BadSignature:
        return None
    if isinstance(content, dict):
        at = datetime.fromisoformat(content["at"])
        return None if are_links_ended(content["user"], since=at) else str(content["key"])
    # A farewell, or an export of the previous version, whose key names its owner.
    owner = User.id == content.split("/")[1] if content.count("/") > 1 else User.id.is_(None)
    user = db.session.scalar(select(User).where(owner))
    return content if user is None or not _is_ended(user, signed_at) else None


def are_links_ended(user_id: str | None, since: datetime) -> bool:
    """Return whether links from that time have been ended, such as by a new password, or with the account."""
    user = db.session.get(User, user_id) if user_id is not None else None
    return user is None or _is_ended(user, since)


def _is_ended(user: User, since: datetime) -> bool:
    return user.links_ended_at is not None and user.links_ended_at >= since


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
    return URLSafeTimedSerializer(settings().signing_keys, salt="register")


def _export_signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().signing_keys, salt="export")


def _link_signer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(settings().signing_keys, salt=f"mail-link:{purpose}")
