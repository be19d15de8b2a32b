"""Report uploads past the plan to Stripe's meter, and read what it has counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.config import Settings
from app.integrations.payments.connection import (
    PaymentsError,
    make_idempotency_key,
    map_stripe_errors,
    stripe_client,
)
from app.integrations.payments.prices import find_price_id

METER_EVENT = "sp404_overage_upload"
# Stripe takes reports of the last 35 days. An older upload is reported with this age rather than never.
MAX_REPORT_AGE = timedelta(days=34)
# Stripe's message for an identifier it has counted already; there is no error code for that.
DUPLICATE_MESSAGE = "already exists with identifier"


def report_upload(settings: Settings, customer_id: str, identifier: str, at: int) -> None:
    """Report one upload for a customer to pay for, at a Unix time. Safe to repeat: an identifier counts once.

    This sends no idempotency key, because Stripe would repeat a failure (500) under it for a day.
    """
    oldest = int((datetime.now(UTC) - MAX_REPORT_AGE).timestamp())
    try:
        with map_stripe_errors():
            stripe_client(settings).v1.billing.meter_events.create(
                {
                    "event_name": METER_EVENT,
                    "identifier": identifier,
                    "timestamp": max(at, oldest),
                    "payload": {"stripe_customer_id": customer_id, "value": "1"},
                }
            )
    except PaymentsError as error:
        if DUPLICATE_MESSAGE not in str(error):
            raise


def counted_uploads(settings: Settings, customer_id: str, start: int, end: int) -> int:
    """Return how many uploads Stripe has counted for a customer between two Unix times, both full minutes."""
    meter_id = find_meter_id(settings)
    if meter_id is None:
        raise PaymentsError(f"Stripe has no meter for {METER_EVENT}: run `flask --app wsgi stripe setup`")
    with map_stripe_errors():
        found = stripe_client(settings).v1.billing.meters.event_summaries.list(
            meter_id, {"customer": customer_id, "start_time": start, "end_time": end}
        )
        return round(sum(summary.aggregated_value for summary in found.auto_paging_iter()))


def find_meter_id(settings: Settings) -> str | None:
    """Return the id of the meter that counts these reports, or None before `stripe setup`."""
    with map_stripe_errors():
        meters = stripe_client(settings).v1.billing.meters.list({"status": "active"}).auto_paging_iter()
        return next((meter.id for meter in meters if meter.event_name == METER_EVENT), None)


def add_metered_price(settings: Settings, subscription_id: str, lookup_key: str) -> None:
    """Add the metered price to a subscription, so that its invoices charge for reports; safe to repeat."""
    price = find_price_id(settings, lookup_key)
    with map_stripe_errors():
        items = stripe_client(settings).v1.subscription_items
        has = {item.price.id for item in items.list({"subscription": subscription_id}).auto_paging_iter()}
        if price not in has:
            items.create(
                {"subscription": subscription_id, "price": price},
                {"idempotency_key": make_idempotency_key("overage", subscription_id, price)},
            )
