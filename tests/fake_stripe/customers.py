"""Customers of the fake Stripe, and their portal."""

from __future__ import annotations

from typing import Any

from stripe import params
from stripe.params import billing_portal

from tests.fake_stripe.routing import route
from tests.fake_stripe.world import Object, World


@route("POST", "/v1/customers", params.CustomerCreateParams)
def create(world: World, given: dict[str, Any]) -> Object:
    made = world.add("customer", "cus", **given)
    world.emit("customer.created", made)
    return made


@route("GET", "/v1/customers/<customer_id>", params.CustomerRetrieveParams)
def retrieve(world: World, given: dict[str, Any], customer_id: str) -> Object:
    found = world.get("customer", customer_id)
    keep = ("id", "object", "deleted")
    return {name: found[name] for name in keep} if found.get("deleted") else found


@route("POST", "/v1/billing_portal/sessions", billing_portal.SessionCreateParams)
def open_portal(world: World, given: dict[str, Any]) -> Object:
    world.get("customer", given["customer"])
    session = world.add("billing_portal.session", "bps", **given)
    session["url"] = f"{world.url}/hosted/portal/{session['id']}"
    return session
