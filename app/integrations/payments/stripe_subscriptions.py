"""Preview a subscription's invoices, change its plan, cancel and end it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.config import Settings
from app.integrations.payments.connection import (
    RESOURCE_MISSING,
    PaymentsError,
    make_idempotency_key,
    map_stripe_errors,
    stripe_client,
)
from app.integrations.payments.snapshot import StripeInvoice, StripeSubscription

if TYPE_CHECKING:
    from stripe.params import InvoiceCreatePreviewParams

NO_UPCOMING_INVOICE = "invoice_upcoming_none"


def get_invoice(settings: Settings, invoice_id: str) -> StripeInvoice:
    """Return an invoice with links that work now; they expire, so they are not stored."""
    with map_stripe_errors():
        return StripeInvoice.from_stripe(stripe_client(settings).v1.invoices.retrieve(invoice_id).to_dict())


def preview_next_invoice(settings: Settings, subscription_id: str) -> StripeInvoice | None:
    """Return what the next invoice will be, or None when there will be none."""
    try:
        with map_stripe_errors():
            return _preview_invoice(settings, {"subscription": subscription_id})
    except PaymentsError as error:
        if error.code == NO_UPCOMING_INVOICE:
            return None
        raise


def preview_plan_change(
    settings: Settings, subscription_id: str, item_id: str, price: str, at: int
) -> StripeInvoice:
    """Return the invoice that a change of plan at that second would charge at once."""
    with map_stripe_errors():
        return _preview_invoice(
            settings,
            {
                "subscription": subscription_id,
                "subscription_details": {
                    "items": [{"id": item_id, "price": price}],
                    "proration_behavior": "always_invoice",
                    "proration_date": at,
                },
            },
        )


def change_plan(
    settings: Settings, subscription_id: str, item_id: str, price: str, at: int
) -> StripeSubscription:
    """Change the plan and charge what was previewed. The old plan stays until that is paid."""
    with map_stripe_errors():
        changed = stripe_client(settings).v1.subscriptions.update(
            subscription_id,
            {
                "items": [{"id": item_id, "price": price}],
                "proration_behavior": "always_invoice",
                "proration_date": at,
                "payment_behavior": "pending_if_incomplete",
            },
            {"idempotency_key": make_idempotency_key("swap", subscription_id, item_id, price, at)},
        )
        return StripeSubscription.from_stripe(changed.to_dict())


def cancel_at_period_end(settings: Settings, subscription_id: str, cancel: bool) -> None:
    """Cancel a subscription at the end of its period, or take that back; safe to repeat."""
    subscriptions = stripe_client(settings).v1.subscriptions
    with map_stripe_errors():
        if not cancel and subscriptions.retrieve(subscription_id).cancel_at is not None:
            subscriptions.update(subscription_id, {"cancel_at": ""})
            return
        subscriptions.update(subscription_id, {"cancel_at_period_end": cancel})


def cancel_now(settings: Settings, subscription_id: str) -> None:
    """End a subscription at once; safe to repeat."""
    try:
        with map_stripe_errors():
            stripe_client(settings).v1.subscriptions.cancel(subscription_id)
    except PaymentsError as error:
        if error.code != RESOURCE_MISSING:
            raise


def _preview_invoice(settings: Settings, wanted: InvoiceCreatePreviewParams) -> StripeInvoice:
    return StripeInvoice.from_stripe(stripe_client(settings).v1.invoices.create_preview(wanted).to_dict())
