"""The connection to Stripe: one client, its limits, and one error for whatever goes wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import stripe

from app.config import Settings

CONNECT_S, READ_S, RETRIES = 4.0, 12.0, 2
PAGE_SIZE = 100
RESOURCE_MISSING = "resource_missing"
OUR_METADATA = {"made_by": "sp404mk2-sample-agent"}  # on whatever `stripe setup` makes


class PaymentsError(Exception):
    """Stripe could not be reached, or did not do what was asked; `code` is its word for why."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class CheckoutConflictError(PaymentsError):
    """Somebody has asked for something else of the same customer meanwhile."""


def is_set_up(settings: Settings) -> bool:
    return settings.stripe_secret_key is not None


def stripe_client(settings: Settings) -> stripe.StripeClient:
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
def map_stripe_errors() -> Iterator[None]:
    """Whatever the SDK raises is a PaymentsError outside of here."""
    try:
        yield
    except stripe.StripeError as error:
        raise PaymentsError(str(error), getattr(error, "code", None)) from error


def make_idempotency_key(*parts: object) -> str:
    """An idempotency key: the same request again is the same one, and never another."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
