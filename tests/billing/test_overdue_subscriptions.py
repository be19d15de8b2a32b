"""Which subscription counts, and whose is fetched again because its end has passed without an event."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.billing import subscription_refresh
from app.extensions import db
from app.integrations import payments
from app.integrations.payments.snapshot import (
    CustomerSnapshot,
    StripeInvoice,
    StripePrice,
    StripeSubscription,
    SubscriptionItem,
)
from app.models import Invoice, Subscription, User
from app.models.base import transaction, utcnow

MUG = StripePrice("price_mug", None, "a mug", is_metered=False)


def item(plan: str, ends: datetime, is_metered: bool = False) -> SubscriptionItem:
    return SubscriptionItem("si", StripePrice("price", None, plan, is_metered), utcnow(), ends)


def made(name: str, status: str, age_days: int, plan: str = "pro") -> StripeSubscription:
    created_at = utcnow() - timedelta(days=age_days)
    return StripeSubscription(name, status, (item(plan, utcnow()),), created_at, None)


@pytest.mark.parametrize(
    ("found", "counts"),
    [
        ((made("old", "active", 9), made("ended", "canceled", 1)), "old"),
        ((made("old", "past_due", 9), made("new", "active", 1)), "new"),
        ((made("new", "canceled", 1), made("old", "canceled", 9)), "new"),
        ((made("mug", "active", 1, "a mug"), made("ours", "unpaid", 9)), "ours"),
        ((made("mug", "active", 1, "a mug"),), None),
        ((), None),
    ],
)
def test_a_live_subscription_counts_first_and_then_the_latest(
    app: Flask,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    found: tuple[StripeSubscription, ...],
    counts: str | None,
) -> None:
    monkeypatch.setattr(payments, "customer_snapshot", lambda *_: CustomerSnapshot(True, found))
    pays(owner)
    assert subscription_refresh.refresh_subscription("cus_1") is owner
    is_paid_twice = sum(each.status in ("active", "past_due") for each in found if each.id != "mug") > 1
    assert ("more than one live subscription" in caplog.text) is is_paid_twice
    row = owner.subscription
    assert row is not None
    assert (row.stripe_subscription_id, row.stripe_customer_id) == (counts, "cus_1")
    assert (row.issued_number, row.applied_number) == (1, 1)
    assert row.refreshed_at is not None
    assert (row.current_period_end is None, row.status == "none") == (counts is None, counts is None)
    assert subscription_refresh.refresh_subscription("cus_unknown") is None


def pays(user: User) -> None:
    with transaction():
        assert user.subscription is not None
        user.subscription.stripe_customer_id = "cus_1"


def invoice(name: str) -> StripeInvoice:
    now = utcnow()
    money = {"status": "paid", "currency": "usd", "total_cents": 1500, "paid_cents": 1500}
    times = dict.fromkeys(("period_start", "period_end", "created_at", "paid_at"), now)
    none = dict.fromkeys(("number", "price_id", "hosted_url", "pdf_url"))
    fields: dict[str, Any] = money | times | none
    return StripeInvoice(id=name, payment_ids=frozenset(), lines=(), **fields)


def recorded_invoices() -> dict[str, str | None]:
    return {row.id: row.user_id for row in db.session.scalars(select(Invoice))}


def test_an_answer_that_was_asked_for_earlier_changes_nothing(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the first refresh waits for Stripe, a second one asks and saves what it is told."""
    asked: list[str] = []

    def ask(_: object, customer_id: str) -> CustomerSnapshot:
        assert not db.session().in_transaction()
        asked.append(customer_id)
        if len(asked) == 1:
            subscription_refresh.refresh_subscription("cus_1")
            return CustomerSnapshot(True, (made("early", "active", 1),), (invoice("in_early"),))
        return CustomerSnapshot(True, (made("late", "active", 1),), (invoice("in_late"),))

    monkeypatch.setattr(payments, "customer_snapshot", ask)
    pays(owner)
    assert subscription_refresh.refresh_subscription("cus_1") is owner
    row = owner.subscription
    assert row is not None
    assert (row.stripe_subscription_id, row.issued_number, row.applied_number) == ("late", 2, 2)
    assert recorded_invoices() == {"in_late": owner.id}
    subscription_refresh.refresh_subscription("cus_1")
    db.session.refresh(row)
    assert (row.issued_number, row.applied_number) == (3, 3)


