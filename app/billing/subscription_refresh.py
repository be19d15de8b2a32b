"""Keep each account's subscription as it is at Stripe: always fetched, never taken from an event."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from app.billing import invoices, plans
from app.billing.plans import FREE, Plan
from app.billing.subscription_status import LIVE_STATUSES
from app.extensions import db, settings
from app.integrations import payments
from app.integrations.payments.snapshot import CustomerSnapshot, StripeSubscription
from app.models import Subscription, User
from app.models.base import transaction, utcnow
from app.models.subscription import NOT_SUBSCRIBED

log = logging.getLogger(__name__)

# Stripe renews or ends a subscription within moments of its time. After this slack we fetch it even when no
# event has arrived.
OVERDUE_SLACK = timedelta(minutes=2)


def refresh_subscription(customer_id: str) -> User | None:
    """Fetch a customer from Stripe and save their subscription and invoices.

    Return the account, or None when it is gone. Nothing is locked while Stripe is called. Each refresh takes
    a sequence number before it asks Stripe, and saves the answer only when no later number was saved: the
    later answer already holds everything that the earlier one could tell.
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
        if number > row.applied_number:
            row.applied_number, row.refreshed_at = number, utcnow()
            _apply_snapshot(row, now)
            invoices.record_invoices(row.user_id, customer_id, now, plan_of)
        user = row.user
    db.session.refresh(user)
    return user


def known_customer_ids() -> list[str]:
    """Return the customer ids of all accounts that ever began to pay."""
    known = select(Subscription.stripe_customer_id).where(Subscription.stripe_customer_id.is_not(None))
    return [found for found in db.session.scalars(known.order_by(Subscription.id)) if found]


def overdue_customer_ids() -> list[str]:
    """Return the ids of customers whose period or plan has ended and who were not refreshed since."""
    then = utcnow() - OVERDUE_SLACK
    passed = or_(Subscription.current_period_end < then, Subscription.ends_at < then)
    live = Subscription.stripe_customer_id.is_not(None), Subscription.status.in_(LIVE_STATUSES)
    rows = db.session.scalars(select(Subscription).where(passed, *live)).all()
    return [str(row.stripe_customer_id) for row in rows if _missed_period_end(row, then)]


def _missed_period_end(row: Subscription, then: datetime) -> bool:
    """Return whether the last refresh was before the latest end of a period or plan."""
    times = [time for time in (row.current_period_end, row.ends_at) if time is not None and time < then]
    return row.refreshed_at is None or row.refreshed_at < max(times) + OVERDUE_SLACK


def _next_sequence_number(customer_id: str) -> int | None:
    """Take the next sequence number of a customer's refreshes; None when no account has this customer."""
    mine = update(Subscription).where(Subscription.stripe_customer_id == customer_id)
    with transaction() as session:
        number: int | None = session.scalar(
            mine.values(issued_number=Subscription.issued_number + 1).returning(Subscription.issued_number)
        )
    return number


def _apply_snapshot(row: Subscription, now: CustomerSnapshot) -> None:
    """Copy the subscription that counts to the account's row, or Free when there is none."""
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


def _current_subscription(now: CustomerSnapshot) -> tuple[StripeSubscription, Plan] | None:
    """Return the subscription that counts and its plan: a live one first, then the latest created."""
    ours = [(found, plan) for found in now.subscriptions if (plan := subscription_plan(found)) is not None]
    live = [found.id for found, _ in ours if found.status in LIVE_STATUSES]
    if len(live) > 1:
        log.error("more than one live subscription of one customer: %s", ", ".join(sorted(live)))
    key = {found.id: (found.status in LIVE_STATUSES, found.created_at, found.id) for found, _ in ours}
    return max(ours, key=lambda pair: key[pair[0].id], default=None)


def subscription_plan(found: StripeSubscription) -> Plan | None:
    """Return the plan that a subscription pays for, or None when it pays for another product."""
    return next((plan for item in found.items if (plan := plans.plan_for_price(item.price))), None)
