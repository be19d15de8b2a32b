"""Invoices are found by their owner, with no transaction left open; a change is charged as it was offered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.billing import checkout, invoices
from app.extensions import db
from app.models import Invoice, User
from app.models.base import transaction, utcnow
from app.models.ownership import RowNotFoundError
from tests.billing.shop import Shop
from tests.fake_stripe.server import FakeStripe


def test_a_change_of_plan_is_charged_as_of_the_second_of_its_offer(shop: Shop) -> None:
    shop.subscribe()
    shop.hear()
    offered_at = int(utcnow().timestamp()) - 600
    checkout.change_plan(shop.user, "enterprise", offered_at)
    shop.hear()
    change = db.session.scalars(select(Invoice).where(Invoice.plan == "enterprise")).one()
    assert change.period_start.timestamp() == offered_at


def test_becoming_a_customer_changes_no_other_account(
    app: Flask, fake: FakeStripe, freeloader: User, stranger: User
) -> None:
    shop = Shop(app, fake, freeloader)
    shop.subscribe("enterprise")
    shop.hear()
    assert (shop.row.stripe_customer_id, shop.row.plan) == (shop.customer, "enterprise")
    assert stranger.subscription is not None
    assert (stranger.subscription.stripe_customer_id, stranger.subscription.plan) == (None, "pro")


def test_a_user_sees_their_own_invoices_and_an_operator_those_that_are_contested(
    owner: User, stranger: User
) -> None:
    add_invoice("in_1", owner)
    add_invoice("in_2", owner, refunded_cents=1)
    add_invoice("in_3", stranger, dispute_status="needs_response")
    assert {row.id for row in invoices.user_invoices(owner)} == {"in_1", "in_2"}
    assert {row.id for row in invoices.contested_invoices()} == {"in_2", "in_3"}


def test_the_newest_invoices_are_listed_first_and_old_ones_left_out(owner: User) -> None:
    now = utcnow()
    for days_ago, invoice_id in ((3, "in_b"), (1, "in_d"), (2, "in_a"), (2, "in_c")):
        add_invoice(invoice_id, owner, issued_at=now - timedelta(days=days_ago), refunded_cents=1)
    newest = ["in_d", "in_c", "in_a", "in_b"]
    assert [row.id for row in invoices.user_invoices(owner)] == newest
    assert [row.id for row in invoices.user_invoices(owner, limit=3)] == newest[:3]
    contested = [row.id for row in invoices.contested_invoices()]
    assert (contested[0], contested[-1]) == ("in_d", "in_b")
    assert [row.id for row in invoices.contested_invoices(limit=1)] == ["in_d"]


def test_finding_an_invoice_leaves_no_transaction_open(owner: User, stranger: User) -> None:
    add_invoice("in_1", owner)
    assert invoices.owned_invoice_id(owner, "in_1") == "in_1"
    assert not db.session().in_transaction()
    with pytest.raises(RowNotFoundError):
        invoices.owned_invoice_id(stranger, "in_1")


def add_invoice(invoice_id: str, user: User, **values: Any) -> None:
    now = utcnow()
    row: dict[str, Any] = {
        "id": invoice_id, "user_id": user.id, "customer_id": "cus_1", "plan": "pro", "status": "paid",
        "currency": "usd", "total_cents": 1500, "paid_cents": 1500, "period_start": now, "period_end": now,
        "issued_at": now,
    }  # fmt: skip
    with transaction() as session:
        session.add(Invoice(**row | values))
