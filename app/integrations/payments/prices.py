"""Look up prices at Stripe."""

from __future__ import annotations

from functools import lru_cache

from app.config import Settings
from app.integrations.payments.connection import (
    RESOURCE_MISSING,
    PaymentsError,
    map_stripe_errors,
    stripe_client,
)
from app.integrations.payments.snapshot import StripePrice


@lru_cache(maxsize=256)
def get_price(settings: Settings, price_id: str) -> StripePrice:
    """Return a price by its id, from a cache: the amount and metadata of a price at Stripe stay the same."""
    with map_stripe_errors():
        return StripePrice.from_stripe(stripe_client(settings).v1.prices.retrieve(price_id).to_dict())


def find_price_id(settings: Settings, lookup_key: str) -> str:
    """Return the id of the active price with this lookup key."""
    with map_stripe_errors():
        found = stripe_client(settings).v1.prices.list(
            {"lookup_keys": [lookup_key], "active": True, "limit": 1}
        )
    if not found.data:
        raise PaymentsError(f"Stripe has no price with the lookup key {lookup_key}", RESOURCE_MISSING)
    return found.data[0].id
