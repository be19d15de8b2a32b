"""Meters of the fake Stripe, which count usage by customer, once for each identifier."""

from __future__ import annotations

import math
from typing import Any

from stripe import params
from stripe.params import billing

from tests.fake_stripe.routing import page, route
from tests.fake_stripe.world import Object, Refusal, World

UNIQUE_FOR = 24 * 3600
OLDEST, NEWEST = 35 * 86400, 300
Given = dict[str, Any]


@route("POST", "/v1/billing/meters", billing.MeterCreateParams)
def create_meter(world: World, given: Given) -> Object:
    if world.all("billing.meter", event_name=given["event_name"], status="active"):
        raise Refusal(f"An active meter with event_name {given['event_name']} already exists.")
    return world.add("billing.meter", "mtr", status="active", **given)


@route("GET", "/v1/billing/meters", billing.MeterListParams)
def list_meters(world: World, given: Given) -> Object:
    wanted = {"status": given["status"]} if "status" in given else {}
    return page(world, world.all("billing.meter", **wanted), given, "/v1/billing/meters")


@route("GET", "/v1/billing/meters/<meter_id>", billing.MeterRetrieveParams)
def retrieve_meter(world: World, given: Given, meter_id: str) -> Object:
    return world.get("billing.meter", meter_id)


@route("POST", "/v1/billing/meters/<meter_id>", billing.MeterUpdateParams)
def update_meter(world: World, given: Given, meter_id: str) -> Object:
    found = world.get("billing.meter", meter_id)
    found |= given
    return found


@route("POST", "/v1/billing/meter_events", billing.MeterEventCreateParams)
def create_event(world: World, given: Given) -> Object:
    at = int(given["timestamp"])
    if not world.now - OLDEST <= at <= world.now + NEWEST:
        raise Refusal("The timestamp must be within the past 35 days and not in the future.")
    known = world.all("billing.meter_event", identifier=given["identifier"])
    if any(event["created"] > world.now - UNIQUE_FOR for event in known):
        raise Refusal(f"An event already exists with identifier {given['identifier']}.")
    if not world.all("billing.meter", event_name=given["event_name"], status="active"):
        raise Refusal(f"No active meter found for event name {given['event_name']}.")
    return world.add("billing.meter_event", "mte", **(given | {"timestamp": at}))


@route("GET", "/v1/billing/meters/<meter_id>/event_summaries", billing.MeterListEventSummariesParams)
def list_summaries(world: World, given: Given, meter_id: str) -> Object:
    meter, start, end = world.get("billing.meter", meter_id), int(given["start_time"]), int(given["end_time"])
    if start % 60 or end % 60:
        raise Refusal("start_time and end_time must be aligned with minute boundaries.")
    values = [
        float(event["payload"]["value"])
        for event in world.all("billing.meter_event", event_name=meter["event_name"])
        if event["payload"]["stripe_customer_id"] == given["customer"] and start <= event["timestamp"] < end
    ]
    whole: Object = {"object": "billing.meter_event_summary", "id": f"mtrusg_{start}", "meter": meter_id}
    whole |= {"aggregated_value": math.fsum(values), "start_time": start, "end_time": end, "livemode": False}
    return page(world, [whole], given, f"/v1/billing/meters/{meter_id}/event_summaries")


@route("GET", "/v1/subscription_items", params.SubscriptionItemListParams)
def list_items(world: World, given: Given) -> Object:
    found = world.get("subscription", given["subscription"])
    return page(world, found["items"]["data"], given, "/v1/subscription_items")


@route("POST", "/v1/subscription_items", params.SubscriptionItemCreateParams)
def create_item(world: World, given: Given) -> Object:
    subscription, price = world.get("subscription", given["subscription"]), world.get("price", given["price"])
    items = subscription["items"]["data"]
    if any(item["price"]["id"] == price["id"] for item in items):
        raise Refusal("Cannot add multiple subscription items with the same plan.")
    period = {name: items[0][name] for name in ("current_period_start", "current_period_end")}
    made = world.add("subscription_item", "si", subscription=subscription["id"], price=price, **period)
    items.append(made)
    world.emit("customer.subscription.updated", subscription)
    return made
