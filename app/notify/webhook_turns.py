"""Choose the webhook to send next, so that no receiver holds up the messages to another.

An endpoint gets one message at a time. A few messages of an account may be sent at once, and only one after
it has used up its time for the hour. Endpoints that failed last time may use only some of the slots, so that
those that answer always find one. The account with the fewest messages being sent goes first.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, Select, case, func, or_, select, update
from sqlalchemy.orm import aliased

from app.extensions import db
from app.models import OutboxMessage, User, WebhookDelivery, WebhookEndpoint
from app.models.base import transaction, utcnow
from app.notify.message_kinds import WEBHOOK
from app.notify.webhook_standing import hour_number

ACCOUNT_SLOTS = 3
ACCOUNT_BUDGET_S = 300.0  # in an hour
FAILING_SLOTS = 8  # of all accounts together
# How long an endpoint and a message stay claimed when their worker dies. Sending takes 15 s at most.
LEASE = timedelta(minutes=1)
# When two claims choose the same account at once, one of them may find its last slot taken and retry.
MAX_CLAIM_RACES, MAX_ADOPTED = 10, 500


def claim_next() -> int | None:
    """Claim the next webhook and its endpoint, and return the message's id; None when none may be sent now.

    An endpoint is chosen first, then its account is locked and the choice is checked again, so that
    simultaneous claims do not exceed the account's slots.
    """
    if not has_due():
        return None
    _adopt_messages()
    for _ in range(MAX_CLAIM_RACES):
        chosen = db.session.execute(_select_endpoint()).first()
        if chosen is None:
            db.session.commit()
            return None
        message_id = _claim(*chosen)
        if message_id is not None:
            return message_id
    return None


def has_due() -> bool:
    """Return whether a webhook is due, even if it may not be sent now."""
    due = (
        OutboxMessage.kind == WEBHOOK,
        OutboxMessage.sent_at.is_(None),
        OutboxMessage.next_try_at <= utcnow(),
    )
    return db.session.scalar(select(OutboxMessage.id).where(*due).limit(1)) is not None


def _claim(endpoint_id: str, user_id: str) -> int | None:
    now = utcnow()
    with transaction() as session:
        session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
        wanted = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id, *_may_send())
        endpoint = session.scalar(
            wanted.with_for_update(key_share=True, skip_locked=True, of=WebhookEndpoint)
        )
        if endpoint is None:
            return None
        due = OutboxMessage.endpoint_id == endpoint_id, OutboxMessage.next_try_at <= now
        first = (
            select(OutboxMessage).where(*due).order_by(OutboxMessage.next_try_at, OutboxMessage.id).limit(1)
        )
        message = session.scalar(first.with_for_update(skip_locked=True))
        if message is None:
            return None
        endpoint.sending_until = message.next_try_at = now + LEASE
        message.attempts += 1
        return message.id


def _select_endpoint() -> Select[str, str]:
    first_due = _first_due()
    ready = select(WebhookEndpoint.id, WebhookEndpoint.user_id).where(first_due <= utcnow(), *_may_send())
    return ready.order_by(_count_sending(), first_due).limit(1)


def _first_due() -> ScalarSelect[datetime | None]:
    messages = select(func.min(OutboxMessage.next_try_at))
    return messages.where(OutboxMessage.endpoint_id == WebhookEndpoint.id).scalar_subquery()


def _may_send() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions under which an endpoint may be sent a message now."""
    idle = or_(WebhookEndpoint.sending_until.is_(None), WebhookEndpoint.sending_until <= utcnow())
    allowed = case((_spent_s() >= ACCOUNT_BUDGET_S, 1), else_=ACCOUNT_SLOTS)
    sound = WebhookEndpoint.failures == 0
    has_place = (_count_sending(failing=True) == 0) & (_count_failing() < FAILING_SLOTS)
    return idle, _count_sending() < allowed, or_(sound, has_place)


def _count_sending(failing: bool = False) -> ScalarSelect[int]:
    """Return how many endpoints (or failing endpoints) of the same account are being sent a message."""
    other = aliased(WebhookEndpoint)
    sending = select(func.count()).where(
        other.user_id == WebhookEndpoint.user_id,
        other.sending_until > utcnow(),
        other.failures >= int(failing),
    )
    return sending.correlate(WebhookEndpoint).scalar_subquery()


def _count_failing() -> ScalarSelect[int]:
    """Return how many failing endpoints of all accounts are being sent a message."""
    other = aliased(WebhookEndpoint)
    return select(func.count()).where(other.sending_until > utcnow(), other.failures > 0).scalar_subquery()


def _spent_s() -> ScalarSelect[float]:
    """Return the seconds that sending has taken for the same account in this hour."""
    other = aliased(WebhookEndpoint)
    spent = select(func.coalesce(func.sum(other.spent_s), 0.0)).where(
        other.user_id == WebhookEndpoint.user_id, other.spent_hour == hour_number(utcnow())
    )
    return spent.correlate(WebhookEndpoint).scalar_subquery()


def _adopt_messages() -> None:
    """Fill in the endpoint of messages that the previous version enqueued."""
    orphan = OutboxMessage.kind == WEBHOOK, OutboxMessage.endpoint_id.is_(None)
    unsent = (
        select(OutboxMessage.id).where(*orphan, OutboxMessage.next_try_at.is_not(None)).limit(MAX_ADOPTED)
    )
    if not (ids := db.session.scalars(unsent).all()):
        return
    with transaction() as session:
        for message in session.scalars(select(OutboxMessage).where(OutboxMessage.id.in_(ids))):
            delivery = session.get(WebhookDelivery, message.payload["delivery_id"])
            if delivery is not None:
                message.endpoint_id = delivery.endpoint_id
            else:  # the endpoint is gone, and its deliveries with it
                done = update(OutboxMessage).where(OutboxMessage.id == message.id)
                session.execute(done.values(sent_at=utcnow(), next_try_at=None))
