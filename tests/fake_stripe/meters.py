"""Meters: usage is counted by customer, once by identifier, for the price that a subscription has."""

from __future__ import annotations

import math

from tests.fake_stripe.forms import Params
from tests.fake_stripe.registry import PAGING, page, route
from tests.fake_stripe.world import RefusedError, Thing, World

UNIQUE_FOR = 24 * 3600
OLDEST, NEWEST = 35 * 86400, 300


@route(
    "POST", "/v1/billing/meters", "display_name", "event_name", "default_aggregation.formula",
    "customer_mapping.type", "customer_mapping.event_payload_key", "value_settings.event_payload_key",
)  # fmt: skip
def create_meter(world: World, params: Params) -> Thing:
    if world.all("billing.meter", event_name=params["event_name"], status="active"):
        raise RefusedError(f"An active meter with event_name {params['event_name']} already exists.")
    return world.add("mtr", "billing.meter", status="active", **params)


@route("GET", "/v1/billing/meters", "status", *PAGING)
def meters(world: World, params: Params) -> Thing:
    return page("/v1/billing/meters", world.all("billing.meter", status=params.get("status")), params)


@route("POST", "/v1/billing/meters/{}", "display_name")
def update_meter(world: World, params: Params, meter_id: str) -> Thing:
    found = world.get(meter_id, "billing.meter")
    found |= params
    return found


@route("POST", "/v1/billing/meter_events", "event_name", "identifier", "timestamp", "payload.*")
def create_event(world: World, params: Params) -> Thing:
    at = int(params["timestamp"])
    if not world.now - OLDEST <= at <= world.now + NEWEST:
        raise RefusedError("The timestamp must be within the past 35 days and not in the future.")
    known = world.all("billing.meter_event", identifier=params["identifier"])
    if any(event["created"] > world.now - UNIQUE_FOR for event in known):
        raise RefusedError(f"An event already exists with identifier {params['identifier']}.")
    if not world.all("billing.meter", event_name=params["event_name"], status="active"):
        raise RefusedError(f"No active meter found for event name {params['event_name']}.")
    return world.add("mte", "billing.meter_event", **(params | {"timestamp": at}))


@route(
    "GET", "/v1/billing/meters/{}/event_summaries", "customer", "start_time", "end_time",
    "value_grouping_window", *PAGING,
)  # fmt: skip
def summaries(world: World, params: Params, meter_id: str) -> Thing:
    meter, start, end = (
        world.get(meter_id, "billing.meter"),
        int(params["start_time"]),
        int(params["end_time"]),
    )
    if start % 60 or end % 60:
        raise RefusedError("start_time and end_time must be aligned with minute boundaries.")
    values = [
        float(event["payload"]["value"])
        for event in world.all("billing.meter_event", event_name=meter["event_name"])
        if event["payload"]["stripe_customer_id"] == params["customer"] and start <= event["timestamp"] < end
    ]
    whole: Thing = {"object": "billing.meter_event_summary", "id": f"mtrusg_{start}", "meter": meter_id}
    whole |= {"aggregated_value": math.fsum(values), "start_time": start, "end_time": end, "livemode": False}
    return page(f"/v1/billing/meters/{meter_id}/event_summaries", [whole], params)


@route("GET", "/v1/subscription_items", "subscription", *PAGING)
def items(world: World, params: Params) -> Thing:
    found = world.get(params["subscription"], "subscription")
    return page("/v1/subscription_items", found["items"]["data"], params)


@route("POST", "/v1/subscription_items", "subscription", "price")
def create_item(world: World, params: Params) -> Thing:
    subscription, price = (
        world.get(params["subscription"], "subscription"),
        world.get(params["price"], "price"),
    )
    if any(item["price"]["id"] == price["id"] for item in subscription["items"]["data"]):
        raise RefusedError("Cannot add multiple subscription items with the same plan.")
    period = {name: subscription["items"]["data"][0][name] for name in PERIOD}
    made = world.add(
        "si", "subscription_item", subscription=subscription["id"], price=price, metadata={}, **period
    )
    subscription["items"]["data"].append(made)
    world.emit("customer.subscription.updated", subscription)
    return made


PERIOD = ("current_period_start", "current_period_end")
