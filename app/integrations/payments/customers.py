"""Who pays, and what is true of them now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.config import Settings
from app.integrations.payments.connection import GONE, PAGE, PaymentsError, client, one_error, same
from app.integrations.payments.snapshot import Invoice, Present, Settled, Subscription

if TYPE_CHECKING:
    import stripe


def create_customer(settings: Settings, user_id: str, email: str, seen: int) -> str:
    """A customer for an account; `seen` tells a second one, after the first was deleted, from the first."""
    with one_error():
        return (
            client(settings)
            .v1.customers.create(
                {"email": email, "metadata": {"user_id": user_id}},
                {"idempotency_key": same("customer", user_id, email, seen)},
            )
            .id
        )


def present(settings: Settings, customer_id: str) -> Present:
    """What is true of a customer now."""
    found, of = client(settings).v1, {"customer": customer_id, "limit": PAGE}
    with one_error():
        if not customer_exists(settings, customer_id):
            return Present(exists=False)
        subscriptions = found.subscriptions.list({"customer": customer_id, "limit": PAGE, "status": "all"})
        wanted: Any = of | {"expand": ["data.payments"]}
        invoices, charges = (
            found.invoices.list(wanted),
            found.charges.list({"customer": customer_id, "limit": PAGE}),
        )
        return Present(
            True,
            tuple(Subscription.read(entry.to_dict()) for entry in subscriptions.auto_paging_iter()),
            tuple(Invoice.read(entry.to_dict()) for entry in invoices.auto_paging_iter()),
            tuple(_settled(settings, charge) for charge in charges.auto_paging_iter() if charge.paid),
        )


def customer_exists(settings: Settings, customer_id: str) -> bool:
    try:
        with one_error():
            return not getattr(client(settings).v1.customers.retrieve(customer_id), "deleted", False)
    except PaymentsError as error:
        if error.code == GONE:
            return False
        raise


def customer_of_charge(settings: Settings, charge_id: str) -> str | None:
    """Whose a disputed charge is: a dispute names no customer."""
    with one_error():
        return _id(client(settings).v1.charges.retrieve(charge_id).customer)


def _settled(settings: Settings, charge: stripe.Charge) -> Settled:
    payment_id = _id(charge.payment_intent) or charge.id
    if not charge.disputed:
        return Settled(payment_id, charge.amount_refunded)
    disputes = client(settings).v1.disputes.list({"charge": charge.id, "limit": 1}).data
    latest = disputes[0] if disputes else None
    cents, status = (latest.amount, latest.status) if latest else (charge.amount, "unknown")
    return Settled(payment_id, charge.amount_refunded, cents, status)


def _id(reference: Any) -> str | None:
    return getattr(reference, "id", reference) or None
