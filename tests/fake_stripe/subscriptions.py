"""Subscriptions of the fake Stripe, from start to end, by the clock of its account."""

from __future__ import annotations

from typing import Any

from stripe import params

from tests.fake_stripe import invoices
from tests.fake_stripe.form_encoding import flag
from tests.fake_stripe.routing import page, route
from tests.fake_stripe.world import Object, Refusal, World

DAY = 86400
MONTH = 30 * DAY
TRIES = 3  # of a card, a day apart, before the subscription ends
ENDED = ("canceled", "incomplete_expired")


def start(world: World, customer: str, price: Object, trial_days: int = 0, status: str = "active") -> Object:
    """Start a subscription as Checkout does: paid for, or in a trial."""
    length = trial_days * DAY or MONTH
    item = world.add(
        "subscription_item",
        "si",
        price=price,
        quantity=1,
        current_period_start=world.now,
        current_period_end=world.now + length,
    )
    made = world.add(
        "subscription",
        "sub",
        customer=customer,
        status="trialing" if trial_days else status,
        items={"object": "list", "data": [item], "has_more": False},
        cancel_at=None,
        cancel_at_period_end=False,
        canceled_at=None,
        ended_at=None,
        trial_end=world.now + length if trial_days else None,
        latest_invoice=None,
        pending_update=None,
        currency="usd",
        billing_mode={"type": "flexible"},
        collection_method="charge_automatically",
    )
    item["subscription"] = made["id"]
    words = "Trial" if trial_days else f"1 × {price['metadata']['plan'].title()}"
    cents = 0 if trial_days else price["unit_amount"]
    bill = invoices.issue(
        world, made, [invoices.line(price, cents, world.now, item["current_period_end"], words)]
    )
    world.emit("customer.subscription.created", made)
    if made["status"] != "incomplete":
        invoices.settle(world, bill)
    return made


def item_of(subscription: Object) -> Object:
    found: Object = subscription["items"]["data"][0]
    return found


def is_ending(subscription: Object) -> bool:
    return bool(subscription["cancel_at_period_end"] or subscription["cancel_at"])


def set_status(world: World, subscription: Object, status: str) -> None:
    subscription["status"] = status
    if status in ENDED:
        subscription["ended_at"] = world.now
    kind = "deleted" if status == "canceled" else "updated"
    world.emit(f"customer.subscription.{kind}", subscription)


def advance(world: World, seconds: int) -> None:
    """Advance the clock day by day, and do what is due on each day."""
    until = world.now + seconds
    while world.now < until:
        world.set_time = min(world.now + DAY, until)
        for found in world.all("subscription"):
            if found["status"] not in ENDED:
                _pass(world, found)


def _pass(world: World, found: Object) -> None:
    item, ends = item_of(found), found["cancel_at"] or 0
    if found["cancel_at_period_end"]:
        ends = item["current_period_end"]
    if ends and ends <= world.now:
        set_status(world, found, "canceled")
    elif found["status"] == "past_due":
        _try_again(world, found)
    elif item["current_period_end"] <= world.now:
        _renew(world, found, item)


def _renew(world: World, found: Object, item: Object) -> None:
    lines = next_lines(world, found)
    item["current_period_start"] = item["current_period_end"]
    item["current_period_end"] += MONTH
    bill = invoices.issue(world, found, lines)
    set_status(world, found, "active" if invoices.collect(world, bill) else "past_due")
    found["tries"] = 1


def _try_again(world: World, found: Object) -> None:
    bill = world.get("invoice", found["latest_invoice"])
    found["tries"] = found.get("tries", 0) + 1
    if invoices.collect(world, bill):
        set_status(world, found, "active")
    elif found["tries"] >= TRIES:
        set_status(world, found, "canceled")


