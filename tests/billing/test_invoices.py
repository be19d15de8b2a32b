"""Invoices are found by their owner, and no transaction stays open while Stripe is asked for one."""

from __future__ import annotations

import pytest

from app.billing import invoices
from app.extensions import db
from app.models import Invoice, User
from app.models.base import transaction, utcnow
from app.models.ownership import RowNotFoundError


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
