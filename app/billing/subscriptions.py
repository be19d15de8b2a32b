"""What an account pays for: always fetched as it is now, never taken from what an event says."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from app.billing import invoices, plans
from app.billing.plans import FREE, Plan
from app.extensions import db, settings
from app.integrations import payments
from app.integrations.payments.snapshot import CustomerSnapshot
from app.integrations.payments.snapshot import StripeSubscription as Found
from app.models import Subscription, User
from app.models.base import transaction, utcnow
from app.models.subscription import LIVE_STATUSES, NOT_SUBSCRIBED

log = logging.getLogger(__name__)

# Stripe moves a subscription on within moments of its time; then it is looked at, event or no event.
OVERDUE_SLACK = timedelta(minutes=2)


def refresh_subscription(customer_id: str) -> User | None:
    """Fetch what is true of a customer and write it down; the account, where there still is one.

    Nothing is locked while Stripe is talked to. Each refresh takes a number before it asks, and writes
    only when no later one has: whoever asked later has seen all that the earlier one was told of.
    """
    number = _next_sequence_number(customer_id)
    now = payments.customer_snapshot(settings(), customer_id)
    plan_of = invoices.invoice_plans(now)
    with transaction() as session:
        mine = select(Subscription).where(Subscription.stripe_customer_id == customer_id)
        row = session.scalar(mine.with_for_update(of=Subscription).execution_options(populate_existing=True))
        if row is None or number is None:
            invoices.record_invoices(None, customer_id, now, plan_of)
            return None
        if number > row.applied:
            row.applied, row.refreshed_at = number, utcnow()
            _apply_snapshot(row, now)
            invoices.record_invoices(row.user_id, customer_id, now, plan_of)
        user = row.user
    db.session.refresh(user)
    return user


def known_customer_ids() -> list[str]:
    """Everybody who has ever begun to pay."""
    known = select(Subscription.stripe_customer_id).where(Subscription.stripe_customer_id.is_not(None))
    return [found for found in db.session.scalars(known.order_by(Subscription.id)) if found]


def overdue_customer_ids() -> list[str]:
    """Customers whose period or cancellation has come to its time, and who were not looked at since."""
    then = utcnow() - OVERDUE_SLACK
    passed = or_(Subscription.current_period_end < then, Subscription.ends_at < then)
    live = Subscription.stripe_customer_id.is_not(None), Subscription.status.in_(LIVE_STATUSES)
    rows = db.session.scalars(select(Subscription).where(passed, *live)).all()
    return [str(row.stripe_customer_id) for row in rows if _missed_period_end(row, then)]


def _missed_period_end(row: Subscription, then: datetime) -> bool:
    times = [time for time in (row.current_period_end, row.ends_at) if time is not None and time < then]
    return row.refreshed_at is None or row.refreshed_at < max(times) + OVERDUE_SLACK


def _next_sequence_number(customer_id: str) -> int | None:
    mine = update(Subscription).where(Subscription.stripe_customer_id == customer_id)
    with transaction() as session:
        number: int | None = session.scalar(
            mine.values(asked=Subscription.asked + 1).returning(Subscription.asked)
        )
    return number


def _apply_snapshot(row: Subscription, now: CustomerSnapshot) -> None:
    found = _current_subscription(now)
    if found is None:
        row.plan, row.status, row.stripe_subscription_id = FREE.name, NOT_SUBSCRIBED, None
        row.current_period_end = row.ends_at = None
        if not now.exists:
            row.stripe_customer_id = None
        return
    subscription, plan = found
    row.plan, row.status = plan.name, subscription.status[:24]
    row.stripe_subscription_id = subscription.id
    row.current_period_end = max(item.period_end for item in subscription.items)
    row.ends_at = subscription.ends_at


def _current_subscription(now: CustomerSnapshot) -> tuple[Found, Plan] | None:
    """The subscription that counts: a live one before any other, then the latest."""
    ours = [(found, plan) for found in now.subscriptions if (plan := subscription_plan(found)) is not None]
    live = [found.id for found, _ in ours if found.status in LIVE_STATUSES]
    if len(live) > 1:
        log.error("more than one live subscription of one customer: %s", ", ".join(sorted(live)))
    key = {found.id: (found.status in LIVE_STATUSES, found.created_at, found.id) for found, _ in ours}
    return max(ours, key=lambda pair: key[pair[0].id], default=None)


def subscription_plan(found: Found) -> Plan | None:
    """The plan among what a subscription has; None where it is for something else in the same account."""
    return next((plan for item in found.items if (plan := plans.plan_for_price(item.price))), None)
