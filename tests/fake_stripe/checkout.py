"""Checkout sessions, and what a customer does on their page."""

from __future__ import annotations

from typing import Any

from stripe.params import checkout

from tests.fake_stripe import subscriptions
from tests.fake_stripe.charges import charge
from tests.fake_stripe.routing import page, route
from tests.fake_stripe.world import Object, Refusal, World

OUTCOMES = ("paid", "declined", "3-D Secure", "later")


@route("POST", "/v1/checkout/sessions", checkout.SessionCreateParams)
def create(world: World, given: dict[str, Any]) -> Object:
    if world.get("customer", given["customer"]).get("deleted"):
        raise Refusal("No such customer", "resource_missing")
    world.get("price", given["line_items"][0]["price"])
    session = world.add("checkout.session", "cs_test", **given)
    url = f"{world.url}/hosted/checkout/{session['id']}"
    return session_update(session, status="open", payment_status="unpaid", subscription=None, url=url)


@route("GET", "/v1/checkout/sessions", checkout.SessionListParams)
def list_sessions(world: World, given: dict[str, Any]) -> Object:
    wanted = {name: given[name] for name in ("customer", "status") if name in given}
    return page(world, world.all("checkout.session", **wanted), given, "/v1/checkout/sessions")


@route("GET", "/v1/checkout/sessions/<session_id>", checkout.SessionRetrieveParams)
def retrieve_session(world: World, given: dict[str, Any], session_id: str) -> Object:
    return world.get("checkout.session", session_id)


@route("POST", "/v1/checkout/sessions/<session_id>/expire", checkout.SessionExpireParams)
def expire(world: World, given: dict[str, Any], session_id: str) -> Object:
    session = world.get("checkout.session", session_id)
    if session["status"] != "open":
        raise Refusal('Only Checkout Sessions with a status in ["open"] can be expired.')
    world.emit("checkout.session.expired", session_update(session, status="expired", url=None))
    return session


def act(world: World, session_id: str, outcome: str) -> Object:
    """Act as the customer, who pays, is declined, passes 3-D Secure or pays by a slow method."""
    session = world.get("checkout.session", session_id)
    if session["status"] != "open":
        raise Refusal("This session is over.")
    price = world.get("price", session["line_items"][0]["price"])
    if outcome == "declined":
        charge(world, session["customer"], price["unit_amount"], paid=False)
        return session
    days = int(session.get("subscription_data", {}).get("trial_period_days", 0))
    status = "incomplete" if outcome == "later" else "active"
    made = subscriptions.start(world, session["customer"], price, days, status)
    payment = "unpaid" if outcome == "later" else "paid"
    session_update(session, status="complete", payment_status=payment, subscription=made["id"], url=None)
    world.emit("checkout.session.completed", session)
    return session


def session_update(session: Object, **values: Any) -> Object:
    session |= values
    return session
