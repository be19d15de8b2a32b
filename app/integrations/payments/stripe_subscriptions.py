"""A subscription's invoices, another plan for it, and its end."""

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
    """An invoice with links that work now: they are not for keeping."""
    with map_stripe_errors():
        return StripeInvoice.read(stripe_client(settings).v1.invoices.retrieve(invoice_id).to_dict())


def preview_next_invoice(settings: Settings, subscription_id: str) -> StripeInvoice | None:
    """What will be asked for next; None when nothing will."""
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
    """What a change of plan would cost at that second, charged at once."""
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
    """Change the plan and charge what was previewed. Until it is paid, the plan stays what it was."""
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
        return StripeSubscription.read(changed.to_dict())


def cancel_at_period_end(settings: Settings, subscription_id: str, cancel: bool) -> None:
    """End with what is paid for, or go on after all; safe to repeat."""
    subscriptions = stripe_client(settings).v1.subscriptions
    with map_stripe_errors():
        if not cancel and subscriptions.retrieve(subscription_id).cancel_at is not None:
            subscriptions.update(subscription_id, {"cancel_at": ""})
            return
        subscriptions.update(subscription_id, {"cancel_at_period_end": cancel})


def cancel_now(settings: Settings, subscription_id: str) -> None:
    """End at once; one that has ended already is fine."""
    try:
        with map_stripe_errors():
            stripe_client(settings).v1.subscriptions.cancel(subscription_id)
    except PaymentsError as error:
        if error.code != RESOURCE_MISSING:
            raise


def _preview_invoice(settings: Settings, wanted: InvoiceCreatePreviewParams) -> StripeInvoice:
    return StripeInvoice.read(stripe_client(settings).v1.invoices.create_preview(wanted).to_dict())
