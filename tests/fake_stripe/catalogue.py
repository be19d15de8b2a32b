"""What is for sale, and where Stripe sends customers and events: products, prices, portal and endpoints."""

from __future__ import annotations

from tests.fake_stripe.forms import Params, is_on
from tests.fake_stripe.registry import PAGING, page, route
from tests.fake_stripe.world import RefusedError, Thing, World

FEATURES = (
    "features.customer_update.enabled", "features.customer_update.allowed_updates.#",
    "features.invoice_history.enabled", "features.payment_method_update.enabled",
    "features.subscription_cancel.enabled", "features.subscription_update.enabled",
)  # fmt: skip


@route("POST", "/v1/products", "id", "name", "active", "metadata.*")
def create_product(world: World, params: Params) -> Thing:
    if params["id"] in world.things:
        raise RefusedError(f"Product already exists: {params['id']}", "resource_already_exists")
    made = world.add("prod", "product", metadata={})
    del world.things[made["id"]]
    made |= params | {"active": is_on(params.get("active", "true"))}
    world.things[made["id"]] = made
    return made


@route("GET", "/v1/products/{}")
def product(world: World, _: Params, product_id: str) -> Thing:
    return world.get(product_id, "product")


@route("POST", "/v1/products/{}", "name", "active", "metadata.*")
def update_product(world: World, params: Params, product_id: str) -> Thing:
    return _changed(world.get(product_id, "product"), params)


@route(
    "POST", "/v1/prices", "product", "currency", "unit_amount", "lookup_key", "transfer_lookup_key",
    "recurring.interval", "recurring.usage_type", "recurring.meter", "metadata.*",
)  # fmt: skip
def create_price(world: World, params: Params) -> Thing:
    world.get(params["product"], "product")
    if meter := params["recurring"].get("meter"):
        world.get(meter, "billing.meter")
    for holder in world.all("price", lookup_key=params["lookup_key"]):
        if not is_on(params.get("transfer_lookup_key")):
            raise RefusedError("A price already uses that lookup key.", "resource_already_exists")
        holder["lookup_key"] = None
    known = {name: value for name, value in params.items() if name != "transfer_lookup_key"}
    known["unit_amount"] = int(params["unit_amount"])
    return world.add("price", "price", active=True, nickname=None, **({"metadata": {}} | known))


@route("POST", "/v1/prices/{}", "active", "metadata.*")
def update_price(world: World, params: Params, price_id: str) -> Thing:
    return _changed(world.get(price_id, "price"), params)


@route("GET", "/v1/billing/meters/{}")
def meter(world: World, _: Params, meter_id: str) -> Thing:
    return world.get(meter_id, "billing.meter")


@route("POST", "/v1/billing_portal/configurations", "default_return_url", *FEATURES, "metadata.*")
def create_portal(world: World, params: Params) -> Thing:
    made = world.add("bpc", "billing_portal.configuration", active=True, is_default=False, metadata={})
    return _changed(made, params)


@route("GET", "/v1/billing_portal/configurations", "active", "is_default", *PAGING)
def portals(world: World, params: Params) -> Thing:
    return page("/v1/billing_portal/configurations", world.all("billing_portal.configuration"), params)


@route(
    "POST", "/v1/billing_portal/configurations/{}", "default_return_url", "active", *FEATURES, "metadata.*"
)
def update_portal(world: World, params: Params, portal_id: str) -> Thing:
    return _changed(world.get(portal_id, "billing_portal.configuration"), params)


@route("POST", "/v1/webhook_endpoints", "url", "enabled_events.#", "metadata.*")
def create_endpoint(world: World, params: Params) -> Thing:
    made = world.add("we", "webhook_endpoint", status="enabled", **params)
    return made | {"secret": f"whsec_{made['id']}"}  # now, and never again


@route("GET", "/v1/webhook_endpoints", *PAGING)
def endpoints(world: World, params: Params) -> Thing:
    return page("/v1/webhook_endpoints", world.all("webhook_endpoint"), params)


@route("POST", "/v1/webhook_endpoints/{}", "enabled_events.#", "disabled", "metadata.*")
def update_endpoint(world: World, params: Params, endpoint_id: str) -> Thing:
    found = world.get(endpoint_id, "webhook_endpoint")
    found["status"] = "disabled" if is_on(params.pop("disabled", None)) else "enabled"
    return _changed(found, params)


def _changed(thing: Thing, params: Params) -> Thing:
    """What was sent is merged in, and `true` is a truth and no word."""
    for name, value in params.items():
        if isinstance(value, dict):
            thing[name] = _changed(thing.get(name) or {}, value)
        else:
            thing[name] = value == "true" if value in ("true", "false") else value
    return thing
