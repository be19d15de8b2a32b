"""An account that its owner has closed, until everything in it is deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, UtcDateTime, utcnow
from app.models.user import User

SUBSCRIPTIONS, JOBS, ARCHIVE, OBJECTS, ROWS = "subscriptions", "jobs", "archive", "objects", "rows"
STEPS = (SUBSCRIPTIONS, JOBS, ARCHIVE, OBJECTS, ROWS)
# A step that was begun this often is reported to the operator, but still tried again.
STUCK_AFTER = 3


class AccountClosing(Model):
    """The deletion of an account: the row holds the next step, and the last step deletes it too."""

    __tablename__ = "account_closings"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    # For the archive and the last mail. The account's own address is free again from the start.
    email: Mapped[str] = mapped_column(String(254))
    step: Mapped[str] = mapped_column(String(16), default=SUBSCRIPTIONS)
    # How often this step was begun, including tries whose worker died.
    tries: Mapped[int] = mapped_column(default=0)
    # While a worker has it, this lies in the future: if the worker dies, another one continues then.
    next_try_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, index=True)
    last_error: Mapped[str | None] = mapped_column(String(300))
    # The random token of the worker that has it. No other may change the row until it takes over.
    claim: Mapped[str | None] = mapped_column(String(32))
    # Random, because the archive outlives the account. Empty until a whole archive is in the store.
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
