"""What a Stripe account needs for this product, each part with how it is found, made and put right.

A part is found by a name of ours (an id, a lookup key, an address), so nothing is ever made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.config import Settings
from app.integrations.payments import meters
from app.integrations.payments.connection import GONE, OURS, PaymentsError, client, one_error
from app.integrations.payments.events import EVENT_TYPES

Json = dict[str, Any]
METER_NAME = "Uploads beyond the plan"


@dataclass(frozen=True)
class Part:
    """`find` answers what is there, or None; `update` puts right what differs, or says that it can't."""

    name: str
    wanted: Json
    find: Callable[[], Json | None]
    create: Callable[[], Json]
    update: Callable[[Json], object]

    def differences(self) -> list[str]:
        found = self.find()
        return ["is missing"] if found is None else list(_differences(self.wanted, found))


def meter(settings: Settings) -> Part:
    """A meter can't be altered but for its name: another one would need another event name."""
    wanted = {
        "display_name": METER_NAME,
        "event_name": meters.EVENT,
        "default_aggregation": {"formula": "sum"},
        "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
        "value_settings": {"event_payload_key": "value"},
    }
    api = client(settings).v1.billing.meters

    def find() -> Json | None:
        found = meters.find(settings)
        return api.retrieve(found).to_dict() if found else None

    def update(found: Json) -> object:
        return api.update(found["id"], {"display_name": METER_NAME})

    return Part("meter", wanted, find, lambda: _made(api.create, wanted), update)


def product(settings: Settings, product_id: str, name: str) -> Part:
    wanted = {"name": name, "active": True, "metadata": OURS}
    api = client(settings).v1.products
    return Part(
        f"product {product_id}",
        wanted,
        lambda: _unless_gone(lambda: api.retrieve(product_id)),
        lambda: _made(api.create, {"id": product_id, **wanted}),
        lambda found: api.update(found["id"], _loose(wanted)),
    )


def price(
    settings: Settings, lookup_key: str, product_id: str, cents: int, labels: Json, meter_id: str
) -> Part:
    """A monthly price; with a meter, for each thing that it has counted. Another amount is another price:
    the lookup key moves on to it, and whoever pays the old one goes on paying that."""
    usage = {"usage_type": "metered", "meter": meter_id} if meter_id else {"usage_type": "licensed"}
    wanted = {
        "product": product_id,
        "currency": "usd",
        "unit_amount": cents,
        "recurring": {"interval": "month", **usage},
        "metadata": OURS | labels,
    }
    api = client(settings).v1.prices

    def find() -> Json | None:
        found = api.list({"lookup_keys": [lookup_key], "active": True, "limit": 1}).data
        return found[0].to_dict() if found else None

    def create() -> Json:
        return _made(api.create, wanted | {"lookup_key": lookup_key, "transfer_lookup_key": True})

    def update(found: Json) -> None:
        if list(_differences({"metadata": wanted["metadata"]}, found)) == list(_differences(wanted, found)):
            api.update(found["id"], _loose({"metadata": wanted["metadata"]}))
            return
        create()
        api.update(found["id"], {"active": False})

    return Part(f"price {lookup_key}", wanted, find, create, update)


def portal(settings: Settings, return_url: str) -> Part:
    """Cards, addresses and invoices are Stripe's; plans are changed and cancelled here, with a preview.

    Stripe opens the account's default configuration, so that one is put right where there is one.
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
        "metadata": OURS,
    }
    api = client(settings).v1.billing_portal.configurations

    def find() -> Json | None:
        active = [found.to_dict() for found in api.list({"active": True, "limit": 100}).auto_paging_iter()]
        default = [found for found in active if found["is_default"]]
        return next(iter(default + [found for found in active if found["metadata"] == OURS]), None)

    def create() -> Json:
        return _made(api.create, wanted)

    return Part("portal", wanted, find, create, lambda found: api.update(found["id"], _loose(wanted)))


def webhook(settings: Settings, url: str) -> Part:
    wanted = {"url": url, "enabled_events": sorted(EVENT_TYPES), "status": "enabled"}
    api = client(settings).v1.webhook_endpoints
    events = {"enabled_events": wanted["enabled_events"]}

    def find() -> Json | None:
        endpoints = api.list({"limit": 100}).auto_paging_iter()
        return next((endpoint.to_dict() for endpoint in endpoints if endpoint.url == url), None)

    def create() -> Json:
        return _made(api.create, {"url": url, "metadata": OURS, **events})

    return Part(
        "webhook endpoint",
        wanted,
        find,
        create,
        lambda found: api.update(found["id"], _loose(events | {"disabled": False})),
    )


def _made(create: Callable[..., Any], wanted: Json) -> Json:
    made: Json = create(wanted).to_dict()
    return made


def _loose(wanted: Json) -> Any:
    """The SDK's types want a literal; these are values that are compared as well."""
    return wanted


def _unless_gone(retrieve: Callable[[], Any]) -> Json | None:
    try:
        with one_error():
            found: Json = retrieve().to_dict()
    except PaymentsError as error:
        if error.code == GONE:
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
