"""Record how an endpoint has answered lately, and pause one that keeps failing: a circuit breaker.

After a few failures in a row all of an endpoint's messages wait. Then one of them is tried: if it arrives,
the others follow at once; if not, they wait longer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update

from app.extensions import db
from app.models import OutboxMessage, WebhookEndpoint
from app.models.base import utcnow

# The schedule of Standard Webhooks: after three days of failures the endpoint is disabled.
WEBHOOK_RETRY_S = (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
UNDELIVERED = "A message could not be delivered for three days."
FAILING_FOR = timedelta(seconds=sum(WEBHOOK_RETRY_S))
# This many failures in a row pause an endpoint.
PAUSED_AFTER = 3


def record_outcome(endpoint: WebhookEndpoint, message_id: int, took_s: float, is_delivered: bool) -> None:
    """Record the end of an attempt inside the caller's transaction, and let the next message be sent.

    The message just tried is not rescheduled here; the outbox decides when it is tried again.
    """
    endpoint.sending_until = None
    hour = hour_number(utcnow())
    endpoint.spent_s = took_s + (endpoint.spent_s if endpoint.spent_hour == hour else 0.0)
    endpoint.spent_hour = hour
    if is_delivered:
        reset_standing(endpoint, message_id)
    else:
        _count_failure(endpoint, message_id)


def reset_standing(endpoint: WebhookEndpoint, message_id: int | None = None) -> None:
    """Forget an endpoint's failures and make its waiting messages due now, inside the caller's transaction.

    The message that has just been sent is left as it is.
    """
    if endpoint.paused_until is not None:
        _move_messages(endpoint, message_id, until=endpoint.paused_until, to=utcnow())
    endpoint.failures, endpoint.failing_since, endpoint.paused_until = 0, None, None


def disable_endpoint(endpoint: WebhookEndpoint, because: str) -> None:
    """Disable an endpoint and store why, inside the caller's transaction; do nothing if it is disabled."""
    if endpoint.disabled_at is None:
        endpoint.disabled_at, endpoint.disabled_because = utcnow(), because


def hour_number(now: datetime) -> int:
    """Return the number of the hour since 1970, for which seconds of sending are counted."""
    return int(now.timestamp()) // 3600


def _count_failure(endpoint: WebhookEndpoint, message_id: int) -> None:
    now = utcnow()
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    if endpoint.failures < PAUSED_AFTER:
        return
    if now - endpoint.failing_since > FAILING_FOR:
        disable_endpoint(endpoint, UNDELIVERED)
        return
    step = min(endpoint.failures - PAUSED_AFTER + 1, len(WEBHOOK_RETRY_S) - 1)
    endpoint.paused_until = now + timedelta(seconds=WEBHOOK_RETRY_S[step])
    _move_messages(endpoint, message_id, until=endpoint.paused_until, to=endpoint.paused_until)


def _move_messages(endpoint: WebhookEndpoint, but: int | None, until: datetime, to: datetime) -> None:
    """Reschedule to `to` every unsent message of the endpoint, except `but`, that is due by `until`."""
    waiting = OutboxMessage.endpoint_id == endpoint.id, OutboxMessage.next_try_at <= until
    others = update(OutboxMessage).where(*waiting, OutboxMessage.id != (but or 0))
    db.session.execute(others.values(next_try_at=to))