def pay_invoice(world: World, invoice_id: str) -> None:
    """Pay an invoice as a customer on its hosted page, with 3-D Secure if the card needs it."""
    bill = world.get("invoice", invoice_id)
    if bill["status"] != "open":
        return
    invoices.settle(world, bill)
    found = world.get("subscription", bill["parent"]["subscription_details"]["subscription"])
    if found["pending_update"]:
        item_of(found)["price"] = world.get(
            "price", found["pending_update"]["subscription_items"][0]["price"]
        )
        found["pending_update"] = None
        set_status(world, found, found["status"])
    elif found["status"] in ("past_due", "incomplete", "unpaid"):
        set_status(world, found, "active")


def next_lines(world: World, found: Object) -> list[Object]:
    item = item_of(found)
    price, begins = item["price"], item["current_period_end"]
    words = f"1 × {price['metadata']['plan'].title()}"
    return [invoices.line(price, price["unit_amount"], begins, begins + MONTH, words)]


def proration(world: World, found: Object, price_id: str, at: int) -> list[Object]:
    """Return the lines that credit the rest of the old price and charge the rest of the new one."""
    item, price = item_of(found), world.get("price", price_id)
    ends = item["current_period_end"]
    share = (ends - at) / (ends - item["current_period_start"])
    before = invoices.line(
        item["price"], -round(item["price"]["unit_amount"] * share), at, ends, "Unused time"
    )
    return [before, invoices.line(price, round(price["unit_amount"] * share), at, ends, "Remaining time")]


@route("GET", "/v1/subscriptions", params.SubscriptionListParams)
def list_subscriptions(world: World, given: dict[str, Any]) -> Object:
    """List those that are not canceled, unless others are asked for."""
    wanted, found = given.get("status"), world.all("subscription", customer=given["customer"])
    listed = [
        each
        for each in found
        if wanted in ("all", each["status"]) or (wanted is None and each["status"] != "canceled")
    ]
    return page(world, listed, given, "/v1/subscriptions")


@route("GET", "/v1/subscriptions/<subscription_id>", params.SubscriptionRetrieveParams)
def retrieve(world: World, given: dict[str, Any], subscription_id: str) -> Object:
    return world.get("subscription", subscription_id)


@route("DELETE", "/v1/subscriptions/<subscription_id>", params.SubscriptionCancelParams)
def cancel(world: World, given: dict[str, Any], subscription_id: str) -> Object:
    found = world.get("subscription", subscription_id)
    if found["status"] in ENDED:
        raise Refusal(f"No such subscription: '{subscription_id}'", "resource_missing", 404)
    found["canceled_at"] = world.now
    set_status(world, found, "canceled")
    return found


@route("POST", "/v1/subscriptions/<subscription_id>", params.SubscriptionUpdateParams)
def update(world: World, given: dict[str, Any], subscription_id: str) -> Object:
    found = world.get("subscription", subscription_id)
    if found["status"] in ENDED:
        raise Refusal("A canceled subscription can only update its metadata.", status=400)
    if "cancel_at_period_end" in given:
        found["cancel_at_period_end"] = flag(given, "cancel_at_period_end")
    if "cancel_at" in given:
        found["cancel_at"] = int(given["cancel_at"]) if given["cancel_at"] else None
    if "items" in given:
        _swap(world, found, given)
    world.emit("customer.subscription.updated", found)
    return found


def _swap(world: World, found: Object, given: dict[str, Any]) -> None:
    item, price = given["items"][0], world.get("price", given["items"][0]["price"])
    if item["id"] != item_of(found)["id"]:
        raise Refusal(f"No such subscription_item: '{item['id']}'", "resource_missing", 404)
    at = int(given.get("proration_date", world.now))
    bill = invoices.issue(world, found, proration(world, found, price["id"], at))
    if invoices.collect(world, bill):
        item_of(found)["price"] = price
    elif given.get("payment_behavior") == "pending_if_incomplete":
        found["pending_update"] = {"expires_at": world.now + DAY, "subscription_items": [item]}
