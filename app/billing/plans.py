"""The table of plans: every limit, price and priority is read from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from app.billing.subscription_status import LIVE_STATUSES
from app.integrations.payments.snapshot import StripePrice
from app.models import User

MB, GB, TB = 10**6, 10**9, 10**12
PRO_TIER, FREE_TIER = "pro-tier", "free-tier"


@dataclass(frozen=True)
class Plan:
    """One plan with its limits, its place in the queue and its price."""

    name: str
    label: str
    max_file_bytes: int
    uploads: int
    period: Literal["day", "month"]
    storage_bytes: int
    tier: str
    priority: int  # lower runs first
    slots: int  # jobs of one user that may run at once
    again: int  # samples that may be analysed or described again in 24 hours
    renders: int  # sounds that may be shaped in 24 hours
    exports: int  # cards of kits in 24 hours
    render_cache_bytes: int  # room for shaped sounds; the oldest make room for new ones
    models: Literal[
        "vibe_model_free", "vibe_model_pro", "vibe_model_enterprise"
    ]  # the setting that lists the models for descriptions
    price_cents: int = 0  # US cents a month
    price_key: str | None = None  # the lookup key of its price at Stripe; None when it is not for sale
    overage_price_cents: int | None = None  # US cents for each upload past the quota; None for no overage
    overage_key: str | None = None  # the lookup key of the overage price at Stripe

    @property
    def max_archive_bytes(self) -> int:
        """The largest ZIP of sounds or of projects: what is in it has to fit into the plan."""
        return min(self.storage_bytes, GB)

    @property
    def is_for_sale(self) -> bool:
        return self.price_key is not None

    @property
    def is_delayed(self) -> bool:
        return self.tier == FREE_TIER

    @property
    def this_period(self) -> str:
        """Return how a sentence names the current period: `today` or `this month`."""
        return "today" if self.period == "day" else "this month"

    def period_bounds(self, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return the start and the end of the day or month, in the user's time zone, that `now` falls in."""
        start = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.period == "day":
            # The next midnight of the calendar, because a day may have 23 or 25 hours.
            return start, _next_day(start)
        start = start.replace(day=1)
        year, month = (start.year + 1, 1) if start.month == 12 else (start.year, start.month + 1)
        return start, start.replace(year=year, month=month)


def _next_day(midnight: datetime) -> datetime:
    return datetime.fromordinal(midnight.toordinal() + 1).replace(tzinfo=midnight.tzinfo)


PLANS = {
    plan.name: plan
    for plan in (
        Plan(
            name="free", label="Free", max_file_bytes=10 * MB, uploads=10, period="day",
            storage_bytes=100 * MB, tier=FREE_TIER, priority=20, slots=2, again=100, renders=50, exports=5,
            render_cache_bytes=100 * MB, models="vibe_model_free",
        ),
        Plan(
            name="pro", label="Pro", max_file_bytes=100 * MB, uploads=1_000, period="month",
            storage_bytes=10 * GB, tier=PRO_TIER, priority=10, slots=4, again=5_000, renders=2_000,
            exports=100, render_cache_bytes=5 * GB, models="vibe_model_pro",
            price_cents=1500, price_key="sp404_pro_monthly",
            overage_price_cents=2, overage_key="sp404_pro_overage",
        ),
        Plan(
            name="enterprise", label="Enterprise", max_file_bytes=500 * MB, uploads=20_000, period="month",
            storage_bytes=1 * TB, tier=PRO_TIER, priority=10, slots=8, again=20_000,
            renders=20_000, exports=1_000, render_cache_bytes=50 * GB, models="vibe_model_enterprise",
            price_cents=9900, price_key="sp404_enterprise_monthly",
        ),
    )
}  # fmt: skip
FREE = PLANS["free"]
OVERAGE_PRICE_CENTS = next(plan.overage_price_cents for plan in PLANS.values() if plan.overage_price_cents)
FOR_SALE = tuple(plan for plan in PLANS.values() if plan.is_for_sale)
PLANS_BY_PRICE_KEY = {plan.price_key: plan for plan in FOR_SALE}
TIERS = tuple(dict.fromkeys(plan.tier for plan in PLANS.values()))
# Of all waiting jobs, those with the lower number always run first.
PRIORITIES = sorted({plan.priority for plan in PLANS.values()})


def plan_for_price(price: StripePrice) -> Plan | None:
    """Return the plan that a price at Stripe pays for, or None for a price of something else.

    The metadata is asked first, because it stays with a price for ever. The lookup key moves on to the next
    price when the plan's price changes.
    """
    if price.is_metered:
        return None
    return PLANS.get(price.plan_name or "") or PLANS_BY_PRICE_KEY.get(price.lookup_key)


def plan_for_user(user: User) -> Plan:
    """Return the plan in force for a user now: Free without a live subscription."""
    subscription = user.subscription
    return plan_by_status(subscription.plan, subscription.status) if subscription is not None else FREE


def plan_by_status(name: str | None, status: str | None) -> Plan:
    """Return the plan that a subscription of this name and status gives."""
    return PLANS[name] if name is not None and status in LIVE_STATUSES else FREE


def next_larger_plan(plan: Plan) -> Plan | None:
    """Return the next larger plan, or None for the largest."""
    larger = list(PLANS.values())[list(PLANS).index(plan.name) + 1 :]
    return larger[0] if larger else None
