"""What is known of a customer at Stripe, in values of our own: the shapes of its API end here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class StripePrice:
    id: str
    lookup_key: str | None
    plan_name: str | None  # from the metadata that `stripe setup` writes
    is_metered: bool

    @classmethod
    def read(cls, price: Json) -> StripePrice:
        recurring = price.get("recurring") or {}
        return cls(
            price["id"],
            price.get("lookup_key"),
            (price.get("metadata") or {}).get("plan"),
            recurring.get("usage_type") == "metered",
        )


@dataclass(frozen=True)
class SubscriptionItem:
    id: str
    price: StripePrice
    period_start: datetime
    period_end: datetime

    @classmethod
    def read(cls, item: Json) -> SubscriptionItem:
        period = utc_time(item["current_period_start"]), utc_time(item["current_period_end"])
        return cls(item["id"], StripePrice.read(item["price"]), *period)


@dataclass(frozen=True)
class StripeSubscription:
    id: str
    status: str
    items: tuple[SubscriptionItem, ...]
    created_at: datetime
    ends_at: datetime | None  # when a cancellation takes effect
    latest_invoice_id: str | None

    @classmethod
    def read(cls, found: Json) -> StripeSubscription:
        items = tuple(SubscriptionItem.read(item) for item in found["items"]["data"])
        ends_at = optional_utc_time(found.get("cancel_at"))
        if ends_at is None and found.get("cancel_at_period_end"):
            ends_at = max((item.period_end for item in items), default=None)
        created_at, invoice = utc_time(found["created"]), found.get("latest_invoice")
        return cls(found["id"], found["status"], items, created_at, ends_at, object_id(invoice))


@dataclass(frozen=True)
class StripeInvoice:
    id: str
    number: str | None
    status: str
    currency: str
    total_cents: int
    paid_cents: int
    price_id: str | None  # of the last thing that is not given back
    period_start: datetime
    period_end: datetime
    created_at: datetime
    paid_at: datetime | None
    payment_ids: frozenset[str]
    hosted_url: str | None
    pdf_url: str | None
    lines: tuple[InvoiceLine, ...]

    @classmethod
    def read(cls, found: Json) -> StripeInvoice:
        lines = tuple(InvoiceLine.read(line) for line in found["lines"]["data"])
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
    description: str
    cents: int
    price_id: str | None
    start: datetime
    end: datetime

    @classmethod
    def read(cls, line: Json) -> InvoiceLine:
        pricing = (line.get("pricing") or {}).get("price_details") or {}
        period = utc_time(line["period"]["start"]), utc_time(line["period"]["end"])
        return cls(line.get("description") or "", line["amount"], object_id(pricing.get("price")), *period)


@dataclass(frozen=True)
class PaymentOutcome:
    """What became of the money of one payment."""

    payment_id: str
    refunded_cents: int = 0
    disputed_cents: int = 0
    dispute_status: str | None = None


@dataclass(frozen=True)
class CustomerSnapshot:
    """All that counts of one customer, as it is now."""

    exists: bool
    subscriptions: tuple[StripeSubscription, ...] = ()
    invoices: tuple[StripeInvoice, ...] = ()
    settled: tuple[PaymentOutcome, ...] = ()


@dataclass(frozen=True)
class StripeEvent:
    """A hint that something has changed; what it is now is asked for."""

    id: str
    type: str
    created_at: datetime
    customer_id: str | None
    charge_id: str | None

    @classmethod
    def read(cls, event: Json) -> StripeEvent:
        about = event["data"]["object"]
        is_customer = about.get("object") == "customer"
        customer = about.get("id") if is_customer else about.get("customer")
        created_at = utc_time(event["created"])
        return cls(
            event["id"], event["type"], created_at, object_id(customer), object_id(about.get("charge"))
        )


def object_id(reference: Any) -> str | None:
    """Stripe gives an id or, where it was asked to, the whole object."""
    found = reference.get("id") if isinstance(reference, Mapping) else reference
    return str(found) if found else None


def utc_time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def optional_utc_time(seconds: int | None) -> datetime | None:
    return None if seconds is None else utc_time(seconds)


def _payment_ids(invoice: Json) -> list[str]:
    payments = [entry.get("payment") or {} for entry in (invoice.get("payments") or {}).get("data", ())]
    return [found for payment in payments if (found := object_id(payment.get("payment_intent")))]
