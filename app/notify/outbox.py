"""The outbox: messages enqueued in a transaction are sent after it, at least once and one per key."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from random import SystemRandom
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, or_, select, update

from app import tracing
from app.extensions import db, settings
from app.integrations import mailer
from app.integrations.payments import meters
from app.logs import redact_addresses
from app.models import OutboxMessage
from app.models.base import transaction, utcnow
from app.notify import account_mail, batch_mail, outbox_retention, webhook_delivery, webhook_turns
from app.notify.message_kinds import BATCH_DONE, METER_EVENT, WEBHOOK
from app.notify.webhook_standing import WEBHOOK_RETRY_S

log = logging.getLogger(__name__)

MAIL_RETRY_S = (30, 120, 600, 3600, 6 * 3600, 24 * 3600)
# Billable usage is reported until Stripe accepts it: the last pause repeats for ever.
METER_RETRY_S = (30, 120, 600, 1800)
JITTER = 0.1
# While one worker sends a message, no other worker claims it.
SENDING_LEASE = timedelta(minutes=2)


class ClaimedMessage(NamedTuple):
    """A message that this thread may send now, and whose it is."""

    message_id: int
    user_id: str | None


def enqueue(key: str, user_id: str | None, kind: str, payload: dict[str, Any]) -> None:
    """Add a message inside the caller's transaction, unless one with this key exists."""
    if db.session.scalar(select(OutboxMessage.id).where(OutboxMessage.key == key)) is None:
        db.session.add(OutboxMessage(key=key, user_id=user_id, kind=kind, payload=payload))
        db.session.flush()


def deliver_mails() -> int:
    """Send every mail that is due, one after another, and return how many were sent."""
    sent = 0
    while (claimed := claim_mail()) is not None:
        sent += deliver(claimed.message_id)
    return sent


def deliver_webhooks() -> int:
    """Send every webhook that is due, one after another, and return how many were."""
    sent = 0
    while (message_id := webhook_turns.claim_next()) is not None:
        sent += deliver(message_id)
    return sent


def has_due_webhooks() -> bool:
    """Return whether a webhook is due, even if its endpoint may not be sent a message now."""
    return webhook_turns.has_due()


def deliver_usage() -> int:
    """Report all billable usage that is due and return how many reports were accepted.

    Stops at the first failure: then Stripe is unreachable and the rest would fail as well.
    """
    sent = 0
    while (claimed := _claim_next(OutboxMessage.kind == METER_EVENT)) is not None and deliver(
        claimed.message_id
    ):
        sent += 1
    return sent


def claim_mail(busy_accounts: Iterable[str] = ()) -> ClaimedMessage | None:
    """Claim the next mail that is not for one of these accounts; mail about finished batches comes last."""
    busy = set(busy_accounts)
    other = or_(OutboxMessage.user_id.is_(None), OutboxMessage.user_id.not_in(busy))
    return _claim_next(OutboxMessage.kind.not_in((WEBHOOK, METER_EVENT)) & other)


def list_failed(limit: int = 200) -> list[OutboxMessage]:
    """Return unsent messages with an error, newest first; one without a next attempt has been given up."""
    unsent = OutboxMessage.sent_at.is_(None), OutboxMessage.last_error.is_not(None)
    return list(
        db.session.scalars(
            select(OutboxMessage).where(*unsent).order_by(OutboxMessage.id.desc()).limit(limit)
        )
    )


def resend(message_id: int) -> bool:
    """Make a message due now with a full set of attempts.

    Return False if it has been sent meanwhile, or has nobody to be sent to any more.
    """
    unsent = OutboxMessage.id == message_id, OutboxMessage.sent_at.is_(None)
    with transaction() as session:
        message = session.scalar(select(OutboxMessage).where(*unsent).with_for_update())
        if message is None or not message.may_be_sent:
            return False
        message.next_try_at, message.attempts = utcnow(), 0
    return True