def test_a_customer_who_is_gone_at_stripe_is_forgotten(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = CustomerSnapshot(False, (), (invoice("in_1"),))
    monkeypatch.setattr(payments, "customer_snapshot", lambda *_: snapshot)
    pays(owner)
    assert subscription_refresh.refresh_subscription("cus_1") is owner
    row, other = owner.subscription, stranger.subscription
    assert row is not None
    assert (row.plan, row.status, row.stripe_customer_id) == ("free", "none", None)
    assert (row.current_period_end, row.ends_at, row.stripe_subscription_id) == (None, None, None)
    assert other is not None
    assert (other.plan, other.status, other.issued_number) == ("pro", "active", 0)
    assert subscription_refresh.refresh_subscription("cus_1") is None
    assert recorded_invoices() == {"in_1": owner.id}


def test_invoices_of_an_account_that_is_gone_are_kept_for_the_books(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = CustomerSnapshot(True, (made("sub", "active", 1),), (invoice("in_1"),))
    monkeypatch.setattr(payments, "customer_snapshot", lambda *_: snapshot)
    assert subscription_refresh.refresh_subscription("cus_gone") is None
    assert recorded_invoices() == {"in_1": None}


def test_an_account_that_becomes_a_customer_meanwhile_is_left_to_its_own_refresh(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: object) -> CustomerSnapshot:
        pays(owner)
        return CustomerSnapshot(True, (made("sub", "active", 1, "enterprise"),))

    monkeypatch.setattr(payments, "customer_snapshot", ask)
    assert subscription_refresh.refresh_subscription("cus_1") is None
    row = owner.subscription
    assert row is not None
    assert (row.plan, row.refreshed_at, row.applied_number) == ("pro", None, 0)


def test_the_plan_is_that_of_the_base_price_and_lasts_as_long_as_the_longest_item(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = utcnow() + timedelta(days=20)
    items = (
        item("pro", ends - timedelta(days=5), is_metered=True),
        item("enterprise", ends),
        item("mug", ends),
    )
    status = "a status of more than twenty-four characters"
    found = StripeSubscription("sub_1", status, items, utcnow(), ends)
    monkeypatch.setattr(payments, "customer_snapshot", lambda *_: CustomerSnapshot(True, (found,)))
    pays(owner)
    subscription_refresh.refresh_subscription("cus_1")
    row = owner.subscription
    assert row is not None
    assert (row.plan, row.current_period_end, row.ends_at, row.status) == (
        "enterprise",
        ends,
        ends,
        status[:24],
    )


ENDED, SOON = timedelta(minutes=2, seconds=20), timedelta(minutes=1, seconds=40)


OVERDUE: tuple[tuple[dict[str, object], bool], ...] = (
    ({"current_period_end": -ENDED}, True),
    ({"current_period_end": -SOON}, False),
    ({"current_period_end": ENDED}, False),
    ({"ends_at": -ENDED, "current_period_end": ENDED}, True),
    ({"ends_at": -SOON, "current_period_end": SOON}, False),
    ({"current_period_end": -ENDED, "refreshed_at": timedelta(seconds=-40)}, True),
    ({"current_period_end": -ENDED, "refreshed_at": timedelta(seconds=-5)}, False),
    ({"current_period_end": -2 * ENDED, "ends_at": -ENDED, "refreshed_at": -ENDED / 2}, True),
    ({"ends_at": -ENDED, "current_period_end": ENDED, "refreshed_at": timedelta(seconds=-5)}, False),
    ({"current_period_end": -ENDED, "status": "canceled"}, False),
    ({"current_period_end": -ENDED, "stripe_customer_id": None}, False),
    ({}, False),
)


def test_a_subscription_is_overdue_two_minutes_after_its_end_until_it_is_fetched(
    owner: User, stranger: User
) -> None:
    assert isinstance(stranger.subscription, Subscription), "it never began to pay"
    times = dict.fromkeys(("current_period_end", "ends_at", "refreshed_at"))
    for changed, is_overdue in OVERDUE:
        now = utcnow()
        values: dict[str, object] = {"stripe_customer_id": "cus_1", "status": "active"} | times | changed
        with transaction():
            for name, value in values.items():
                setattr(owner.subscription, name, now + value if isinstance(value, timedelta) else value)
        assert subscription_refresh.overdue_customer_ids() == (["cus_1"] if is_overdue else []), changed
        known = ["cus_1"] if values["stripe_customer_id"] else []
        assert subscription_refresh.known_customer_ids() == known
