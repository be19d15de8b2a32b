"""Verify and read the events that Stripe sends to our webhook."""

from __future__ import annotations

import stripe

from app.config import Settings
from app.integrations.payments.connection import stripe_client
from app.integrations.payments.snapshot import StripeEvent

SIGNATURE_TOLERANCE_S = 300
# The events that Stripe should send to our endpoint; we would do nothing with any other.
EVENT_TYPES = (
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.refunded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.finalization_failed",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "payment_method.automatically_updated",
)


def read_event(settings: Settings, body: bytes, header: str | None) -> StripeEvent | None:
    """Return the event of a webhook that Stripe signed within the last five minutes; None for any other.

    While the secret is being changed there are two of them, and either is accepted.
    """
    for secret in (settings.stripe_webhook_secret or "").replace(",", " ").split():
        try:
            event = stripe_client(settings).construct_event(body, header, secret, SIGNATURE_TOLERANCE_S)
            return StripeEvent.from_stripe(event.to_dict())
        except (stripe.SignatureVerificationError, ValueError, KeyError, AttributeError, TypeError):
            continue
    return None