def deliver(message_id: int) -> bool:
    """Send a message that this thread has claimed, and return whether it was sent."""
    message = db.session.get(OutboxMessage, message_id)
    if message is None:  # since the claim, its account was closed or its endpoint removed
        return False
    attempts = message.attempts
    try:
        with tracing.continue_trace(message.trace_parent), tracing.span(f"send {message.kind}", "consumer"):
            _send(message)
    except Exception as error:
        # Whatever the error is, this message is tried again later and the others are still sent.
        db.session.rollback()
        log.warning("outbox %s attempt %s failed", message_id, attempts, exc_info=True)
        _postpone(message_id, attempts, f"{type(error).__name__}: {error}")
        return False
    spent = outbox_retention.spent_values(message)
    _update_message(message_id, sent_at=utcnow(), next_try_at=None, last_error=None, **spent)
    log.info("outbox %s sent", message_id)
    return True


def _due_messages(which: ColumnElement[bool]) -> Select[OutboxMessage]:
    now = OutboxMessage.sent_at.is_(None), OutboxMessage.next_try_at <= utcnow()
    in_order = (OutboxMessage.kind == BATCH_DONE, OutboxMessage.next_try_at)
    return select(OutboxMessage).where(which, *now).order_by(*in_order).limit(1)


def _claim_next(which: ColumnElement[bool]) -> ClaimedMessage | None:
    """Claim the next due message for SENDING_LEASE, so that two workers never send the same one."""
    if db.session.scalar(_due_messages(which)) is None:
        return None
    with transaction() as session:
        message = session.scalar(_due_messages(which).with_for_update(skip_locked=True))
        if message is None:
            return None
        message.attempts += 1
        message.next_try_at = utcnow() + SENDING_LEASE
        return ClaimedMessage(message.id, message.user_id)


def _send(message: OutboxMessage) -> None:
    if not message.may_be_sent:
        return
    if message.kind == WEBHOOK:
        webhook_delivery.deliver_message(message)
        return
    if message.kind == METER_EVENT:
        usage = dict(message.payload)
        db.session.commit()  # no transaction is open while waiting for Stripe
        meters.report_upload(settings(), usage["customer_id"], usage["identifier"], usage["at"])
        return
    mail = (batch_mail if message.kind == BATCH_DONE else account_mail).compose(message)
    db.session.commit()  # no transaction is open while waiting for the mail server
    if mail is not None and not outbox_retention.is_closed_address(mail.to):
        mailer.send_mail(mail, settings())


def _postpone(message_id: int, attempts: int, error: str) -> None:
    """Schedule the next attempt. Webhooks get some jitter, so that they do not all hit a receiver at once."""
    message = db.session.get(OutboxMessage, message_id)
    if message is None:
        return
    is_webhook = message.kind == WEBHOOK
    wait_s = _retry_delay_s(message.kind, attempts)
    if wait_s is None and is_webhook:
        webhook_delivery.disable_after_failures(message)
    spread = SystemRandom().uniform(1 - JITTER, 1 + JITTER) if is_webhook else 1.0
    next_try = None if wait_s is None else utcnow() + timedelta(seconds=wait_s * spread)
    if next_try is not None and is_webhook:
        next_try = max(next_try, webhook_delivery.paused_until(message) or next_try)
    # A message that is given up keeps its address for a while, so that an operator can send it again.
    _update_message(message_id, next_try_at=next_try, last_error=redact_addresses(error))


def _retry_delay_s(kind: str, attempts: int) -> float | None:
    """Return the seconds until the next attempt, or None if this was the last one."""
    if kind == METER_EVENT:
        return METER_RETRY_S[min(attempts, len(METER_RETRY_S)) - 1]
    waits = WEBHOOK_RETRY_S if kind == WEBHOOK else MAIL_RETRY_S
    return waits[attempts - 1] if attempts <= len(waits) else None


def _update_message(message_id: int, **values: Any) -> None:
    with transaction() as session:
        session.execute(update(OutboxMessage).where(OutboxMessage.id == message_id).values(**values))
