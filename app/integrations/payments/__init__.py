"""Stripe, by its role: who pays, for what, and until when.

No transaction of the database may be open around any of these calls.
"""

from __future__ import annotations

from app.integrations.payments.checkout import close_checkouts, open_checkout, open_portal
from app.integrations.payments.connection import OvertakenError, PaymentsError, is_set_up
from app.integrations.payments.customers import create_customer, customer_exists, customer_of_charge, present
from app.integrations.payments.events import EVENT_TYPES, read_event
from app.integrations.payments.prices import price, price_id
from app.integrations.payments.subscriptions import (
    cancel_at_period_end,
    cancel_now,
    invoice,
    next_invoice,
    swap,
    swap_preview,
)

__all__ = [
    "EVENT_TYPES",
    "OvertakenError",
    "PaymentsError",
    "cancel_at_period_end",
    "cancel_now",
    "close_checkouts",
    "create_customer",
    "customer_exists",
    "customer_of_charge",
    "invoice",
    "is_set_up",
    "next_invoice",
    "open_checkout",
    "open_portal",
    "present",
    "price",
    "price_id",
    "read_event",
    "swap",
    "swap_preview",
]
