"""Report what a month cost and earned, for each user and each plan, from the usage ledger and the invoices.

A user's costs count under the plan they have today. For deleted accounts only the cost of their AI calls is
left, in a line of its own. Invoices are kept, so a plan's revenue includes accounts that were deleted since.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

from sqlalchemy import ColumnElement, Float, case, cast, func, select

from app.admin.queue_figures import epoch_seconds
from app.billing import plans
from app.billing.plans import GB, PLANS, Plan
from app.extensions import db, settings
from app.models import Invoice, Job, Usage, User
from app.models.base import utcnow
from app.models.usage import AI, ARCHIVE, OVERAGE, STORAGE, UPLOAD

MICRO = Decimal("0.000001")


@dataclass(frozen=True)
class Month:
    """A calendar month in UTC. The present month counts up to now."""

    start: datetime
    end: datetime

    @classmethod
    def containing(cls, time: datetime) -> Self:
        """Return the month that a time falls in."""
        start = datetime(time.year, time.month, 1, tzinfo=UTC)
        later = datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC)
        return cls(start, later)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the month of a text such as `2026-11`; the present one for any other text or the future."""
        now = utcnow()
        found = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", text, re.ASCII)
        start = datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC) if found else now
        return cls.containing(min(start, now))

    @property
    def name(self) -> str:
        return f"{self.start:%Y-%m}"

    @property
    def before(self) -> str:
        """The name of the month before."""
        return f"{self.start.year - (self.start.month == 1)}-{(self.start.month - 2) % 12 + 1:02d}"

    @property
    def after(self) -> str | None:
        """The name of the month after, or None for the present month."""
        return f"{self.end:%Y-%m}" if self.end <= utcnow() else None

    @property
    def until(self) -> datetime:
        """The end of what counts: of the month, or now."""
        return min(self.end, utcnow())


@dataclass(frozen=True)
class CostFigures:
    """Usage, its cost and its revenue. The field names are the columns of the CSV."""

    uploads: int = 0
    overage_uploads: int = 0  # of these, past the plan and charged
    jobs: int = 0
    ai_calls: int = 0
    ai_usd: Decimal = Decimal(0)
    storage_gb_months: Decimal = Decimal(0)
    storage_usd: Decimal = Decimal(0)
    revenue_usd: Decimal = Decimal(0)  # paid, less what was refunded or lost to a dispute

    @property
    def overage_usd(self) -> Decimal:
        """Return the price of the overage as of today; the invoices hold what was charged."""
        return self.overage_uploads * Decimal(plans.OVERAGE_PRICE_CENTS) / 100

    @property
    def cost_usd(self) -> Decimal:
        return self.ai_usd + self.storage_usd

    @property
    def margin_usd(self) -> Decimal:
        return self.revenue_usd - self.cost_usd

    def __add__(self, other: CostFigures) -> CostFigures:
        return CostFigures(*(getattr(self, name) + getattr(other, name) for name in COLUMNS))


COLUMNS = tuple(field.name for field in fields(CostFigures))


@dataclass(frozen=True)
class UserCosts:
    email: str
    plan: Plan
    figures: CostFigures


@dataclass(frozen=True)
class PlanCosts:
    plan: Plan
    users: int
    figures: CostFigures


@dataclass(frozen=True)
class CostReport:
    month: Month
    users: list[UserCosts]  # the most expensive first
    plans: list[PlanCosts]
    gone: CostFigures  # of accounts deleted since
    total: CostFigures


def monthly_report(month: Month) -> CostReport:
    """Return the costs and revenue of a month, by user, by plan and in total."""
    parts = defaultdict[str, dict[str, Any]](dict)
    counted = _usage_by_user(month)
    gone = CostFigures(**counted.get(None, {}))
    for found in (counted, _jobs_by_user(month), _storage_by_user(month), _user_revenue(month)):
        for user_id, values in found.items():
            if user_id is not None:
                parts[user_id].update(values)
    known = db.session.scalars(select(User)).unique()
    users = [
        UserCosts(user.email, plans.plan_for_user(user), CostFigures(**parts[user.id]))
        for user in known
        if user.id in parts
    ]
    users.sort(key=lambda line: (-line.figures.cost_usd, line.email))
    brought = _revenue(month, Invoice.plan)
    by_plan = [_plan_costs(plan, users, brought.get(plan.name, Decimal(0))) for plan in PLANS.values()]
    return CostReport(month, users, by_plan, gone, _sum_figures(by_plan) + gone)


