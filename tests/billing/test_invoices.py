"""Invoices are found by their owner, with no transaction left open; a change is charged as it was offered."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.billing import checkout, invoices
from app.extensions import db
from app.models import Invoice, User
from app.models.base import transaction, utcnow
from app.models.ownership import RowNotFoundError
from tests.billing.shop import Shop


def test_a_change_of_plan_is_charged_as_of_the_second_of_its_offer(shop: Shop) -> None:
    shop.subscribe()
    shop.hear()
    offered_at = int(utcnow().timestamp()) - 600
    checkout.change_plan(shop.user, "enterprise", offered_at)
    shop.hear()
    change = db.session.scalars(select(Invoice).where(Invoice.plan == "enterprise")).one()
    assert change.period_start.timestamp() == offered_at


def test_finding_an_invoice_leaves_no_transaction_open(owner: User, stranger: User) -> None:
    now = utcnow()
    with transaction() as session:
        session.add(
            Invoice(
                id="in_1", user_id=owner.id, customer_id="cus_1", plan="pro", status="paid", currency="usd",
                total_cents=1500, paid_cents=1500, period_start=now, period_end=now, issued_at=now,
            )
        )  # fmt: skip
    assert invoices.owned_invoice_id(owner, "in_1") == "in_1"
    assert not db.session().in_transaction()
    with pytest.raises(RowNotFoundError):
        invoices.owned_invoice_id(stranger, "in_1")
