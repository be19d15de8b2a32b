"""Invoices of the fake Stripe: issued, paid and previewed."""

from __future__ import annotations

from typing import Any

from stripe import params

from tests.fake_stripe.charges import charge
from tests.fake_stripe.routing import page, route
from tests.fake_stripe.world import Object, Refusal, World


def line(price: Object, cents: int, start: int, end: int, words: str) -> Object:
    details = {"price": price["id"], "product": price["product"]}
    return {
        "id": "il",
        "object": "line_item",
        "amount": cents,
        "currency": "usd",
        "description": words,
        "period": {"start": start, "end": end},
        "pricing": {"type": "price_details", "price_details": details, "unit_amount_decimal": None},
        "quantity": 1,
    }


def draft(world: World, subscription: Object, lines: list[Object]) -> Object:
    """Return the fields of an invoice, for a real one or a preview."""
    total = sum(entry["amount"] for entry in lines)
    return {
        "object": "invoice",
        "customer": subscription["customer"],
        "currency": "usd",
        "total": total,
        "amount_due": max(total, 0),
        "amount_paid": 0,
        "status": "draft",
        "created": world.now,
        "period_start": lines[-1]["period"]["start"],
        "period_end": lines[-1]["period"]["end"],
        "lines": {"object": "list", "data": lines, "has_more": False},
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"subscription": subscription["id"], "metadata": {}},
        },
        "status_transitions": {"paid_at": None},
        "number": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
    }


def issue(world: World, subscription: Object, lines: list[Object]) -> Object:
    """Add a finalised invoice that waits to be paid."""
    made = world.add("invoice", "in", **draft(world, subscription, lines))
    made |= {
        "status": "open",
        "number": f"SP404-{made['id'][-4:]}",
        "hosted_invoice_url": f"{world.url}/hosted/invoice/{made['id']}",
        "invoice_pdf": f"{world.url}/hosted/pdf/{made['id']}",
        "payments": {"object": "list", "data": [], "has_more": False},
    }
    subscription["latest_invoice"] = made["id"]
    return made


def collect(world: World, invoice: Object) -> bool:
    """Charge the customer's card and emit the events; return whether it was paid."""
    card = world.cards.get(invoice["customer"], "ok")
    if card == "ok" or invoice["amount_due"] == 0:
        settle(world, invoice)
        return True
    charge(world, invoice["customer"], invoice["amount_due"], paid=False)
    world.emit("invoice.payment_failed", invoice)
    if card == "needs_action":
        world.emit("invoice.payment_action_required", invoice)
    return False


def settle(world: World, invoice: Object) -> None:
    due = invoice["amount_due"]
    invoice |= {"status": "paid", "amount_paid": due, "status_transitions": {"paid_at": world.now}}
    if due:
        made = charge(world, invoice["customer"], due, paid=True)
        payment = {"type": "payment_intent", "payment_intent": made["payment_intent"]}
        invoice["payments"]["data"].append(
            {"object": "invoice_payment", "status": "paid", "payment": payment}
        )
    world.emit("invoice.paid", invoice)


@route("GET", "/v1/invoices", params.InvoiceListParams)
def list_invoices(world: World, given: dict[str, Any]) -> Object:
    return page(world, world.all("invoice", customer=given["customer"]), given, "/v1/invoices")


@route("GET", "/v1/invoices/<invoice_id>", params.InvoiceRetrieveParams)
def retrieve_invoice(world: World, given: dict[str, Any], invoice_id: str) -> Object:
    return world.get("invoice", invoice_id)


@route("POST", "/v1/invoices/create_preview", params.InvoiceCreatePreviewParams)
def preview(world: World, given: dict[str, Any]) -> Object:
    from tests.fake_stripe import subscriptions

    found = world.get("subscription", given["subscription"])
    if found["status"] == "canceled" or (
        subscriptions.is_ending(found) and "subscription_details" not in given
    ):
        raise Refusal("No upcoming invoices for this subscription", "invoice_upcoming_none")
    details = given.get("subscription_details")
    lines = (
        subscriptions.proration(world, found, details["items"][0]["price"], int(details["proration_date"]))
        if details
        else subscriptions.next_lines(world, found)
    )
    return draft(world, found, lines)
