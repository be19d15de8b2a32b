"""Connect to Stripe: one client with timeouts and retries, and one exception for every failure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import stripe

from app import tracing
from app.config import Settings

CONNECT_S, READ_S, RETRIES = 4.0, 12.0, 2
PAGE_SIZE = 100
RESOURCE_MISSING = "resource_missing"
ID_IN_PATH = re.compile(r"/[a-z]+_(?:[a-z]+_)?\w*\d\w*")  # such as cus_… and cs_test_…
OUR_METADATA = {"made_by": "sp404mk2-sample-agent"}  # on everything that `stripe setup` creates


class PaymentsError(Exception):
    """Stripe could not be reached or refused a request; `code` is Stripe's error code, if it gave one."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class CheckoutConflictError(PaymentsError):
    """Another checkout of the same customer was opened or paid at the same moment."""


def is_set_up(settings: Settings) -> bool:
    """Return whether this server has a Stripe key, so that plans can be paid for."""
    return settings.stripe_secret_key is not None


def stripe_client(settings: Settings) -> stripe.StripeClient:
    return _client(settings.stripe_secret_key or "", settings.stripe_api_base)


class _TracedClient(stripe.RequestsClient):
    """Stripe's client, with a span for each try of a request. Ids in the address are not recorded."""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        path = ID_IN_PATH.sub("/{id}", urlsplit(url).path)
        with tracing.span(f"stripe {method.upper()} {path}", "client"):
            return super().request(method, url, *args, **kwargs)


@lru_cache(maxsize=8)
def _client(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base},
        max_network_retries=RETRIES,
        http_client=_TracedClient(timeout=(CONNECT_S, READ_S)),
    )


@contextmanager
def map_stripe_errors() -> Iterator[None]:
    """Raise the SDK's errors as PaymentsError."""
    try:
        yield
    except stripe.StripeError as error:
        raise PaymentsError(str(error), getattr(error, "code", None)) from error


def make_idempotency_key(*parts: object) -> str:
    """Return a key by which Stripe recognises a repeated request; `parts` name everything it asks for."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
