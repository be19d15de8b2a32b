"""Deliver outgoing webhooks (Standard Webhooks 1.0): enqueue, sign and send events, and log the result."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from standardwebhooks import Webhook

from app.extensions import db, settings
from app.integrations import webhook_client
from app.integrations.public_addresses import RefusedUrlError
from app.models import OutboxMessage, WebhookDelivery, WebhookEndpoint
from app.models.base import transaction, utcnow
from app.notify import message_kinds, webhook_standing

LOG_LIFETIME = timedelta(days=30)
HTTP_GONE = 410


class WebhookRejectedError(Exception):
    """The receiver answered with something other than 2xx; the message is the status."""


def enqueue_event(user_id: str, event: str, subject: str, data: dict[str, Any]) -> None:
    """Enqueue an event for every live endpoint that subscribed to it, inside the caller's transaction.

    Calling it twice for the same event and subject enqueues one message.
    """
    live = WebhookEndpoint.user_id == user_id, WebhookEndpoint.disabled_at.is_(None)
    endpoints = db.session.scalars(select(WebhookEndpoint).where(*live)).all()
    body = json.dumps({"type": event, "timestamp": utcnow().isoformat(), "data": data}, default=_to_json)
    for endpoint in endpoints:
        if event in endpoint.events:
            _add_delivery(endpoint, event, f"msg_{subject}", body)


def enqueue_delivery(delivery: WebhookDelivery, key_suffix: str = "") -> None:
    """Add the outbox message that sends a delivery, inside the caller's transaction.

    The suffix distinguishes a replay from the first sending; the same suffix adds nothing a second time. A
    replay does not wait while the endpoint is paused, because its owner asked for it.
    """
    key = f"hook:{delivery.id}{key_suffix}"
    if db.session.scalar(select(OutboxMessage.id).where(OutboxMessage.key == key)) is not None:
        return
    endpoint = delivery.endpoint
    message = OutboxMessage(
        key=key,
        user_id=endpoint.user_id,
        kind=message_kinds.WEBHOOK,
        endpoint_id=endpoint.id,
        payload={"delivery_id": delivery.id},
    )
    if endpoint.is_paused and not key_suffix:
        message.next_try_at = endpoint.paused_until
    db.session.add(message)
    db.session.flush()


def deliver_message(message: OutboxMessage) -> None:
    """Send a delivery once, and record how its endpoint answered.

    Raises WebhookRejectedError, RefusedUrlError or NotDeliveredError when it should be tried again.
    """
    delivery = db.session.get(WebhookDelivery, message.payload["delivery_id"])
    if delivery is None or delivery.endpoint.disabled_at is not None:
        _end_turn(message.endpoint_id)
        return
    endpoint, delivery_id, message_id = delivery.endpoint, delivery.id, message.id
    url, body = endpoint.url, delivery.body
    headers = signed_headers(endpoint.secret, delivery.message_id, body)
    db.session.commit()  # no transaction is open while waiting for the receiver
    started = time.monotonic()
    try:
        status = webhook_client.post_webhook(url, body.encode(), headers, settings().webhooks_to_loopback)
    except (RefusedUrlError, webhook_client.NotDeliveredError) as error:
        _record_attempt(message_id, delivery_id, time.monotonic() - started, None, str(error))
        raise
    error_text = None if status // 100 == 2 else f"It answered {status}."
    _record_attempt(message_id, delivery_id, time.monotonic() - started, status, error_text)
    if status // 100 != 2 and status != HTTP_GONE:
        raise WebhookRejectedError(f"{status}")


def disable_after_failures(message: OutboxMessage) -> None:
    """Disable the endpoint because every attempt failed; its owner can enable it again."""
    with transaction() as session:
        delivery = session.get(WebhookDelivery, message.payload["delivery_id"])
        if delivery is not None:
            webhook_standing.disable_endpoint(delivery.endpoint, webhook_standing.UNDELIVERED)


def paused_until(message: OutboxMessage) -> datetime | None:
    """Return until when the endpoint of a message is paused, if it is."""
    endpoint = db.session.get(WebhookEndpoint, message.endpoint_id or "")
    return endpoint.paused_until if endpoint is not None else None


def purge_old_deliveries() -> None:
    """Delete log lines older than LOG_LIFETIME."""
    with transaction() as session:
        old = WebhookDelivery.created_at < utcnow() - LOG_LIFETIME
        session.execute(delete(WebhookDelivery).where(old))


def signed_headers(secret: str, message_id: str, body: str) -> dict[str, str]:
    """Return the headers to send with a body; the signature covers message id, time and body."""
    sent_at = utcnow()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, sent_at, body),
        "Content-Type": "application/json",
        "User-Agent": "sp404mk2-sample-agent",
    }


def _add_delivery(endpoint: WebhookEndpoint, event: str, message_id: str, body: str) -> None:
    same = WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.message_id == message_id
    if db.session.scalar(select(WebhookDelivery.id).where(*same)) is not None:
        return
    delivery = WebhookDelivery(endpoint=endpoint, message_id=message_id, event=event, body=body)
    db.session.add(delivery)
    db.session.flush()
    enqueue_delivery(delivery)


def _record_attempt(
    message_id: int, delivery_id: str, took_s: float, status: int | None, error: str | None
) -> None:
    with transaction() as session:
        delivery = session.get(WebhookDelivery, delivery_id)
        if delivery is None:
            return
        delivery.tries += 1
        delivery.status, delivery.error, delivery.tried_at = status, error, utcnow()
        if error is None:
            delivery.delivered_at = utcnow()
        webhook_standing.record_outcome(delivery.endpoint, message_id, took_s, error is None)
        if status == HTTP_GONE:
            webhook_standing.disable_endpoint(delivery.endpoint, "It answered 410 Gone.")


def _end_turn(endpoint_id: str | None) -> None:
    """Let the endpoint's next message be sent, because this one was not."""
    with transaction() as session:
        turn = update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id)
        session.execute(turn.values(sending_until=None))


def _to_json(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value))
