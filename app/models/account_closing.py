"""An account that its owner has closed, until everything of it is deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UtcDateTime, utcnow
from app.models.user import User

SUBSCRIPTIONS, JOBS, ARCHIVE, OBJECTS, ROWS = "subscriptions", "jobs", "archive", "objects", "rows"
STEPS = (SUBSCRIPTIONS, JOBS, ARCHIVE, OBJECTS, ROWS)
# A step that was begun this often is reported to the operator; it is tried again all the same.
STUCK_AFTER = 3


class AccountClosing(Model):
    """The row is the job: it holds the next step, and is deleted together with the account by the last."""

    __tablename__ = "account_closings"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    # For the archive and the last mail. The account's own address is free again from the start.
    email: Mapped[str] = mapped_column(String(254))
    step: Mapped[str] = mapped_column(String(16), default=SUBSCRIPTIONS)
    # How often this step was begun. It counts a try whose worker died, too.
    tries: Mapped[int] = mapped_column(default=0)
    # While a worker is at it, this lies in the future: should the worker die, another one goes on then.
    next_try_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, index=True)
    last_error: Mapped[str | None] = mapped_column(String(300))
    # The random token of the worker that is at it. Only it may change the row, until another one takes over.
    claim: Mapped[str | None] = mapped_column(String(32))
    # Random, as the archive outlives the account. Empty until there is a whole archive in the store.
    archive_key: Mapped[str | None] = mapped_column(String(80))
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    user: Mapped[User] = relationship(lazy="joined")

    @property
    def is_stuck(self) -> bool:
        return self.tries >= STUCK_AFTER

    @property
    def is_held(self) -> bool:
        """Whether a worker is at it, as far as is known."""
        return self.claim is not None and self.next_try_at > utcnow()
