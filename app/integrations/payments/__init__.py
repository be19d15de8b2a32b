"""Payments at Stripe: customers, subscriptions, invoices, prices, usage meters and webhook events.

No database transaction may be open around any of these calls, because Stripe may be slow.
"""

from __future__ import annotations

from app.integrations.payments.connection import CheckoutConflictError, PaymentsError, is_set_up
from app.integrations.payments.customers import (
    create_customer,
    customer_details,
    customer_exists,
    customer_of_charge,
    customer_snapshot,
)
from app.integrations.payments.prices import find_price_id, get_price
from app.integrations.payments.stripe_events import EVENT_TYPES, read_event
from app.integrations.payments.stripe_pages import close_checkouts, open_checkout, open_portal
from app.integrations.payments.stripe_subscriptions import (
    cancel_at_period_end,
    cancel_now,
    change_plan,
    get_invoice,
    preview_next_invoice,
    preview_plan_change,
)

__all__ = [
    "EVENT_TYPES",
    "CheckoutConflictError",
    "PaymentsError",
    "cancel_at_period_end",
    "cancel_now",
    "change_plan",
    "close_checkouts",
    "create_customer",
    "customer_details",
    "customer_exists",
    "customer_of_charge",
    "customer_snapshot",
    "find_price_id",
    "get_invoice",
    "get_price",
    "is_set_up",
    "open_checkout",
    "open_portal",
    "preview_next_invoice",
    "preview_plan_change",
    "read_event",
]
