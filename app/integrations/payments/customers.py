"""Who pays, and what is true of them now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.config import Settings
from app.integrations.payments.connection import (
    PAGE_SIZE,
    RESOURCE_MISSING,
    PaymentsError,
    make_idempotency_key,
    map_stripe_errors,
    stripe_client,
)
from app.integrations.payments.snapshot import (
    CustomerSnapshot,
    PaymentOutcome,
    StripeInvoice,
    StripeSubscription,
)

if TYPE_CHECKING:
    import stripe


def create_customer(settings: Settings, user_id: str, email: str, seen: int) -> str:
    """A customer for an account; `seen` tells a second one, after the first was deleted, from the first."""
    with map_stripe_errors():
        return (
            stripe_client(settings)
            .v1.customers.create(
                {"email": email, "metadata": {"user_id": user_id}},
                {"idempotency_key": make_idempotency_key("customer", user_id, email, seen)},
            )
            .id
        )


def customer_snapshot(settings: Settings, customer_id: str) -> CustomerSnapshot:
    """What is true of a customer now."""
    found, of = stripe_client(settings).v1, {"customer": customer_id, "limit": PAGE_SIZE}
    with map_stripe_errors():
        if not customer_exists(settings, customer_id):
            return CustomerSnapshot(exists=False)
        subscriptions = found.subscriptions.list(
            {"customer": customer_id, "limit": PAGE_SIZE, "status": "all"}
        )
        wanted: Any = of | {"expand": ["data.payments"]}
        invoices, charges = (
            found.invoices.list(wanted),
            found.charges.list({"customer": customer_id, "limit": PAGE_SIZE}),
        )
        return CustomerSnapshot(
            True,
            tuple(StripeSubscription.read(entry.to_dict()) for entry in subscriptions.auto_paging_iter()),
            tuple(StripeInvoice.read(entry.to_dict()) for entry in invoices.auto_paging_iter()),
            tuple(_payment_outcome(settings, charge) for charge in charges.auto_paging_iter() if charge.paid),
        )


def customer_exists(settings: Settings, customer_id: str) -> bool:
    try:
        with map_stripe_errors():
            return not getattr(stripe_client(settings).v1.customers.retrieve(customer_id), "deleted", False)
    except PaymentsError as error:
        if error.code == RESOURCE_MISSING:
            return False
        raise


def customer_of_charge(settings: Settings, charge_id: str) -> str | None:
    """Whose a disputed charge is: a dispute names no customer."""
    with map_stripe_errors():
        return _reference_id(stripe_client(settings).v1.charges.retrieve(charge_id).customer)


def _payment_outcome(settings: Settings, charge: stripe.Charge) -> PaymentOutcome:
    payment_id = _reference_id(charge.payment_intent) or charge.id
    if not charge.disputed:
        return PaymentOutcome(payment_id, charge.amount_refunded)
    disputes = stripe_client(settings).v1.disputes.list({"charge": charge.id, "limit": 1}).data
    latest = disputes[0] if disputes else None
    cents, status = (latest.amount, latest.status) if latest else (charge.amount, "unknown")
    return PaymentOutcome(payment_id, charge.amount_refunded, cents, status)


def _reference_id(reference: Any) -> str | None:
    return getattr(reference, "id", reference) or None
