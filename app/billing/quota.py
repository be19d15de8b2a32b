"""Decide from the usage ledger what an account may still do, and charge uploads and storage to it.

Every function that checks and charges runs inside `transaction()` and locks the account first. So when many
uploads arrive at the limit, exactly as many are accepted as there is room for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, bindparam, case, exists, func, insert, literal, select

from app.billing import plans, storage_totals
from app.billing.plan_room import Limit, PlanUsage
from app.billing.plans import Plan
from app.extensions import db, settings
from app.models import Job, OverageConsent, Sample, Usage, User
from app.models.base import utcnow
from app.models.usage import EXPORT, OVERAGE, STORAGE, UPLOAD

FREE_PREFIX = "free:"  # of the ledger key of a sample that takes no room in the plan


class QuotaExceededError(Exception):
    """The plan has no room for this; the message tells the user what to do about it."""

    def __init__(self, sentence: str, limit: Limit = "storage") -> None:
        super().__init__(sentence)
        self.limit = limit


def plan_usage(user: User, at: datetime | None = None) -> PlanUsage:
    """Return how much of the user's plan is used in the period that `at` falls in (by default: now)."""
    plan = plans.plan_for_user(user)
    start, end = plan.period_bounds(at or utcnow(), ZoneInfo(user.timezone))
    changed_at = user.timezone_changed_at
    if plan.period == "day" and changed_at is not None and changed_at > start:
        # A change of time zone to where a day has just begun does not start a new day.
        start = changed_at - timedelta(days=1)
    overage = ledger_total(user, OVERAGE, since=start, until=end)
    uploads = ledger_total(user, UPLOAD, since=start, until=end) - overage
    return PlanUsage(
        plan, uploads, storage_totals.stored_bytes(user.id), end, overage, _overage_cap_cents(user, plan)
    )


def _overage_cap_cents(user: User, plan: Plan) -> int | None:
    """Return the user's cap, or None when an upload past the plan would not be paid for.

    It is not in a trial, nor while a payment is missing.
    """
    consent, subscription = db.session.get(OverageConsent, user.id), user.subscription
    if consent is None or not consent.is_on or plan.overage_price_cents is None or subscription is None:
        return None
    is_this_one = consent.subscription_id == subscription.stripe_subscription_id
    return consent.cap_cents if is_this_one and subscription.status == "active" else None


def require_upload_room(now: PlanUsage, size_bytes: int) -> None:
    """Raise QuotaExceededError when the plan does not take one more upload of this size."""
    if (sentence := now.refusal(size_bytes)) is not None:
        raise QuotaExceededError(sentence, now.refusing_limit)


def require_storage_room(now: PlanUsage, size_bytes: int) -> None:
    """Raise QuotaExceededError when the plan has no room for this many bytes."""
    if (sentence := now.storage_refusal(size_bytes)) is not None:
        raise QuotaExceededError(sentence)


def charge_upload(user: User, job: Job) -> None:
    """Charge one upload and the file's bytes to the plan, or raise QuotaExceededError.

    An upload counts either in the plan or as overage, and stays so until its job ends.
    """
    if not lock_account(user.id):
        raise QuotaExceededError("This account has been closed, so nothing can be added to it.")
    now = plan_usage(user)
    size_bytes = job.size_bytes or 0
    require_upload_room(now, size_bytes)
    upload, storage, overage = charge_keys(job)
    add_usage(job.user_id, UPLOAD, upload, 1)
    add_usage(job.user_id, STORAGE, storage, size_bytes)
    if not now.uploads_left:
        add_usage(job.user_id, OVERAGE, overage, 1)


def keep_free_of_charge(job: Job) -> None:
    """Note that the file of a job takes no room in the plan: a storage row of zero bytes, and no upload."""
    add_usage(job.user_id, STORAGE, f"{FREE_PREFIX}{job.id}", 0)


def charged_bytes() -> ColumnElement[int]:
    """Return the expression for how many bytes of a sample count towards the plan."""
    # SQLite's RETURNING names columns without their table, so the subquery must not have an `id` of its own.
    keys = select(Usage.entry_key).subquery()
    is_free = exists().where(keys.c.entry_key == literal(FREE_PREFIX) + Sample.id).correlate(Sample)
    return case((is_free, 0), else_=Sample.size_bytes)


