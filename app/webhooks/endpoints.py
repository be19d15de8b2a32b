"""Manage a user's webhook endpoints: add, list, enable and remove them, and replay a delivery."""

from __future__ import annotations

import base64
import secrets

from sqlalchemy import delete, select

from app.extensions import db, settings
from app.integrations import webhook_client
from app.models import WebhookDelivery, WebhookEndpoint
from app.models.base import transaction
from app.models.ownership import RowNotFoundError
from app.models.user import User
from app.models.webhook_endpoint import EVENTS
from app.notify import webhook_delivery, webhook_standing

SECRET_PREFIX, SECRET_BYTES = "whsec_", 32  # Standard Webhooks 1.0 allows keys of 24 to 64 bytes
MAX_ENDPOINTS, MAX_LISTED_DELIVERIES = 10, 50


class TooManyEndpointsError(Exception):
    """The account has as many endpoints as it may have."""


def add_endpoint(user: User, url: str, events: list[str]) -> WebhookEndpoint:
    """Add an endpoint with its own signing secret.

    Raises public_addresses.RefusedUrlError for an address that must not be called, and TooManyEndpointsError.
    """
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
    """Return the user's endpoints, oldest first."""
    owned = select(WebhookEndpoint).where(WebhookEndpoint.user_id == user.id)
    return list(db.session.scalars(owned.order_by(WebhookEndpoint.id)))


def find_delivery(endpoint: WebhookEndpoint, delivery_id: str) -> WebhookDelivery:
    """Return the delivery with this id if it belongs to the endpoint, or raise RowNotFoundError (404)."""
    wanted = WebhookDelivery.id == delivery_id, WebhookDelivery.endpoint_id == endpoint.id
    delivery = db.session.scalar(select(WebhookDelivery).where(*wanted))
    if delivery is None:
        raise RowNotFoundError
    return delivery


def list_deliveries(endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
    """Return the endpoint's latest deliveries, newest first."""
    deliveries = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint.id)
    newest_first = deliveries.order_by(WebhookDelivery.id.desc()).limit(MAX_LISTED_DELIVERIES)
    return list(db.session.scalars(newest_first))


def remove_endpoint(endpoint: WebhookEndpoint) -> None:
    """Delete the endpoint and, through its foreign key, its delivery log."""
    with transaction() as session:
        session.execute(delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id))


def enable_endpoint(endpoint: WebhookEndpoint) -> None:
    """Enable a disabled endpoint again, as if it had never failed."""
    with transaction():
        endpoint.disabled_at = endpoint.disabled_because = None
        webhook_standing.reset_standing(endpoint)


def replay_delivery(delivery: WebhookDelivery) -> None:
    """Queue the same message again with a full set of attempts, under the same message id."""
    with transaction():
        webhook_delivery.enqueue_delivery(delivery, f":replay{delivery.tries}")
