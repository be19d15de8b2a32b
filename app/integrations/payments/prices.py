"""What is for sale at Stripe."""

from __future__ import annotations

from functools import lru_cache

from app.config import Settings
from app.integrations.payments.connection import GONE, PaymentsError, client, one_error
from app.integrations.payments.snapshot import Price


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
