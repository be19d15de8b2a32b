"""A subscription's invoices, another plan for it, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.config import Settings
from app.integrations.payments.connection import GONE, PaymentsError, client, one_error, same
from app.integrations.payments.snapshot import Invoice, Subscription

if TYPE_CHECKING:
    from stripe.params import InvoiceCreatePreviewParams

NOTHING_COMES = "invoice_upcoming_none"


def invoice(settings: Settings, invoice_id: str) -> Invoice:
    """An invoice with links that work now: they are not for keeping."""
    with one_error():
        return Invoice.read(client(settings).v1.invoices.retrieve(invoice_id).to_dict())


def next_invoice(settings: Settings, subscription_id: str) -> Invoice | None:
    """What will be asked for next; None when nothing will."""
    try:
        with one_error():
            return _preview(settings, {"subscription": subscription_id})
    except PaymentsError as error:
        if error.code == NOTHING_COMES:
            return None
        raise


def swap_preview(settings: Settings, subscription_id: str, item_id: str, price: str, at: int) -> Invoice:
    """What a change of plan would cost at that second, charged at once."""
    with one_error():
        return _preview(
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


def swap(settings: Settings, subscription_id: str, item_id: str, price: str, at: int) -> Subscription:
    """Change the plan and charge what was previewed. Until it is paid, the plan stays what it was."""
    with one_error():
        changed = client(settings).v1.subscriptions.update(
            subscription_id,
            {
                "items": [{"id": item_id, "price": price}],
                "proration_behavior": "always_invoice",
                "proration_date": at,
                "payment_behavior": "pending_if_incomplete",
            },
            {"idempotency_key": same("swap", subscription_id, item_id, price, at)},
        )
        return Subscription.read(changed.to_dict())


def cancel_at_period_end(settings: Settings, subscription_id: str, cancel: bool) -> None:
    """End with what is paid for, or go on after all; safe to repeat."""
    subscriptions = client(settings).v1.subscriptions
    with one_error():
        if not cancel and subscriptions.retrieve(subscription_id).cancel_at is not None:
            subscriptions.update(subscription_id, {"cancel_at": ""})
            return
        subscriptions.update(subscription_id, {"cancel_at_period_end": cancel})


def cancel_now(settings: Settings, subscription_id: str) -> None:
    """End at once; one that has ended already is fine."""
    try:
        with one_error():
            client(settings).v1.subscriptions.cancel(subscription_id)
    except PaymentsError as error:
        if error.code != GONE:
            raise


def _preview(settings: Settings, wanted: InvoiceCreatePreviewParams) -> Invoice:
    return Invoice.read(client(settings).v1.invoices.create_preview(wanted).to_dict())
