"""Convert Stripe's API objects into our own types; no other module reads their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class StripePrice:
    """A price and the plan that it belongs to."""

    id: str
    lookup_key: str | None
    plan_name: str | None  # from the metadata that `stripe setup` writes
    is_metered: bool

    @classmethod
    def from_stripe(cls, price: Json) -> StripePrice:
        recurring = price.get("recurring") or {}
        return cls(
            price["id"],
            price.get("lookup_key"),
            (price.get("metadata") or {}).get("plan"),
            recurring.get("usage_type") == "metered",
        )


@dataclass(frozen=True)
class SubscriptionItem:
    """One price of a subscription, and the period that is paid for."""

    id: str
    price: StripePrice
    period_start: datetime
    period_end: datetime

    @classmethod
    def from_stripe(cls, item: Json) -> SubscriptionItem:
        period = utc_time(item["current_period_start"]), utc_time(item["current_period_end"])
        return cls(item["id"], StripePrice.from_stripe(item["price"]), *period)


@dataclass(frozen=True)
class StripeSubscription:
    """A subscription with its items."""

    id: str
    status: str
    items: tuple[SubscriptionItem, ...]
    created_at: datetime
    ends_at: datetime | None  # when a cancellation takes effect

    @classmethod
    def from_stripe(cls, found: Json) -> StripeSubscription:
        items = tuple(SubscriptionItem.from_stripe(item) for item in found["items"]["data"])
        ends_at = optional_utc_time(found.get("cancel_at"))
        if ends_at is None and found.get("cancel_at_period_end"):
            ends_at = max((item.period_end for item in items), default=None)
        return cls(found["id"], found["status"], items, utc_time(found["created"]), ends_at)


@dataclass(frozen=True)
class StripeInvoice:
    """An invoice, or the preview of one."""

    id: str
    number: str | None
    status: str
    currency: str
    total_cents: int
    paid_cents: int
    price_id: str | None  # of the last line that is not a credit
    period_start: datetime
    period_end: datetime
    created_at: datetime
    paid_at: datetime | None
    payment_ids: frozenset[str]
    hosted_url: str | None
    pdf_url: str | None
    lines: tuple[InvoiceLine, ...]

    @classmethod
    def from_stripe(cls, found: Json) -> StripeInvoice:
        lines = tuple(InvoiceLine.from_stripe(line) for line in found["lines"]["data"])
        charged = [line for line in lines if line.cents >= 0] or list(lines)
        last = charged[-1] if charged else None
        return cls(
            id=found.get("id", ""),  # a preview has none
            number=found.get("number"),
            status=found.get("status") or "draft",
            currency=found["currency"],
            total_cents=found["total"],
            paid_cents=found["amount_paid"],
            price_id=last.price_id if last else None,
            period_start=last.start if last else utc_time(found["period_start"]),
            period_end=last.end if last else utc_time(found["period_end"]),
            created_at=utc_time(found["created"]),
            paid_at=optional_utc_time((found.get("status_transitions") or {}).get("paid_at")),
            payment_ids=frozenset(_payment_ids(found)),
            hosted_url=found.get("hosted_invoice_url"),
            pdf_url=found.get("invoice_pdf"),
            lines=lines,
        )


@dataclass(frozen=True)
class InvoiceLine:
    """One line of an invoice. A credit has negative cents."""

    description: str
    cents: int
    price_id: str | None
    start: datetime
    end: datetime

    @classmethod
    def from_stripe(cls, line: Json) -> InvoiceLine:
        pricing = (line.get("pricing") or {}).get("price_details") or {}
        period = utc_time(line["period"]["start"]), utc_time(line["period"]["end"])
        return cls(line.get("description") or "", line["amount"], object_id(pricing.get("price")), *period)


@dataclass(frozen=True)
class PaymentOutcome:
    """How much of one payment was refunded or disputed."""

    payment_id: str
    refunded_cents: int = 0
    disputed_cents: int = 0
    dispute_status: str | None = None


@dataclass(frozen=True)
class CustomerSnapshot:
    """Everything we need to know about one customer, as it is now."""

    exists: bool
    subscriptions: tuple[StripeSubscription, ...] = ()
    invoices: tuple[StripeInvoice, ...] = ()
    settled: tuple[PaymentOutcome, ...] = ()


@dataclass(frozen=True)
class StripeEvent:
    """A webhook event. It only hints that something changed; the present state is fetched from Stripe."""

    id: str
    type: str
    created_at: datetime
    customer_id: str | None
    charge_id: str | None

    @classmethod
    def from_stripe(cls, event: Json) -> StripeEvent:
        about = event["data"]["object"]
        is_customer = about.get("object") == "customer"
        customer = about.get("id") if is_customer else about.get("customer")
        created_at = utc_time(event["created"])
        return cls(
            event["id"], event["type"], created_at, object_id(customer), object_id(about.get("charge"))
        )


def object_id(reference: Any) -> str | None:
    """Return the id of a reference, which Stripe gives as an id or as the whole object."""
    found = reference.get("id") if isinstance(reference, Mapping) else reference
    return str(found) if found else None


def utc_time(seconds: int) -> datetime:
    """Return a Unix time as a datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def optional_utc_time(seconds: int | None) -> datetime | None:
    """Return a Unix time as a datetime in UTC, or None for None."""
    return None if seconds is None else utc_time(seconds)


def _payment_ids(invoice: Json) -> list[str]:
    """Return the ids of the payment intents of an invoice that was fetched with its payments."""
    payments = [entry.get("payment") or {} for entry in (invoice.get("payments") or {}).get("data", ())]
    return [found for payment in payments if (found := object_id(payment.get("payment_intent")))]
