"""Store Stripe's webhook events once by their id, and apply them by fetching the customer's present state.

An event that fails is tried again until it works.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Select, delete, select, update

from app.billing import invoices, subscription_refresh
from app.extensions import db, settings
from app.integrations import payments
from app.integrations.payments.snapshot import StripeEvent
from app.logs import redact_addresses
from app.models import PaymentEvent, Subscription, User
from app.models.base import transaction, utcnow

log = logging.getLogger(__name__)

RETRY_S = (10, 60, 300, 1800)  # then every 1800 seconds: an event is never given up
RETENTION = timedelta(days=90)

PlanChangeCallback = Callable[[User], object]


def store_event(event: StripeEvent) -> bool:
    """Store an event that may change something here; return False for any other, or one stored before."""
    if event.type not in payments.EVENT_TYPES or not _may_concern_us(event):
        return False
    with transaction() as session:
        if session.get(PaymentEvent, event.id) is not None:
            return False
        session.add(
            PaymentEvent(
                id=event.id,
                type=event.type,
                customer_id=event.customer_id,
                charge_id=event.charge_id,
                created_at=event.created_at,
            )
        )
    return True


def apply_due_events(moved: PlanChangeCallback) -> None:
    """Refresh each customer who has events due, once for all of them.

    `moved` is called with the account and applies what follows from its plan. Only then are the events marked
    as applied.
    """
    due = list(db.session.scalars(_due_events()))
    by_customer: dict[tuple[str | None, str | None], list[str]] = {}
    for event in due:
        key = (event.customer_id, None if event.customer_id else event.charge_id)
        by_customer.setdefault(key, []).append(event.id)
    for (customer_id, charge_id), ids in by_customer.items():
        try:
            _refresh_customer(customer_id, charge_id, moved)
        except Exception as error:
            # Whatever went wrong, this customer's events wait and the others' are applied.
            db.session.rollback()
            log.warning("could not apply events %s", ", ".join(ids), exc_info=True)
            _postpone(ids, redact_addresses(f"{type(error).__name__}: {error}")[:300])
        else:
            _mark_applied(ids)


def has_due_events() -> bool:
    """Return whether an event waits to be applied now."""
    return db.session.scalar(_due_events().limit(1)) is not None


def replay_event(event_id: str) -> bool:
    """Make an event due again; return False when there is none of this id."""
    event = update(PaymentEvent).where(PaymentEvent.id == event_id)
    values = {"applied_at": None, "next_try_at": utcnow(), "tries": 0, "error": None}
    with transaction() as session:
        return session.scalar(event.values(**values).returning(PaymentEvent.id)) is not None


def latest_events(limit: int = 100) -> list[PaymentEvent]:
    """Return the events that were received last, the newest first."""
    newest = select(PaymentEvent).order_by(PaymentEvent.received_at.desc(), PaymentEvent.id.desc())
    return list(db.session.scalars(newest.limit(limit)))


def purge_applied() -> None:
    """Delete events that were applied and are older than `RETENTION`."""
    with transaction() as session:
        old = PaymentEvent.received_at < utcnow() - RETENTION, PaymentEvent.applied_at.is_not(None)
        session.execute(delete(PaymentEvent).where(*old))


def _may_concern_us(event: StripeEvent) -> bool:
    """Return whether an event may be about a customer of ours; other products may share the Stripe account.

    A dispute names a charge and no customer, so it is kept until Stripe can be asked whose it is.
    """
    if event.customer_id is None:
        return event.charge_id is not None
    known = select(Subscription.id).where(Subscription.stripe_customer_id == event.customer_id)
    return db.session.scalar(known) is not None or invoices.is_known_customer(event.customer_id)


def _refresh_customer(customer_id: str | None, charge_id: str | None, moved: PlanChangeCallback) -> None:
    """Fetch the customer of an event, found by its charge if need be, and tell `moved` of the account."""
    if customer_id is None and charge_id is not None:
        db.session.commit()  # no transaction may be open while Stripe is called
        customer_id = payments.customer_of_charge(settings(), charge_id)
    if customer_id is None:
        return
    user = subscription_refresh.refresh_subscription(customer_id)
    if user is not None:
        moved(user)


def _due_events() -> Select[PaymentEvent]:
    """Select the events to apply now, in the order they were received."""
    due = PaymentEvent.applied_at.is_(None), PaymentEvent.next_try_at <= utcnow()
    return select(PaymentEvent).where(*due).order_by(PaymentEvent.received_at).limit(500)


def _mark_applied(ids: list[str]) -> None:
    with transaction() as session:
        done = update(PaymentEvent).where(PaymentEvent.id.in_(ids))
        session.execute(done.values(applied_at=utcnow(), error=None))


def _postpone(ids: list[str], error: str) -> None:
    """Note the error and make each event due again after its next wait."""
    with transaction() as session:
        for event in session.scalars(select(PaymentEvent).where(PaymentEvent.id.in_(ids))):
            wait = RETRY_S[min(event.tries, len(RETRY_S) - 1)]
            event.tries, event.error = event.tries + 1, error
            event.next_try_at = utcnow() + timedelta(seconds=wait)
