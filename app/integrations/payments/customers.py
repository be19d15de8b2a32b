"""Create customers at Stripe, and fetch everything about one of them."""

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


PERSONAL_FIELDS = (
    "id", "name", "email", "phone", "address", "shipping", "preferred_locales", "tax_exempt", "created",
)  # fmt: skip


def create_customer(settings: Settings, user_id: str, email: str, number: int) -> str:
    """Create a customer for an account and return its id; two calls at once create one.

    `number` differs after a customer was deleted, so that Stripe then creates another one.
    """
    with map_stripe_errors():
        return (
            stripe_client(settings)
            .v1.customers.create(
                {"email": email, "metadata": {"user_id": user_id}},
                {"idempotency_key": make_idempotency_key("customer", user_id, email, number)},
            )
            .id
        )


def customer_snapshot(settings: Settings, customer_id: str) -> CustomerSnapshot:
    """Return all subscriptions, invoices and payments of a customer as they are now."""
    api = stripe_client(settings).v1
    with map_stripe_errors():
        if not customer_exists(settings, customer_id):
            return CustomerSnapshot(exists=False)
        subscriptions = api.subscriptions.list({"customer": customer_id, "limit": PAGE_SIZE, "status": "all"})
        with_payments: Any = {"customer": customer_id, "limit": PAGE_SIZE, "expand": ["data.payments"]}
        invoices = api.invoices.list(with_payments)
        charges = api.charges.list({"customer": customer_id, "limit": PAGE_SIZE})
        return CustomerSnapshot(
            True,
            tuple(StripeSubscription.from_stripe(it.to_dict()) for it in subscriptions.auto_paging_iter()),
            tuple(StripeInvoice.from_stripe(it.to_dict()) for it in invoices.auto_paging_iter()),
            tuple(_payment_outcome(settings, charge) for charge in charges.auto_paging_iter() if charge.paid),
        )


def customer_exists(settings: Settings, customer_id: str) -> bool:
    """Return whether the customer is at Stripe and was not deleted."""
    try:
        with map_stripe_errors():
            return not getattr(stripe_client(settings).v1.customers.retrieve(customer_id), "deleted", False)
    except PaymentsError as error:
        if error.code == RESOURCE_MISSING:
            return False
        raise


def customer_details(settings: Settings, customer_id: str) -> dict[str, Any] | None:
    """Return the personal details that Stripe has of a customer; None for a deleted one."""
    if not customer_exists(settings, customer_id):
        return None
    with map_stripe_errors():
        found = stripe_client(settings).v1.customers.retrieve(customer_id).to_dict()
    return {name: found.get(name) for name in PERSONAL_FIELDS}


def customer_of_charge(settings: Settings, charge_id: str) -> str | None:
    """Return the customer of a disputed charge; a dispute itself names none."""
    with map_stripe_errors():
        return _reference_id(stripe_client(settings).v1.charges.retrieve(charge_id).customer)


def _payment_outcome(settings: Settings, charge: stripe.Charge) -> PaymentOutcome:
    """Return what was refunded or disputed of a charge; this asks Stripe for the dispute if there is one."""
    payment_id = _reference_id(charge.payment_intent) or charge.id
    if not charge.disputed:
        return PaymentOutcome(payment_id, charge.amount_refunded)
    disputes = stripe_client(settings).v1.disputes.list({"charge": charge.id, "limit": 1}).data
    latest = disputes[0] if disputes else None
    cents, status = (latest.amount, latest.status) if latest else (charge.amount, "unknown")
    return PaymentOutcome(payment_id, charge.amount_refunded, cents, status)


def _reference_id(reference: Any) -> str | None:
    return getattr(reference, "id", reference) or None
