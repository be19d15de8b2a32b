"""Outgoing webhooks (Standard Webhooks 1.0): promised with what they tell of, signed, sent, logged."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from app.extensions import db, settings
from app.integrations import webhook_client
from app.models import OutboxMessage, WebhookDelivery, WebhookEndpoint
from app.models.base import transaction, utcnow
from app.models.ownership import RowNotFoundError
from app.models.user import User
from app.models.webhook_endpoint import EVENTS
from app.notify import message_kinds

SECRET_PREFIX, SECRET_BYTES = "whsec_", 32
MAX_ENDPOINTS, MAX_LISTED_DELIVERIES = 10, 50
LOG_LIFETIME = timedelta(days=30)
HTTP_GONE = 410


class TooManyEndpointsError(Exception):
    """The account has as many endpoints as it may have."""


class WebhookRejectedError(Exception):
    """The receiver did not take it; the message says what it answered."""


def add_endpoint(user: User, url: str, events: list[str]) -> WebhookEndpoint:
    """A new endpoint with a secret of its own. Raises RefusedUrlError for an address not to be talked to."""
    webhook_client.parse_url(url, settings().webhooks_to_loopback)
    endpoint = WebhookEndpoint(
        user_id=user.id,
        url=url,
        secret=SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
        events=[event for event in EVENTS if event in events],
    )
    with transaction() as session:
        if len(list_endpoints(user)) >= MAX_ENDPOINTS:
            raise TooManyEndpointsError
        session.add(endpoint)
    return endpoint


def list_endpoints(user: User) -> list[WebhookEndpoint]:
    mine = select(WebhookEndpoint).where(WebhookEndpoint.user_id == user.id)
    return list(db.session.scalars(mine.order_by(WebhookEndpoint.id)))


def find_delivery(endpoint: WebhookEndpoint, delivery_id: str) -> WebhookDelivery:
    """The delivery of this endpoint, or 404."""
    wanted = WebhookDelivery.id == delivery_id, WebhookDelivery.endpoint_id == endpoint.id
    delivery = db.session.scalar(select(WebhookDelivery).where(*wanted))
    if delivery is None:
        raise RowNotFoundError
    return delivery


def list_deliveries(endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
    lines = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint.id)
    return list(db.session.scalars(lines.order_by(WebhookDelivery.id.desc()).limit(MAX_LISTED_DELIVERIES)))


def remove_endpoint(endpoint: WebhookEndpoint) -> None:
    with transaction() as session:
        session.execute(delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id))


def enable_endpoint(endpoint: WebhookEndpoint) -> None:
    with transaction():
        endpoint.disabled_at = endpoint.disabled_because = None


def enqueue_event(user_id: str, event: str, subject: str, data: dict[str, Any]) -> None:
    """Tell every endpoint that wants this event, inside the caller's transaction.

    The same event of the same subject again is the same message.
    """
    live = WebhookEndpoint.user_id == user_id, WebhookEndpoint.disabled_at.is_(None)
    endpoints = db.session.scalars(select(WebhookEndpoint).where(*live)).all()
    body = json.dumps({"type": event, "timestamp": utcnow().isoformat(), "data": data}, default=_to_json)
    for endpoint in endpoints:
        if event in endpoint.events:
            _enqueue_delivery(endpoint, event, f"msg_{subject}", body)


def replay_delivery(delivery: WebhookDelivery) -> None:
    """The same message once more, with all its tries, under the same id."""
    with transaction():
        number = delivery.tries
        _enqueue_message(delivery, f":replay{number}")


def deliver_message(message: OutboxMessage) -> None:
    """One try. Raises NotTakenError, or what the client raises, when it is to be tried again."""
    delivery = db.session.get(WebhookDelivery, message.payload["delivery_id"])
    if delivery is None or delivery.endpoint.disabled_at is not None:
        return
    endpoint, delivery_id = delivery.endpoint, delivery.id
    url, body = endpoint.url, delivery.body.encode()
    headers = signed_headers(endpoint.secret, delivery.message_id, body)
    db.session.commit()  # no transaction is open while the receiver is talked to
    try:
        status = webhook_client.post_webhook(url, body, headers, settings().webhooks_to_loopback)
    except (webhook_client.RefusedUrlError, webhook_client.NotDeliveredError) as error:
        _record_attempt(delivery_id, None, str(error))
        raise
    _record_attempt(delivery_id, status, None if status // 100 == 2 else f"It answered {status}.")
    if status == HTTP_GONE:
        disable_endpoint(delivery_id, "It answered 410 Gone.")
    elif status // 100 != 2:
        raise WebhookRejectedError(f"{status}")


def disable_after_failures(message: OutboxMessage) -> None:
    """Every try has failed: the endpoint is disabled until its owner has looked at it."""
    disable_endpoint(message.payload["delivery_id"], "A message could not be delivered in three days.")


def disable_endpoint(delivery_id: str, because: str) -> None:
    with transaction() as session:
        delivery = session.get(WebhookDelivery, delivery_id)
        if delivery is not None and delivery.endpoint.disabled_at is None:
            delivery.endpoint.disabled_at, delivery.endpoint.disabled_because = utcnow(), because


def purge_old_deliveries() -> None:
    with transaction() as session:
        old = WebhookDelivery.created_at < utcnow() - LOG_LIFETIME
        session.execute(delete(WebhookDelivery).where(old))


def signed_headers(secret: str, message_id: str, body: bytes, at: datetime | None = None) -> dict[str, str]:
    """The three headers a receiver checks: the signature is over id, time and body."""
    timestamp = str(int((at or utcnow()).timestamp()))
    content = f"{message_id}.{timestamp}.".encode() + body
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
        "Content-Type": "application/json",
        "User-Agent": "sp404mk2-sample-agent",
    }


def _enqueue_delivery(endpoint: WebhookEndpoint, event: str, message_id: str, body: str) -> None:
    same = WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.message_id == message_id
    if db.session.scalar(select(WebhookDelivery.id).where(*same)) is not None:
        return
    delivery = WebhookDelivery(endpoint=endpoint, message_id=message_id, event=event, body=body)
    db.session.add(delivery)
    db.session.flush()
    _enqueue_message(delivery, "")


def _enqueue_message(delivery: WebhookDelivery, again: str) -> None:
    key = f"hook:{delivery.id}{again}"
    if db.session.scalar(select(OutboxMessage.id).where(OutboxMessage.key == key)) is not None:
        return
    db.session.add(
        OutboxMessage(
            key=key,
            user_id=delivery.endpoint.user_id,
            kind=message_kinds.WEBHOOK,
            payload={"delivery_id": delivery.id},
        )
    )
    db.session.flush()


def _record_attempt(delivery_id: str, status: int | None, error: str | None) -> None:
    with transaction() as session:
        delivery = session.get(WebhookDelivery, delivery_id)
        if delivery is None:
            return
        delivery.tries += 1
        delivery.status, delivery.error, delivery.tried_at = status, error, utcnow()
        if error is None:
            delivery.delivered_at = utcnow()


def _to_json(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value))
