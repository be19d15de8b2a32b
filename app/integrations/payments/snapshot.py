"""What is known of a customer at Stripe, in values of our own: the shapes of its API end here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Price:
    id: str
    lookup_key: str | None
    plan_name: str | None  # from the metadata that `stripe setup` writes
    is_metered: bool

    @classmethod
    def read(cls, price: Json) -> Price:
        recurring = price.get("recurring") or {}
        return cls(
            price["id"],
            price.get("lookup_key"),
            (price.get("metadata") or {}).get("plan"),
            recurring.get("usage_type") == "metered",
        )


@dataclass(frozen=True)
class Item:
    id: str
    price: Price
    period_start: datetime
    period_end: datetime

    @classmethod
    def read(cls, item: Json) -> Item:
        period = instant(item["current_period_start"]), instant(item["current_period_end"])
        return cls(item["id"], Price.read(item["price"]), *period)


@dataclass(frozen=True)
class Subscription:
    id: str
    status: str
    items: tuple[Item, ...]
    created_at: datetime
    ends_at: datetime | None  # when a cancellation takes effect
    latest_invoice_id: str | None

    @classmethod
    def read(cls, found: Json) -> Subscription:
        items = tuple(Item.read(item) for item in found["items"]["data"])
        ends_at = maybe(found.get("cancel_at"))
        if ends_at is None and found.get("cancel_at_period_end"):
            ends_at = max((item.period_end for item in items), default=None)
        created_at, invoice = instant(found["created"]), found.get("latest_invoice")
        return cls(found["id"], found["status"], items, created_at, ends_at, id_of(invoice))


@dataclass(frozen=True)
class Invoice:
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
    lines: tuple[Line, ...]

    @classmethod
    def read(cls, found: Json) -> Invoice:
        lines = tuple(Line.read(line) for line in found["lines"]["data"])
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
            period_start=last.start if last else instant(found["period_start"]),
            period_end=last.end if last else instant(found["period_end"]),
            created_at=instant(found["created"]),
            paid_at=maybe((found.get("status_transitions") or {}).get("paid_at")),
            payment_ids=frozenset(_payment_ids(found)),
            hosted_url=found.get("hosted_invoice_url"),
            pdf_url=found.get("invoice_pdf"),
            lines=lines,
        )


@dataclass(frozen=True)
class Line:
    description: str
    cents: int
    price_id: str | None
    start: datetime
    end: datetime

    @classmethod
    def read(cls, line: Json) -> Line:
        pricing = (line.get("pricing") or {}).get("price_details") or {}
        period = instant(line["period"]["start"]), instant(line["period"]["end"])
        return cls(line.get("description") or "", line["amount"], id_of(pricing.get("price")), *period)


@dataclass(frozen=True)
class Settled:
    """What became of the money of one payment."""

    payment_id: str
    refunded_cents: int = 0
    disputed_cents: int = 0
    dispute_status: str | None = None


@dataclass(frozen=True)
class Present:
    """All that counts of one customer, as it is now."""

    exists: bool
    subscriptions: tuple[Subscription, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    settled: tuple[Settled, ...] = ()


@dataclass(frozen=True)
class Event:
    """A hint that something has changed; what it is now is asked for."""

    id: str
    type: str
    created_at: datetime
    customer_id: str | None
    charge_id: str | None

    @classmethod
    def read(cls, event: Json) -> Event:
        about = event["data"]["object"]
        is_customer = about.get("object") == "customer"
        customer = about.get("id") if is_customer else about.get("customer")
        created_at = instant(event["created"])
        return cls(event["id"], event["type"], created_at, id_of(customer), id_of(about.get("charge")))


def id_of(reference: Any) -> str | None:
    """Stripe gives an id or, where it was asked to, the whole object."""
    found = reference.get("id") if isinstance(reference, Mapping) else reference
    return str(found) if found else None


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def maybe(seconds: int | None) -> datetime | None:
    return None if seconds is None else instant(seconds)


def _payment_ids(invoice: Json) -> list[str]:
    payments = [entry.get("payment") or {} for entry in (invoice.get("payments") or {}).get("data", ())]
    return [found for payment in payments if (found := id_of(payment.get("payment_intent")))]
