"""Charges, refunds and disputes of the fake Stripe."""

from __future__ import annotations

from typing import Any

from stripe import params

from tests.fake_stripe.routing import page, route
from tests.fake_stripe.world import Object, World


def charge(world: World, customer: str, cents: int, paid: bool) -> Object:
    """Add one attempt to take money, with its own payment intent."""
    status = "succeeded" if paid else "requires_payment_method"
    intent = world.add("payment_intent", "pi", customer=customer, amount=cents, status=status)
    return world.add(
        "charge",
        "ch",
        customer=customer,
        amount=cents,
        amount_refunded=0,
        currency="usd",
        paid=paid,
        refunded=False,
        disputed=False,
        status="succeeded" if paid else "failed",
        payment_intent=intent["id"],
    )


def refund(world: World, charge_id: str, cents: int) -> None:
    found = world.get("charge", charge_id)
    found["amount_refunded"] += cents
    found["refunded"] = found["amount_refunded"] == found["amount"]
    world.emit("charge.refunded", found)


def dispute(world: World, charge_id: str) -> Object:
    found = world.get("charge", charge_id)
    found["disputed"] = True
    made = world.add(
        "dispute",
        "du",
        charge=charge_id,
        payment_intent=found["payment_intent"],
        amount=found["amount"],
        currency="usd",
        reason="fraudulent",
        status="needs_response",
    )
    world.emit("charge.dispute.created", made)
    return made


def close_dispute(world: World, dispute_id: str, won: bool) -> None:
    found = world.get("dispute", dispute_id)
    found["status"] = "won" if won else "lost"
    world.emit("charge.dispute.closed", found)


@route("GET", "/v1/charges", params.ChargeListParams)
def list_charges(world: World, given: dict[str, Any]) -> Object:
    return page(world, world.all("charge", customer=given["customer"]), given, "/v1/charges")


@route("GET", "/v1/charges/<charge_id>", params.ChargeRetrieveParams)
def retrieve_charge(world: World, given: dict[str, Any], charge_id: str) -> Object:
    return world.get("charge", charge_id)


@route("GET", "/v1/disputes", params.DisputeListParams)
def list_disputes(world: World, given: dict[str, Any]) -> Object:
    return page(world, world.all("dispute", charge=given["charge"]), given, "/v1/disputes")
