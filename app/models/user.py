"""A producer's account."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flask_login import UserMixin
from sqlalchemy import String, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UtcDateTime, new_id, utcnow

if TYPE_CHECKING:
    from app.models.subscription import Subscription

KEY_NOTATIONS = ("musical", "camelot", "both")
# A closed account gets an address in this domain, which no mail can reach, until it is deleted.
CLOSED_DOMAIN = "closed.invalid"


class User(UserMixin, Model):
    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    # In the form of `app.mail_addresses`: the domain in ASCII, so that one address is one account.
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_admin: Mapped[bool] = mapped_column(default=False)
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    # Changing zones must not give a second quota for the same day: see `quota.plan_usage`.
    timezone_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    key_notation: Mapped[str] = mapped_column(String(8), default="musical")
    autoplay: Mapped[bool] = mapped_column(default=True)
    # How the library was listed last: see `list_settings`.
    library_sort: Mapped[str] = mapped_column(String(12), default="", server_default="")
    hidden_columns: Mapped[str] = mapped_column(String(80), default="", server_default="")
    mail_on_completion: Mapped[bool] = mapped_column(default=True)
    ai_allowed: Mapped[bool] = mapped_column(default=True, server_default=true())
    # The model to ask first, where a plan has several.
    ai_model: Mapped[str | None] = mapped_column(String(120))
    # Part of the session cookie, beside the session's secret; raising it ends every session of the account.
    session_epoch: Mapped[int] = mapped_column(default=0)
    # Links mailed before this time no longer work: see `mail_links.revoke_every_link`.
    links_ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    # Set when its owner closes it: from then on it can't be used, and it is deleted soon.
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    subscription: Mapped[Subscription | None] = relationship(back_populates="user", lazy="joined")

    # Of the session this user was loaded from. Not columns.
    session_cookie = ""
    session_id = ""
    # What the account's password and sessions were when this user proved who they are. Not a column.
    proven_stamp = ""

    def get_id(self) -> str:
        return self.session_cookie
