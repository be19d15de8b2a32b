"""Charge for uploads past the quota: the user's consent, what is owed, and whether Stripe counts the same.

An upload is charged when it is accepted, and the charge is final when its job completes. A job that fails or
is cancelled returns its charge before Stripe hears of it, so no report to Stripe ever has to be taken back.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, func, select

from app.billing import plans, quota
from app.extensions import db, settings
from app.integrations import payments
from app.integrations.payments import meters
from app.models import Job, MeterDifference, OverageConsent, Usage, User
from app.models.base import transaction, utcnow
from app.models.usage import METERED, OVERAGE

log = logging.getLogger(__name__)

DAYS_COMPARED = 3  # after that, late reports have arrived too


class OverageError(Exception):
    """This account can't have overage; the message tells the user why and what to do."""


def turn_on(user: User, cap_cents: int) -> None:
    """Let a user upload past the quota for up to `cap_cents` a month, or change the cap.

    Raise OverageError when the plan or the subscription does not allow it.
    """
    plan, subscription = plans.plan_for_user(user), user.subscription
    if plan.overage_key is None:
        raise OverageError(f"{plan.label} has no extra uploads. Change to a plan that has them first.")
    if subscription is None or subscription.status != "active":
        raise OverageError(
            "Extra uploads need an active, paid subscription. Pay the open invoice or wait for your trial to "
            "end, then turn them on."
        )
    customer_id, subscription_id = subscription.stripe_customer_id, subscription.stripe_subscription_id
    if not payments.is_set_up(settings()) or customer_id is None or subscription_id is None:
        raise OverageError("Payments aren't set up on this server, so you can't turn on extra uploads here.")
    user_id = user.id
    db.session.commit()  # no transaction may be open while Stripe is called
    meters.add_metered_price(settings(), subscription_id, plan.overage_key)
    with transaction() as session:
        quota.lock_account(user_id)
        session.merge(
            OverageConsent(
                user_id=user_id,
                customer_id=customer_id,
                subscription_id=subscription_id,
                cap_cents=cap_cents,
                is_on=True,
                changed_at=utcnow(),
            )
        )


def turn_off(user: User) -> None:
    """Stop charging for uploads. What was charged before is still owed, at the same price."""
    user_id = user.id
    with transaction() as session:
        quota.lock_account(user_id)
        consent = session.get(OverageConsent, user_id)
        if consent is not None:
            consent.is_on = False


def finalize_charge(job: Job) -> dict[str, Any] | None:
    """Return what to report to Stripe for a completed job, or None when nothing is owed.

    Other jobs may have returned their charges since the upload. If that left room in the plan, this job takes
    it and its own charge is returned: nobody pays for an upload that fits the plan. The caller has locked the
    account.
    """
    key = quota.charge_keys(job)[2]
    charge = db.session.scalar(select(Usage).where(Usage.entry_key == key))
    if charge is None:
        return None
    usage = quota.plan_usage(db.session.get_one(User, job.user_id), charge.effective_at)
    if usage.plan.period == "month" and usage.uploads_left:
        quota.add_usage(job.user_id, OVERAGE, f"{key}:back", -1, charge.effective_at)
        return None
    now = utcnow()
    quota.add_usage(job.user_id, METERED, f"metered:{job.id}", 1, now)
    customer_id = db.session.get_one(OverageConsent, job.user_id).customer_id
    return {"customer_id": customer_id, "identifier": job.id, "at": int(now.timestamp())}


def reconcile_with_stripe() -> None:
    """Compare the ledger with what Stripe has counted, day by day, and keep what differs for operators."""
    if not payments.is_set_up(settings()):
        return
    consents = db.session.execute(select(OverageConsent.user_id, OverageConsent.customer_id)).all()
    db.session.commit()
    today = utcnow().date()
    for user_id, customer_id in consents:
        try:
            for days_ago in range(1, DAYS_COMPARED + 1):
                _compare_day(user_id, customer_id, today - timedelta(days=days_ago))
        except payments.PaymentsError:
            log.exception("could not compare user %s with Stripe; going on with the others", user_id)


def meter_differences() -> list[tuple[MeterDifference, str]]:
    """Return the days on which Stripe counted something else, with the user's email, the latest first."""
    rows = select(MeterDifference, User.email).join(User, User.id == MeterDifference.user_id)
    return [(found, email) for found, email in db.session.execute(rows.order_by(MeterDifference.day.desc()))]


def _compare_day(user_id: str, customer_id: str, day: date) -> None:
    """Compare one user's day (in UTC) with Stripe, and replace what was known of that day."""
    start = datetime.combine(day, time.min, UTC)
    end = start + timedelta(days=1)
    theirs = meters.counted_uploads(settings(), customer_id, int(start.timestamp()), int(end.timestamp()))
    with transaction() as session:
        metered = select(func.coalesce(func.sum(Usage.quantity), 0)).where(
            Usage.user_id == user_id,
            Usage.kind == METERED,
            Usage.effective_at >= start,
            Usage.effective_at < end,
        )
        ours = int(session.scalar(metered) or 0)
        session.execute(
            delete(MeterDifference).where(MeterDifference.user_id == user_id, MeterDifference.day == day)
        )
        if ours != theirs:
            log.error("user %s on %s: the ledger has %s uploads, Stripe %s", user_id, day, ours, theirs)
            session.add(MeterDifference(user_id=user_id, day=day, ours=ours, theirs=theirs))
