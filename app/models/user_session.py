"""A browser's sign-in, and a link that was mailed for one purpose."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UtcDateTime, new_id, utcnow
from app.models.user import User

# A stop link goes to the old address of an account when somebody asks to change it.
VERIFY, RESET, CHANGE, STOP, SIGN_IN = "verify", "reset", "change", "stop", "sign-in"


class UserSession(Model):
    """A sign-in. The cookie names this row, so once the row is deleted a copied cookie opens nothing."""

    __tablename__ = "user_sessions"

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(String(45))
    agent: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, index=True)

    user: Mapped[User] = relationship(lazy="joined")


class MailLink(Model):
    """A link that works once, until it expires. The address in the mail contains this row's id, signed."""

    __tablename__ = "mail_links"
    __table_args__ = (
        Index("ix_mail_links_user_purpose", "user_id", "purpose"),
        Index("ix_mail_links_email", "email"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(8))
    email: Mapped[str] = mapped_column(String(254))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    # Who asked to change the address: the browser and the network around its address.
    agent: Mapped[str | None] = mapped_column(String(200))
    network: Mapped[str | None] = mapped_column(String(49))
    # Only of a stop link: the link that makes the change, and when that was used.
    change_id: Mapped[str | None] = mapped_column(String(26))
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship(lazy="joined")

    @property
    def is_live(self) -> bool:
        return self.used_at is None and self.expires_at > utcnow() and self.user.closed_at is None
