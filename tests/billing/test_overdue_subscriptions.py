"""Which subscription counts, and whose is fetched again because its end has passed without an event."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from app.billing import subscription_refresh
from app.integrations import payments
from app.integrations.payments.snapshot import (
    CustomerSnapshot,
    StripePrice,
    StripeSubscription,
    SubscriptionItem,
)
from app.models import Subscription, User
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
    found: tuple[StripeSubscription, ...],
    counts: str | None,
) -> None:
    monkeypatch.setattr(payments, "customer_snapshot", lambda *_: CustomerSnapshot(True, found))
    with transaction():
        assert owner.subscription is not None
        owner.subscription.stripe_customer_id = "cus_1"
    assert subscription_refresh.refresh_subscription("cus_1") is owner
    row = owner.subscription
    assert row is not None
    assert (row.stripe_subscription_id, row.stripe_customer_id) == (counts, "cus_1")
    assert (row.issued_number, row.applied_number) == (1, 1)
    assert row.refreshed_at is not None
    assert (row.current_period_end is None, row.status == "none") == (counts is None, counts is None)
    assert subscription_refresh.refresh_subscription("cus_unknown") is None


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
    with transaction():
        assert owner.subscription is not None
        owner.subscription.stripe_customer_id = "cus_1"
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
