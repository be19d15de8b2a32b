"""Stripe, by its role: who pays, for what, and until when. The only module that imports its SDK.

No transaction of the database may be open around any of these calls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import stripe

from app.config import Settings
from app.integrations.payment_facts import Event, Invoice, Present, Price, Settled, Subscription

if TYPE_CHECKING:
    from stripe.params import InvoiceCreatePreviewParams
    from stripe.params.billing_portal import SessionCreateParams as PortalParams
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsSubscriptionData

CONNECT_S, READ_S, RETRIES = 4.0, 12.0, 2
TOLERANCE_S = 300
PAGE = 100
GONE = "resource_missing"
OURS = {"made_by": "sp404mk2-sample-agent"}  # on whatever `stripe setup` makes
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


class PaymentsError(Exception):
    """Stripe could not be reached, or did not do what was asked; `code` is its word for why."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


def is_set_up(settings: Settings) -> bool:
    return settings.stripe_secret_key is not None


def client(settings: Settings) -> stripe.StripeClient:
    return _client(settings.stripe_secret_key or "", settings.stripe_api_base)


@lru_cache(maxsize=8)
def _client(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=(CONNECT_S, READ_S)),
    )


@contextmanager
def one_error() -> Iterator[None]:
    """Whatever the SDK raises is a PaymentsError outside of here."""
    try:
        yield
    except stripe.StripeError as error:
        raise PaymentsError(str(error), getattr(error, "code", None)) from error


def same(*parts: object) -> str:
    """An idempotency key: the same request again is the same one, and never another."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


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
    with one_error():
        try:
            return not getattr(client(settings).v1.customers.retrieve(customer_id), "deleted", False)
        except stripe.InvalidRequestError as error:
            if error.code == GONE:
                return False
            raise


def customer_of_charge(settings: Settings, charge_id: str) -> str | None:
    """Whose a disputed charge is: a dispute names no customer."""
    with one_error():
        return _id(client(settings).v1.charges.retrieve(charge_id).customer)


@lru_cache(maxsize=256)
def price(settings: Settings, price_id: str) -> Price:
    """A price is never altered at Stripe, so one look is enough."""
    with one_error():
        return Price.read(client(settings).v1.prices.retrieve(price_id).to_dict())


def price_id(settings: Settings, lookup_key: str) -> str:
    """The price that is asked for now."""
    with one_error():
        found = client(settings).v1.prices.list({"lookup_keys": [lookup_key], "active": True, "limit": 1})
    if not found.data:
        raise PaymentsError(f"Stripe has no price with the lookup key {lookup_key}", GONE)
    return found.data[0].id


def open_checkout(
    settings: Settings, customer_id: str, lookup_key: str, trial_days: int, success_url: str, cancel_url: str
) -> str:
    """Where the customer pays for a subscription: the session that is open for it, or a new one.

    Its key names the session before it, so two clicks at once make one, and the next after it another.
    """
    sessions = client(settings).v1.checkout.sessions
    price_now = price_id(settings, lookup_key)
    subscription: SessionCreateParamsSubscriptionData = {}
    if trial_days:
        subscription["trial_period_days"] = trial_days
    wanted: SessionCreateParams = {
        "mode": "subscription",
        "customer": customer_id,
        "line_items": [{"price": price_now, "quantity": 1}],
        "metadata": {"price": price_now},
        "allow_promotion_codes": settings.stripe_promotion_codes,
        "automatic_tax": {"enabled": settings.stripe_automatic_tax},
        "subscription_data": subscription,
        "success_url": success_url,
        "cancel_url": cancel_url,
    }
    if settings.stripe_automatic_tax:
        wanted["customer_update"] = {"address": "auto"}
    with one_error():
        latest = sessions.list({"customer": customer_id, "limit": 1}).data
        if latest and latest[0].status == "open":
            if (latest[0].metadata or {"price": ""})["price"] == price_now and latest[0].url:
                return latest[0].url
            sessions.expire(latest[0].id)
        before = latest[0].id if latest else None
        key = same("checkout", before, sorted(wanted.items()))
        return sessions.create(wanted, {"idempotency_key": key}).url or cancel_url


def close_checkouts(settings: Settings, customer_id: str) -> None:
    """Nothing that is open can be paid any more."""
    sessions = client(settings).v1.checkout.sessions
    with one_error():
        for session in sessions.list({"customer": customer_id, "status": "open"}).auto_paging_iter():
            sessions.expire(session.id)


def open_portal(settings: Settings, customer_id: str, return_url: str) -> str:
    """Where a customer changes cards and addresses; each visit is a session of its own.

    Its configuration is named, as one that was made by the API is not the account's default.
    """
    with one_error():
        portal = client(settings).v1.billing_portal
        wanted: PortalParams = {"customer": customer_id, "return_url": return_url}
        active = portal.configurations.list({"active": True, "limit": PAGE}).auto_paging_iter()
        mine = next((found.id for found in active if found.to_dict()["metadata"] == OURS), None)
        if mine is not None:
            wanted["configuration"] = mine
        return portal.sessions.create(wanted).url


def invoice(settings: Settings, invoice_id: str) -> Invoice:
    """An invoice with links that work now: they are not for keeping."""
    with one_error():
        return Invoice.read(client(settings).v1.invoices.retrieve(invoice_id).to_dict())


def next_invoice(settings: Settings, subscription_id: str) -> Invoice | None:
    """What will be asked for next; None when nothing will."""
    with one_error():
        try:
            return _preview(settings, {"subscription": subscription_id})
        except stripe.InvalidRequestError as error:
            if error.code == "invoice_upcoming_none":
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
    with one_error():
        try:
            client(settings).v1.subscriptions.cancel(subscription_id)
        except stripe.InvalidRequestError as error:
            if error.code != GONE:
                raise


def read_event(settings: Settings, body: bytes, header: str | None) -> Event | None:
    """The event of a webhook that Stripe has signed within five minutes; None for any other.

    While the secret is being changed there are two, and either will do.
    """
    for secret in (settings.stripe_webhook_secret or "").replace(",", " ").split():
        try:
            event = client(settings).construct_event(body, header, secret, TOLERANCE_S)
            return Event.read(event.to_dict())
        except (stripe.SignatureVerificationError, ValueError, KeyError, AttributeError, TypeError):
            continue
    return None


def _settled(settings: Settings, charge: stripe.Charge) -> Settled:
    payment_id = _id(charge.payment_intent) or charge.id
    if not charge.disputed:
        return Settled(payment_id, charge.amount_refunded)
    disputes = client(settings).v1.disputes.list({"charge": charge.id, "limit": 1}).data
    latest = disputes[0] if disputes else None
    cents, status = (latest.amount, latest.status) if latest else (charge.amount, "unknown")
    return Settled(payment_id, charge.amount_refunded, cents, status)


def _preview(settings: Settings, wanted: InvoiceCreatePreviewParams) -> Invoice:
    return Invoice.read(client(settings).v1.invoices.create_preview(wanted).to_dict())


def _id(reference: Any) -> str | None:
    return getattr(reference, "id", reference) or None


def seconds(time: datetime) -> int:
    return int(time.timestamp())