def immediate_files_left(user: User) -> int:
    """Return how many of an account's first files, which do not wait on the Free plan, are still to come."""
    ever = select(func.coalesce(func.sum(Usage.quantity), 0)).where(
        Usage.user_id == user.id, Usage.kind == UPLOAD
    )
    return max(settings().free_immediate_files - int(db.session.scalar(ever) or 0), 0)


def return_charges(job: Job) -> None:
    """Give the charges of a failed or cancelled job back to the plan; safe to call twice."""
    return_charges_of([job])


def return_charges_of(jobs: Sequence[Job]) -> None:
    """Give the charges of failed or cancelled jobs back to the plan in few statements; safe to call twice."""
    keys = [key for job in jobs for key in charge_keys(job)]
    charges = db.session.scalars(select(Usage).where(Usage.entry_key.in_(keys))).all()
    back = {f"{charge.entry_key}:back": charge for charge in charges}
    known = set(db.session.scalars(select(Usage.entry_key).where(Usage.entry_key.in_(back))))
    rows = [
        {
            "user_id": charge.user_id,
            "kind": charge.kind,
            "entry_key": key,
            "quantity": -charge.quantity,
            "effective_at": charge.effective_at,
        }
        for key, charge in back.items()
        if key not in known
    ]
    if rows:
        db.session.execute(insert(Usage), rows)


def release_storage(user_id: str, sizes: Mapping[str, int], deleted_at: datetime) -> None:
    """Give back the storage of samples that move to the trash: their sizes in bytes by their ids."""
    released = {sample_id: -size_bytes for sample_id, size_bytes in sizes.items()}
    _add_storage(user_id, "deleted", released, deleted_at)


def charge_restored(user_id: str, sizes: Mapping[str, int], deleted_at: datetime) -> None:
    """Charge the storage of samples restored from the trash, all of them, or raise QuotaExceededError."""
    lock_account(user_id)
    require_storage_room(plan_usage(db.session.get_one(User, user_id)), sum(sizes.values()))
    _add_storage(user_id, "restored", sizes, deleted_at)


def record_exports(user_id: str, keys: Sequence[str]) -> None:
    """Count an export for each key, inside `transaction()`; exports have no limit."""
    rows = [{"user_id": user_id, "kind": EXPORT, "entry_key": f"export:{key}", "quantity": 1} for key in keys]
    if rows:
        db.session.execute(insert(Usage), rows)


def lock_account(user_id: str) -> bool:
    """Lock an account and return whether it is open: nothing new may begin in a closed or deleted one.

    The lock lets only one transaction at a time decide about the account (SQLite has one writer anyway).
    """
    account = db.session.execute(_select_account(), {"owner": user_id}).one_or_none()
    return account is not None and account.closed_at is None


@lru_cache(maxsize=1)
def _select_account() -> Select[str, datetime | None]:
    account = select(User.id, User.closed_at).where(User.id == bindparam("owner"))
    return account.with_for_update(key_share=True)


def charge_keys(job: Job) -> tuple[str, str, str]:
    """Return the ledger keys of this run of a job: upload, storage and overage.

    A retry has keys of its own, so it is charged and returned by itself.
    """
    retry = f":retry{job.retries}" if job.retries else ""
    return f"upload:{job.id}{retry}", f"storage:{job.id}{retry}", f"overage:{job.id}{retry}"


def add_usage(
    user_id: str,
    kind: str,
    key: str,
    quantity: int,
    effective_at: datetime | None = None,
    cost_usd: Decimal = Decimal(0),
) -> Usage:
    """Add a row to the ledger, inside `transaction()`."""
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


def _add_storage(user_id: str, event: str, changes: Mapping[str, int], deleted_at: datetime) -> None:
    """Add a row for the storage of each sample, under a key that names its deletion."""
    rows = [
        {
            "user_id": user_id,
            "kind": STORAGE,
            "entry_key": f"{event}:{sample_id}:{deleted_at.timestamp()}",
            "quantity": size_bytes,
        }
        for sample_id, size_bytes in changes.items()
    ]
    if rows:
        db.session.execute(insert(Usage), rows)


def ledger_total(user: User, kind: str, since: datetime, until: datetime | None = None) -> int:
    """Sum the ledger's rows of one kind for a user, from `since` and before `until`."""
    rows = select(func.coalesce(func.sum(Usage.quantity), 0)).where(
        Usage.user_id == user.id, Usage.kind == kind, Usage.effective_at >= since
    )
    if until is not None:
        rows = rows.where(Usage.effective_at < until)
    return int(db.session.scalar(rows) or 0)
