"""Stripe's own pages: Checkout, an invoice to pay, and the portal. Each button names an outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tests.fake_stripe import checkout, subscriptions

if TYPE_CHECKING:
    from tests.fake_stripe.server import FakeStripe

Answer = tuple[int, dict[str, str], str]
HTML = {"Content-Type": "text/html; charset=utf-8"}


def answer(fake: FakeStripe, method: str, path: str, body: str) -> Answer:
    kind, object_id = path.split("/")[2:4]
    if kind == "pdf":
        return 200, {"Content-Type": "application/pdf"}, "%PDF-1.4\n%%EOF\n"
    with fake.world.lock:
        if method == "GET":
            return 200, HTML, _page(kind, _back(fake, kind, object_id))
        outcome = parse_qs(body)["outcome"][0]
        target = _act(fake, kind, object_id, outcome)
    fake.deliver()
    return 303, {"Location": target}, ""


def _act(fake: FakeStripe, kind: str, object_id: str, outcome: str) -> str:
    """Do what the button says. Return the URL to go to: of the product, or of this page after a decline."""
    world = fake.world
    if kind == "invoice":
        subscriptions.pay_invoice(world, object_id)
        return f"/hosted/invoice/{object_id}"
    if kind == "portal":
        customer = world.get("billing_portal.session", object_id)["customer"]
        world.cards[customer] = "ok"
        return _back(fake, kind, object_id)
    session = checkout.act(world, object_id, outcome)
    if session["status"] == "open":
        return f"/hosted/checkout/{object_id}"
    return str(session["success_url"])


def _back(fake: FakeStripe, kind: str, object_id: str) -> str:
    if kind == "checkout":
        return str(fake.world.get("checkout.session", object_id)["cancel_url"])
    if kind == "portal":
        return str(fake.world.get("billing_portal.session", object_id)["return_url"])
    return "#"


def _page(kind: str, back: str) -> str:
    outcomes = {"checkout": checkout.OUTCOMES, "invoice": ("paid",), "portal": ("new card",)}[kind]
    buttons = "".join(f'<button name="outcome" value="{name}">{name}</button>' for name in outcomes)
    return (
        f'<!doctype html><html lang="en"><title>Fake {kind}</title><main><h1>Fake {kind}</h1>'
        f'<form method="post">{buttons}</form><a href="{back}">Back</a></main></html>'
    )
