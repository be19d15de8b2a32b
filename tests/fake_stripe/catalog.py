"""Products and prices of the fake Stripe."""

from __future__ import annotations

from typing import Any

from stripe import params

from tests.fake_stripe.routing import page, route
from tests.fake_stripe.world import Object, World

PLANS = {"pro": 1500, "enterprise": 9900}


def add_plans(world: World) -> None:
    """Add the products and prices of the paid plans."""
    for plan, cents in PLANS.items():
        product = world.add("product", "prod", name=plan.title(), active=True)
        world.add(
            "price",
            "price",
            active=True,
            currency="usd",
            unit_amount=cents,
            billing_scheme="per_unit",
            type="recurring",
            product=product["id"],
            lookup_key=f"sp404_{plan}_monthly",
            metadata={"plan": plan},
            recurring={"interval": "month", "interval_count": 1, "usage_type": "licensed", "meter": None},
        )


@route("GET", "/v1/prices", params.PriceListParams)
def list_prices(world: World, given: dict[str, Any]) -> Object:
    keys = given.get("lookup_keys")
    found = [price for price in world.all("price") if not keys or price["lookup_key"] in keys]
    return page(world, found, given, "/v1/prices")


@route("GET", "/v1/prices/<price_id>", params.PriceRetrieveParams)
def retrieve_price(world: World, given: dict[str, Any], price_id: str) -> Object:
    return world.get("price", price_id)