def _plan_costs(plan: Plan, users: list[UserCosts], revenue_usd: Decimal) -> PlanCosts:
    own = [line for line in users if line.plan == plan]
    return PlanCosts(plan, len(own), replace(_sum_figures(own), revenue_usd=revenue_usd))


def _sum_figures(lines: Sequence[UserCosts | PlanCosts]) -> CostFigures:
    return sum((line.figures for line in lines), CostFigures())


def _user_revenue(month: Month) -> dict[str | None, dict[str, Any]]:
    return {user_id: {"revenue_usd": usd} for user_id, usd in _revenue(month, Invoice.user_id).items()}


def _revenue(month: Month, by: Any) -> dict[str, Decimal]:
    """Return what was paid in the month in US dollars, grouped by a column of the invoices.

    Refunds and lost disputes are subtracted; invoices in other currencies are left out.
    """
    lost = case((Invoice.dispute_status == "lost", Invoice.disputed_cents), else_=0)
    kept = func.sum(Invoice.paid_cents - Invoice.refunded_cents - lost)
    rows = db.session.execute(
        select(by, kept)
        .where(Invoice.currency == "usd", Invoice.paid_at >= month.start, Invoice.paid_at < month.until)
        .group_by(by)
    )
    return {value: Decimal(int(cents)) / 100 for value, cents in rows if value is not None}


def _usage_by_user(month: Month) -> dict[str | None, dict[str, Any]]:
    """Return uploads and AI calls, with what the calls cost, by user id. None stands for deleted accounts."""
    in_month = Usage.effective_at >= month.start, Usage.effective_at < month.until
    rows = db.session.execute(
        select(
            Usage.user_id,
            _quantity_of(UPLOAD),
            _quantity_of(OVERAGE),
            _quantity_of(AI),
            func.sum(Usage.cost_usd),
        )
        .where(Usage.kind.in_((UPLOAD, OVERAGE, AI)), *in_month)
        .group_by(Usage.user_id)
    )
    return {
        user_id: {
            "uploads": int(uploads),
            "overage_uploads": int(beyond),
            "ai_calls": int(calls),
            "ai_usd": usd,
        }
        for user_id, uploads, beyond, calls, usd in rows
    }


def _quantity_of(kind: str) -> ColumnElement[int]:
    return func.sum(case((Usage.kind == kind, Usage.quantity), else_=0))


def _jobs_by_user(month: Month) -> dict[str | None, dict[str, Any]]:
    """Return how many jobs ended, in any state, by user id."""
    ended = Job.finished_at >= month.start, Job.finished_at < month.until
    rows = db.session.execute(select(Job.user_id, func.count()).where(*ended).group_by(Job.user_id))
    return {user_id: {"jobs": count} for user_id, count in rows}


def _storage_by_user(month: Month) -> dict[str | None, dict[str, Any]]:
    """Return GB-months of storage and their cost by user id: each byte for as long as it was stored.

    What was stored before the month counts for all of it. The sums are floats, because bytes times seconds
    overflow the database's integers.
    """
    start, until = int(month.start.timestamp()), int(month.until.timestamp())
    held_s = case(
        (Usage.effective_at < month.start, until - start), else_=until - epoch_seconds(Usage.effective_at)
    )
    rows = db.session.execute(
        select(Usage.user_id, func.sum(cast(Usage.quantity, Float(53)) * held_s))
        .where(Usage.kind.in_((STORAGE, ARCHIVE)), Usage.effective_at < month.until)
        .group_by(Usage.user_id)
    )
    gb_month = GB * (month.end - month.start).total_seconds()
    found: dict[str | None, dict[str, Any]] = {}
    for user_id, byte_seconds in rows:
        gb_months = Decimal(max(byte_seconds, 0) / gb_month).quantize(MICRO)
        usd = (gb_months * settings().storage_usd_per_gb_month).quantize(MICRO)
        if gb_months:
            found[user_id] = {"storage_gb_months": gb_months, "storage_usd": usd}
    return found
