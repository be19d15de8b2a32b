"""The parts that `stripe setup` creates besides the meter: products, prices, portal, webhook endpoint."""

from __future__ import annotations

from typing import Any

from stripe import params
from stripe.params import billing_portal

from tests.fake_stripe.form_encoding import flag
from tests.fake_stripe.routing import page, route
from tests.fake_stripe.world import Object, Refusal, World

PORTAL = "billing_portal.configuration"
Given = dict[str, Any]


@route("POST", "/v1/products", params.ProductCreateParams)
def create_product(world: World, given: Given) -> Object:
    products = world.objects.setdefault("product", {})
    if given["id"] in products:
        raise Refusal(f"Product already exists: {given['id']}", "resource_already_exists")
    made = _changed({"object": "product", "created": world.now, "metadata": {}}, given)
    products[given["id"]] = made
    return made


@route("GET", "/v1/products/<product_id>", params.ProductRetrieveParams)
def retrieve_product(world: World, given: Given, product_id: str) -> Object:
    return world.get("product", product_id)


@route("POST", "/v1/products/<product_id>", params.ProductUpdateParams)
def update_product(world: World, given: Given, product_id: str) -> Object:
    return _changed(world.get("product", product_id), given)


@route("POST", "/v1/prices", params.PriceCreateParams)
def create_price(world: World, given: Given) -> Object:
    world.get("product", given["product"])
    if meter := given["recurring"].get("meter"):
        world.get("billing.meter", meter)
    for holder in world.all("price", lookup_key=given["lookup_key"]):
        if not flag(given, "transfer_lookup_key"):
            raise Refusal("A price already uses that lookup key.", "resource_already_exists")
        holder["lookup_key"] = None
    known = {name: value for name, value in given.items() if name != "transfer_lookup_key"}
    return world.add("price", "price", active=True, **(known | {"unit_amount": int(given["unit_amount"])}))


@route("POST", "/v1/prices/<price_id>", params.PriceUpdateParams)
def update_price(world: World, given: Given, price_id: str) -> Object:
    return _changed(world.get("price", price_id), given)


@route("POST", "/v1/billing_portal/configurations", billing_portal.ConfigurationCreateParams)
def create_portal(world: World, given: Given) -> Object:
    return _changed(world.add(PORTAL, "bpc", active=True, is_default=False), given)


@route("GET", "/v1/billing_portal/configurations", billing_portal.ConfigurationListParams)
def list_portals(world: World, given: Given) -> Object:
    return page(world, world.all(PORTAL), given, "/v1/billing_portal/configurations")


@route("POST", "/v1/billing_portal/configurations/<portal_id>", billing_portal.ConfigurationUpdateParams)
def update_portal(world: World, given: Given, portal_id: str) -> Object:
    return _changed(world.get(PORTAL, portal_id), given)


@route("POST", "/v1/webhook_endpoints", params.WebhookEndpointCreateParams)
def create_endpoint(world: World, given: Given) -> Object:
    made = world.add("webhook_endpoint", "we", status="enabled", **given)
    return made | {"secret": f"whsec_{made['id']}"}  # only in this answer


@route("GET", "/v1/webhook_endpoints", params.WebhookEndpointListParams)
def list_endpoints(world: World, given: Given) -> Object:
    return page(world, world.all("webhook_endpoint"), given, "/v1/webhook_endpoints")


@route("POST", "/v1/webhook_endpoints/<endpoint_id>", params.WebhookEndpointUpdateParams)
def update_endpoint(world: World, given: Given, endpoint_id: str) -> Object:
    found = world.get("webhook_endpoint", endpoint_id)
    found["status"] = "disabled" if flag(given, "disabled") else "enabled"
    return _changed(found, {name: value for name, value in given.items() if name != "disabled"})


def _changed(thing: Object, given: Given) -> Object:
    """Merge what was sent into an object, with `true` and `false` as booleans."""
    for name, value in given.items():
        if isinstance(value, dict):
            thing[name] = _changed(thing.get(name) or {}, value)
        else:
            thing[name] = value == "true" if value in ("true", "false") else value
    return thing
