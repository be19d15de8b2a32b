"""What an account may still do, always decided from the usage ledger.

Every function that checks and charges runs inside `transaction()` and locks the account first,
so that of many uploads at the limit exactly as many get in as there is room for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from app.billing import plans
from app.billing.plans import GB, MB, Plan
from app.extensions import db
from app.models import Job, Sample, Usage, User
from app.models.base import utcnow
from app.models.usage import EXPORT, STORAGE, UPLOAD


class QuotaExceededError(Exception):
    """The plan has no room for this; the message says so to the user."""


@dataclass(frozen=True)
class Standing:
    """How much of a plan is used."""

    plan: Plan
    uploads: int
    storage_bytes: int
    resets_at: datetime  # in the user's own zone

    @property
    def uploads_left(self) -> int:
        return max(self.plan.uploads - self.uploads, 0)

    @property
    def storage_left_bytes(self) -> int:
        return max(self.plan.storage_bytes - self.storage_bytes, 0)

    @property
    def storage_over_bytes(self) -> int:
        """What a smaller plan has no room for. It stays, readable and exportable, but nothing joins it."""
        return max(self.storage_bytes - self.plan.storage_bytes, 0)

    def refusal(self, size_bytes: int = 1) -> str | None:
        """Why one more upload of this size is not in the plan, and the ways out; None when it is."""
        return self._none_left() or self.no_room(size_bytes)

    def no_room(self, size_bytes: int) -> str | None:
        """Why so many bytes have no room, how much to free, and the other way out; None when they have."""
        missing = self.storage_bytes + size_bytes - self.plan.storage_bytes
        if missing <= 0:
            return None
        if self.storage_over_bytes:
            return (
                f"The library holds {in_words(self.storage_bytes)} and {self.plan.label} has room for "
                f"{in_words(self.plan.storage_bytes)}, so nothing can be added. All of it still plays, "
                f"downloads and exports. Delete {in_words(missing)} of samples to go on{self._or_upgrade()}."
            )
        return (
            f"The library has {self.storage_left_bytes / MB:,.1f} MB left and this file needs more. "
            f"Delete {in_words(missing)} of samples you no longer need{self._or_upgrade()}."
        )

    def _none_left(self) -> str | None:
        if self.uploads_left:
            return None
        return (
            f"All {self.plan.uploads:,} uploads of this {self.plan.period} are used. "
            f"The next ones start on {self.resets_at:%-d %b at %H:%M}{self._or_upgrade()}."
        )

    def _or_upgrade(self) -> str:
        above = plans.above(self.plan)
        return f", or upgrade to {above.label}" if above is not None else ""


def standing(user: User) -> Standing:
    plan = plans.for_user(user)
    start, end = plan.period_bounds(utcnow(), ZoneInfo(user.timezone))
    changed_at = user.timezone_changed_at
    if plan.period == "day" and changed_at is not None and changed_at > start:
        start = changed_at - timedelta(days=1)  # moving to where a day has just begun gives no new one
    return Standing(plan, _total(user, UPLOAD, since=start), _total(user, STORAGE), end)


def in_words(size_bytes: int) -> str:
    """Rounded up: whoever frees what is asked for has freed enough."""
    unit, factor = ("GB", GB) if size_bytes >= GB else ("MB", MB)
    return f"{-(-size_bytes * 10 // factor) / 10:,.1f}".removesuffix(".0") + f" {unit}"


def check(now: Standing, size_bytes: int) -> None:
    """Raise QuotaExceededError when one more upload of this size is not in the plan."""
    if (sentence := now.refusal(size_bytes)) is not None:
        raise QuotaExceededError(sentence)


def check_storage(now: Standing, size_bytes: int) -> None:
    """Raise QuotaExceededError when so many bytes have no room."""
    if (sentence := now.no_room(size_bytes)) is not None:
        raise QuotaExceededError(sentence)


def charge_upload(user: User, job: Job) -> None:
    """Take one upload and the file's bytes from the plan, or raise QuotaExceededError."""
    lock_account(user.id)
    check(standing(user), job.size_bytes)
    upload, storage = _charge_keys(job)
    _add(job.user_id, UPLOAD, upload, 1)
    _add(job.user_id, STORAGE, storage, job.size_bytes)


def give_back(job: Job) -> None:
    """Undo the charge of a job that came to nothing; once, however often it is called."""
    charges = db.session.scalars(select(Usage).where(Usage.entry_key.in_(_charge_keys(job))))
    for charge in charges.all():
        key = f"{charge.entry_key}:back"
        if db.session.scalar(select(Usage.id).where(Usage.entry_key == key)) is None:
            _add(charge.user_id, charge.kind, key, -charge.quantity, charge.effective_at)


def free_storage(sample: Sample, deleted_at: datetime) -> None:
    _add(sample.user_id, STORAGE, f"deleted:{sample.id}:{deleted_at.timestamp()}", -sample.size_bytes)


def take_storage_again(sample: Sample, deleted_at: datetime) -> None:
    """Charge a sample that comes back from the trash, or raise QuotaExceededError."""
    lock_account(sample.user_id)
    check_storage(standing(db.session.get_one(User, sample.user_id)), sample.size_bytes)
    _add(sample.user_id, STORAGE, f"restored:{sample.id}:{deleted_at.timestamp()}", sample.size_bytes)


def record_export(sample: Sample, key: str) -> None:
    _add(sample.user_id, EXPORT, f"export:{key}", 1)


def lock_account(user_id: str) -> None:
    """Let one transaction at a time decide for an account (SQLite already lets only one write)."""
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def _charge_keys(job: Job) -> tuple[str, str]:
    """What this round of the job is charged under: a retry is charged anew, and given back by itself."""
    round_ = f":retry{job.retries}" if job.retries else ""
    return f"upload:{job.id}{round_}", f"storage:{job.id}{round_}"


def _add(user_id: str, kind: str, key: str, quantity: int, effective_at: datetime | None = None) -> None:
    entry = Usage(
        user_id=user_id,
        kind=kind,
        entry_key=key,
        quantity=quantity,
        effective_at=effective_at or utcnow(),
    )
    db.session.add(entry)
    db.session.flush()


def _total(user: User, kind: str, since: datetime | None = None) -> int:
    query = select(func.coalesce(func.sum(Usage.quantity), 0)).where(
        Usage.user_id == user.id, Usage.kind == kind
    )
    if since is not None:
        query = query.where(Usage.effective_at >= since)
    return int(db.session.scalar(query) or 0)
