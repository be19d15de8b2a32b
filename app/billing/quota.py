"""What an account may still do, always decided from the usage ledger.

Every function that checks and charges runs inside `transaction()` and locks the account first,
so that of many uploads at the limit exactly as many get in as there is room for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from app.billing import plans
from app.billing.plans import GB, MB, Plan
from app.extensions import db
from app.models import Job, OverageConsent, Sample, Usage, User
from app.models.base import utcnow
from app.models.usage import EXPORT, OVERAGE, STORAGE, UPLOAD


class QuotaExceededError(Exception):
    """The plan has no room for this; the message says so to the user."""


@dataclass(frozen=True)
class PlanUsage:
    """How much of a plan is used."""

    plan: Plan
    uploads: int
    storage_bytes: int
    resets_at: datetime  # in the user's own zone
    overage: int = 0  # uploads beyond those of the plan, each for money
    cap_cents: int | None = None  # how much they may cost together; None is no overage

    @property
    def uploads_left(self) -> int:
        return max(self.plan.uploads - self.uploads, 0)

    @property
    def overage_cents(self) -> int:
        return self.overage * (self.plan.overage_price_cents or 0)

    @property
    def takes_overage(self) -> bool:
        """One more upload for money stays within the cap."""
        price_cents = self.plan.overage_price_cents
        if price_cents is None or self.cap_cents is None:
            return False
        return self.overage_cents + price_cents <= self.cap_cents

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
                f"The library holds {format_size(self.storage_bytes)} and {self.plan.label} has room for "
                f"{format_size(self.plan.storage_bytes)}, so nothing can be added. All of it still plays, "
                f"downloads and exports. Delete {format_size(missing)} of samples to go on"
                f"{self._or_upgrade()}."
            )
        return (
            f"The library has {self.storage_left_bytes / MB:,.1f} MB left and this file needs more. "
            f"Delete {format_size(missing)} of samples you no longer need{self._or_upgrade()}."
        )

    def _none_left(self) -> str | None:
        if self.uploads_left or self.takes_overage:
            return None
        used = f"All {self.plan.uploads:,} uploads of this {self.plan.period} are used"
        if self.cap_cents is not None:
            used += f", and so is the cap of {format_dollars(self.cap_cents)} for more"
        return (
            f"{used}. The next ones start on {self.resets_at:%-d %b at %H:%M}"
            f"{self._or_overage()}{self._or_upgrade()}."
        )

    def _or_overage(self) -> str:
        if self.plan.overage_price_cents is None:
            return ""
        if self.cap_cents is not None:
            return ", or raise the cap on the Plan page"
        price = format_dollars(self.plan.overage_price_cents)
        return f", or turn on overage on the Plan page ({price} for each, up to a cap you set)"

    def _or_upgrade(self) -> str:
        above = plans.next_larger_plan(self.plan)
        return f", or upgrade to {above.label}" if above is not None else ""


def plan_usage(user: User, at: datetime | None = None) -> PlanUsage:
    """How much of the plan of now is used in the period that `at` falls in: the present one, unless told."""
    plan = plans.plan_for_user(user)
    start, end = plan.period_bounds(at or utcnow(), ZoneInfo(user.timezone))
    changed_at = user.timezone_changed_at
    if plan.period == "day" and changed_at is not None and changed_at > start:
        start = changed_at - timedelta(days=1)  # moving to where a day has just begun gives no new one
    overage = _ledger_total(user, OVERAGE, since=start, until=end)
    uploads = _ledger_total(user, UPLOAD, since=start, until=end) - overage
    return PlanUsage(
        plan, uploads, _ledger_total(user, STORAGE), end, overage, _overage_cap_cents(user, plan)
    )


def _overage_cap_cents(user: User, plan: Plan) -> int | None:
    """Only what will be paid for is sold: not in a trial, nor while a payment is missing."""
    consent, subscription = db.session.get(OverageConsent, user.id), user.subscription
    if consent is None or not consent.is_on or plan.overage_price_cents is None or subscription is None:
        return None
    is_this_one = consent.subscription_id == subscription.stripe_subscription_id
    return consent.cap_cents if is_this_one and subscription.status == "active" else None


def format_size(size_bytes: int) -> str:
    """Rounded up: whoever frees what is asked for has freed enough."""
    unit, factor = ("GB", GB) if size_bytes >= GB else ("MB", MB)
    return f"{-(-size_bytes * 10 // factor) / 10:,.1f}".removesuffix(".0") + f" {unit}"


def format_dollars(cents: int) -> str:
    return f"${cents / 100:,.2f}"


def require_upload_room(now: PlanUsage, size_bytes: int) -> None:
    """Raise QuotaExceededError when one more upload of this size is not in the plan."""
    if (sentence := now.refusal(size_bytes)) is not None:
        raise QuotaExceededError(sentence)


def require_storage_room(now: PlanUsage, size_bytes: int) -> None:
    """Raise QuotaExceededError when so many bytes have no room."""
    if (sentence := now.no_room(size_bytes)) is not None:
        raise QuotaExceededError(sentence)


def charge_upload(user: User, job: Job) -> None:
    """Take one upload and the file's bytes from the plan, or raise QuotaExceededError.

    An upload is either one of the plan's or one of overage, and stays what it is until its job ends.
    """
    lock_account(user.id)
    now = plan_usage(user)
    size_bytes = job.size_bytes or 0
    require_upload_room(now, size_bytes)
    upload, storage, overage = charge_keys(job)
    add_usage(job.user_id, UPLOAD, upload, 1)
    add_usage(job.user_id, STORAGE, storage, size_bytes)
    if not now.uploads_left:
        add_usage(job.user_id, OVERAGE, overage, 1)


def return_charges(job: Job) -> None:
    """Undo the charge of a job that came to nothing; once, however often it is called."""
    charges = db.session.scalars(select(Usage).where(Usage.entry_key.in_(charge_keys(job))))
    for charge in charges.all():
        key = f"{charge.entry_key}:back"
        if db.session.scalar(select(Usage.id).where(Usage.entry_key == key)) is None:
            add_usage(job.user_id, charge.kind, key, -charge.quantity, charge.effective_at)


def release_storage(sample: Sample, deleted_at: datetime) -> None:
    add_usage(sample.user_id, STORAGE, f"deleted:{sample.id}:{deleted_at.timestamp()}", -sample.size_bytes)


def charge_restored(sample: Sample, deleted_at: datetime) -> None:
    """Charge a sample that comes back from the trash, or raise QuotaExceededError."""
    lock_account(sample.user_id)
    require_storage_room(plan_usage(db.session.get_one(User, sample.user_id)), sample.size_bytes)
    add_usage(sample.user_id, STORAGE, f"restored:{sample.id}:{deleted_at.timestamp()}", sample.size_bytes)


def record_export(sample: Sample, key: str) -> None:
    add_usage(sample.user_id, EXPORT, f"export:{key}", 1)


def lock_account(user_id: str) -> None:
    """Let one transaction at a time decide for an account (SQLite already lets only one write)."""
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def charge_keys(job: Job) -> tuple[str, str, str]:
    """What this round of the job is charged under: a retry is charged anew, and given back by itself."""
    round_ = f":retry{job.retries}" if job.retries else ""
    return f"upload:{job.id}{round_}", f"storage:{job.id}{round_}", f"overage:{job.id}{round_}"


def add_usage(
    user_id: str,
    kind: str,
    key: str,
    quantity: int,
    effective_at: datetime | None = None,
    cost_usd: Decimal = Decimal(0),
) -> Usage:
    """One more row of the ledger, inside `transaction()`."""
    entry = Usage(
        user_id=user_id,
        kind=kind,
        entry_key=key,
        quantity=quantity,
        cost_usd=cost_usd,
        effective_at=effective_at or utcnow(),
    )
    db.session.add(entry)
    db.session.flush()
    return entry


def _ledger_total(user: User, kind: str, since: datetime | None = None, until: datetime | None = None) -> int:
    query = select(func.coalesce(func.sum(Usage.quantity), 0)).where(
        Usage.user_id == user.id, Usage.kind == kind
    )
    if since is not None:
        query = query.where(Usage.effective_at >= since)
    if until is not None:
        query = query.where(Usage.effective_at < until)
    return int(db.session.scalar(query) or 0)
