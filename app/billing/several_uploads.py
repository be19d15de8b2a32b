"""Charge several uploads at once, such as the sounds of a project."""

from __future__ import annotations

from dataclasses import replace

from app.billing import quota
from app.billing.plan_room import PlanUsage
from app.billing.quota import QuotaExceededError
from app.models import Job, User
from app.models.usage import STORAGE, UPLOAD


def usage_without_overage(user: User) -> PlanUsage:
    """Return how much of the plan is used, as for uploads that may not be paid for beyond it."""
    now = quota.plan_usage(user)
    return replace(now, plan=replace(now.plan, overage_price_cents=None), cap_cents=None)


def refusal(user: User, count: int, size_bytes: int) -> str | None:
    """Say why the plan does not take so many new samples together; None when it does."""
    now = usage_without_overage(user)
    if count:
        return now.refusal_of_several(count, size_bytes)
    return now.storage_refusal(size_bytes) if size_bytes else None


def charge(user: User, job: Job, count: int, size_bytes: int) -> None:
    """Charge what a job adds, in the transaction that completes it, or raise QuotaExceededError."""
    if not quota.lock_account(user.id):
        raise QuotaExceededError("This account has been closed, so nothing can be added to it.")
    sentence = refusal(user, count, size_bytes)
    if sentence is not None:
        raise QuotaExceededError(sentence)
    upload, storage, _overage = quota.charge_keys(job)
    if count:
        quota.add_usage(user.id, UPLOAD, upload, count)
    quota.add_usage(user.id, STORAGE, storage, size_bytes)
