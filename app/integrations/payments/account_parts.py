"""The parts that a Stripe account needs for this product, and how to find, create and update each one.

A part is found by a name that we gave it (an id, a lookup key, a URL), so nothing is ever created twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.config import Settings
from app.integrations.payments import meters
from app.integrations.payments.connection import (
    OUR_METADATA,
    RESOURCE_MISSING,
    PaymentsError,
    map_stripe_errors,
    stripe_client,
)
from app.integrations.payments.stripe_events import EVENT_TYPES

Json = dict[str, Any]
METER_NAME = "Uploads beyond the plan"


@dataclass(frozen=True)
class AccountPart:
    """One part: `find` returns it or None, `update` corrects what differs, or raises when it can't."""

    name: str
    wanted: Json
    find: Callable[[], Json | None]
    create: Callable[[], Json]
    update: Callable[[Json], object]

    def differences(self) -> list[str]:
        """Return a sentence for each field that is not as wanted."""
        found = self.find()
        return ["is missing"] if found is None else list(_differences(self.wanted, found))


def meter_part(settings: Settings) -> AccountPart:
    """Return the meter of uploads past the plan.

    Only a meter's name can be changed; anything else would need a new meter with another event name.
    """
    wanted = {
        "display_name": METER_NAME,
        "event_name": meters.METER_EVENT,
        "default_aggregation": {"formula": "sum"},
        "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
        "value_settings": {"event_payload_key": "value"},
    }
    api = stripe_client(settings).v1.billing.meters

    def find() -> Json | None:
        found = meters.find_meter_id(settings)
        return api.retrieve(found).to_dict() if found else None

    def update(found: Json) -> object:
        return api.update(found["id"], {"display_name": METER_NAME})

    return AccountPart("meter", wanted, find, lambda: _create_object(api.create, wanted), update)


def product_part(settings: Settings, product_id: str, name: str) -> AccountPart:
    """Return a product under an id of ours."""
    wanted = {"name": name, "active": True, "metadata": OUR_METADATA}
    api = stripe_client(settings).v1.products
    return AccountPart(
        f"product {product_id}",
        wanted,
        lambda: _none_if_missing(lambda: api.retrieve(product_id)),
        lambda: _create_object(api.create, {"id": product_id, **wanted}),
        lambda found: api.update(found["id"], _untyped(wanted)),
    )


def price_part(
    settings: Settings, lookup_key: str, product_id: str, cents: int, labels: Json, meter_id: str
) -> AccountPart:
    """Return a monthly price, or with a meter the price of each upload that it counts.

    The amount of a price can't be changed. For another amount a new price is created and takes over the
    lookup key; existing subscriptions keep the old price.
    """
    usage = {"usage_type": "metered", "meter": meter_id} if meter_id else {"usage_type": "licensed"}
    wanted = {
        "product": product_id,
        "currency": "usd",
        "unit_amount": cents,
        "recurring": {"interval": "month", **usage},
        "metadata": OUR_METADATA | labels,
    }
    api = stripe_client(settings).v1.prices

    def find() -> Json | None:
        found = api.list({"lookup_keys": [lookup_key], "active": True, "limit": 1}).data
        return found[0].to_dict() if found else None

    def create() -> Json:
        return _create_object(api.create, wanted | {"lookup_key": lookup_key, "transfer_lookup_key": True})

    def update(found: Json) -> None:
        if list(_differences({"metadata": wanted["metadata"]}, found)) == list(_differences(wanted, found)):
            api.update(found["id"], _untyped({"metadata": wanted["metadata"]}))
            return
        create()
        api.update(found["id"], {"active": False})

    return AccountPart(f"price {lookup_key}", wanted, find, create, update)


def portal_part(settings: Settings, return_url: str) -> AccountPart:
    """Return the configuration of Stripe's customer portal.

    Cards, addresses and invoices are handled there. Plans are changed and cancelled on our own pages, where
    the cost is shown first. If the account has a default configuration, that one is updated, because Stripe
    opens it.
    """
    wanted = {
        "default_return_url": return_url,
        "features": {
            "customer_update": {"enabled": True, "allowed_updates": ["address", "name", "tax_id"]},
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True},
            "subscription_cancel": {"enabled": False},
            "subscription_update": {"enabled": False},
        },
        "metadata": OUR_METADATA,
    }
    api = stripe_client(settings).v1.billing_portal.configurations

    def find() -> Json | None:
        active = [found.to_dict() for found in api.list({"active": True, "limit": 100}).auto_paging_iter()]
        default = [found for found in active if found["is_default"]]
        return next(iter(default + [found for found in active if found["metadata"] == OUR_METADATA]), None)

    def create() -> Json:
        return _create_object(api.create, wanted)

    return AccountPart(
        "portal", wanted, find, create, lambda found: api.update(found["id"], _untyped(wanted))
    )


def webhook_part(settings: Settings, url: str) -> AccountPart:
    """Return the webhook endpoint that sends events to `url`."""
    wanted = {"url": url, "enabled_events": sorted(EVENT_TYPES), "status": "enabled"}
    api = stripe_client(settings).v1.webhook_endpoints
    events = {"enabled_events": wanted["enabled_events"]}

    def find() -> Json | None:
        endpoints = api.list({"limit": 100}).auto_paging_iter()
        return next((endpoint.to_dict() for endpoint in endpoints if endpoint.url == url), None)

    def create() -> Json:
        return _create_object(api.create, {"url": url, "metadata": OUR_METADATA, **events})

    return AccountPart(
        "webhook endpoint",
        wanted,
        find,
        create,
        lambda found: api.update(found["id"], _untyped(events | {"disabled": False})),
    )


def _create_object(create: Callable[..., Any], wanted: Json) -> Json:
    made: Json = create(wanted).to_dict()
    return made


def _untyped(wanted: Json) -> Any:
    """Return the values without a type: the SDK wants literals, and these are compared as well as sent."""
    return wanted


def _none_if_missing(retrieve: Callable[[], Any]) -> Json | None:
    """Retrieve an object, or return None when Stripe does not have it."""
    try:
        with map_stripe_errors():
            found: Json = retrieve().to_dict()
    except PaymentsError as error:
        if error.code == RESOURCE_MISSING:
            return None
        raise
    return found


def _differences(wanted: Mapping[str, Any], found: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, value in wanted.items():
        there = found.get(name)
        if isinstance(value, Mapping):
            yield from _differences(value, there or {}, f"{path}{name}.")
        elif (sorted(there or ()) != sorted(value)) if isinstance(value, list) else there != value:
            yield f"{path}{name} is {there!r}, and should be {value!r}"
