"""What Stripe says has happened: signed hints, after which the present state is asked for."""

from __future__ import annotations

import stripe

from app.config import Settings
from app.integrations.payments.connection import stripe_client
from app.integrations.payments.snapshot import StripeEvent

SIGNATURE_TOLERANCE_S = 300
# The events that a webhook endpoint at Stripe is to send; of any other nothing would follow.
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
    """The event of a webhook that Stripe has signed within five minutes; None for any other.

    While the secret is being changed there are two, and either will do.
    """
    for secret in (settings.stripe_webhook_secret or "").replace(",", " ").split():
        try:
            event = stripe_client(settings).construct_event(body, header, secret, SIGNATURE_TOLERANCE_S)
            return StripeEvent.read(event.to_dict())
        except (stripe.SignatureVerificationError, ValueError, KeyError, AttributeError, TypeError):
            continue
    return None
