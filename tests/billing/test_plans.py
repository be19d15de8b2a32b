"""What the plans cost and allow, which price pays for which, and when their periods begin."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from app.billing import plans
from app.billing.plans import PLANS
from app.integrations.payments.snapshot import StripePrice
from app.models import Subscription, User


def name_of(plan: plans.Plan | None) -> str | None:
    return plan.name if plan else None


def test_the_limits_are_those_that_the_plan_page_sells() -> None:
    limits = {
        name: (
            plan.uploads, plan.period, plan.max_file_bytes, plan.storage_bytes, plan.max_archive_bytes,
            plan.slots, plan.again, plan.renders, plan.exports, plan.render_cache_bytes, plan.price_cents,
            plan.overage_price_cents,
        )
        for name, plan in PLANS.items()
    }  # fmt: skip
    assert limits == {
        "free": (10, "day", 10_000_000, 100_000_000, 100_000_000, 2, 100, 50, 5, 100_000_000, 0, None),
        "pro": (1000, "month", 100_000_000, 10**10, 10**9, 4, 5000, 2000, 100, 5 * 10**9, 1500, 2),
        "enterprise": (
            20_000, "month", 500_000_000, 10**12, 10**9, 8, 20_000, 20_000, 1000, 5 * 10**10, 9900, None
        ),
    }  # fmt: skip
    free, pro = PLANS["free"], PLANS["pro"]
    assert (free.is_for_sale, free.is_delayed, free.this_period) == (False, True, "today")
    assert (pro.is_for_sale, pro.is_delayed, pro.this_period) == (True, False, "this month")
    assert [plan.name for plan in plans.FOR_SALE] == ["pro", "enterprise"]
    assert plans.PRIORITIES == [10, 20]
    assert pro.priority < free.priority
    assert plans.OVERAGE_PRICE_CENTS == 2


def test_each_plan_names_the_next_larger_one() -> None:
    assert [name_of(plans.next_larger_plan(plan)) for plan in PLANS.values()] == ["pro", "enterprise", None]


@pytest.mark.parametrize(
    ("price", "plan"),
    [
        (StripePrice("p", plan_name="pro", lookup_key=None, is_metered=False), "pro"),
        (StripePrice("p", plan_name=None, lookup_key="sp404_pro_monthly", is_metered=False), "pro"),
        (StripePrice("p", plan_name="pro", lookup_key="sp404_enterprise_monthly", is_metered=False), "pro"),
        (StripePrice("p", plan_name="a mug", lookup_key="mug", is_metered=False), None),
        (StripePrice("p", plan_name="pro", lookup_key="sp404_pro_overage", is_metered=True), None),
    ],
)  # fmt: skip
def test_a_price_pays_for_its_plan(price: StripePrice, plan: str | None) -> None:
    assert name_of(plans.plan_for_price(price)) == plan


def test_a_plan_is_in_force_while_its_subscription_lives() -> None:
    assert name_of(plans.plan_for_user(User())) == "free"
    for status, plan in (
        ("active", "pro"),
        ("trialing", "pro"),
        ("past_due", "pro"),
        ("canceled", "free"),
        ("none", "free"),
    ):
        user = User(subscription=Subscription(plan="pro", status=status))
        assert name_of(plans.plan_for_user(user)) == plan, status


@pytest.mark.parametrize(
    ("plan", "now", "start", "end"),
    [
        ("free", "2026-11-24T00:00:00", "2026-11-24", "2026-11-25"),
        ("free", "2026-11-24T23:59:59.999999", "2026-11-24", "2026-11-25"),
        ("free", "2026-12-31T12:00", "2026-12-31", "2027-01-01"),
        ("pro", "2026-11-01T00:00:00", "2026-11-01", "2026-12-01"),
        ("pro", "2026-11-30T23:59:59.999999", "2026-11-01", "2026-12-01"),
        ("pro", "2026-01-31T05:00", "2026-01-01", "2026-02-01"),
        ("pro", "2026-12-01T00:00", "2026-12-01", "2027-01-01"),
    ],
)
def test_a_period_begins_at_midnight_and_ends_when_the_next_begins(
    plan: str, now: str, start: str, end: str
) -> None:
    zone = ZoneInfo("America/New_York")
    bounds = PLANS[plan].period_bounds(datetime.fromisoformat(now).replace(tzinfo=zone), zone)
    assert bounds == tuple(datetime.fromisoformat(day).replace(tzinfo=zone) for day in (start, end))
