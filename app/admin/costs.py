"""What a month cost for everybody, from the usage ledger: AI, storage and jobs, for each user and each plan.

Accounts that are gone took their rows along, so a month shows who is there now, by the plan of now.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

from sqlalchemy import ColumnElement, Float, case, cast, func, select

from app.admin.figures import epoch
from app.billing import plans
from app.billing.plans import GB, PLANS, Plan
from app.extensions import db, settings
from app.models import Job, Usage, User
from app.models.base import utcnow
from app.models.usage import AI, OVERAGE, STORAGE, UPLOAD

MICRO = Decimal("0.000001")


@dataclass(frozen=True)
class Month:
    """A calendar month in UTC; of the present one, only what is over counts."""

    start: datetime
    end: datetime

    @classmethod
    def at(cls, time: datetime) -> Self:
        start = datetime(time.year, time.month, 1, tzinfo=UTC)
        later = datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC)
        return cls(start, later)

    @classmethod
    def read(cls, text: str) -> Self:
        """The month of `2026-11`; of anything else, and of what is yet to come, the present one."""
        now = utcnow()
        found = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", text, re.ASCII)
        start = datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC) if found else now
        return cls.at(min(start, now))

    @property
    def name(self) -> str:
        return f"{self.start:%Y-%m}"

    @property
    def before(self) -> str:
        return f"{self.start.year - (self.start.month == 1)}-{(self.start.month - 2) % 12 + 1:02d}"

    @property
    def after(self) -> str | None:
        return f"{self.end:%Y-%m}" if self.end <= utcnow() else None

    @property
    def until(self) -> datetime:
        return min(self.end, utcnow())


@dataclass(frozen=True)
class Figures:
    """What was used and what that cost; the field names are the columns of the CSV."""

    uploads: int = 0
    overage_uploads: int = 0  # of these, beyond the plan and for money
    jobs: int = 0
    ai_calls: int = 0
    ai_usd: Decimal = Decimal(0)
    storage_gb_months: Decimal = Decimal(0)
    storage_usd: Decimal = Decimal(0)

    @property
    def overage_usd(self) -> Decimal:
        """At the price of today; invoices say what was asked for."""
        return self.overage_uploads * Decimal(plans.OVERAGE_PRICE_CENTS) / 100

    @property
    def cost_usd(self) -> Decimal:
        return self.ai_usd + self.storage_usd

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, name) + getattr(other, name) for name in COLUMNS))


COLUMNS = tuple(field.name for field in fields(Figures))


@dataclass(frozen=True)
class UserCosts:
    email: str
    plan: Plan
    figures: Figures


@dataclass(frozen=True)
class PlanCosts:
    plan: Plan
    users: int
    figures: Figures


@dataclass(frozen=True)
class Report:
    month: Month
    users: list[UserCosts]  # the dearest first
    plans: list[PlanCosts]
    total: Figures


def report(month: Month) -> Report:
    parts: dict[str, dict[str, Any]] = {}
    for found in (_counted(month), _jobs(month), _stored(month)):
        for user_id, values in found.items():
            parts.setdefault(user_id, {}).update(values)
    known = db.session.scalars(select(User)).unique()
    users = [
        UserCosts(user.email, plans.for_user(user), Figures(**parts[user.id]))
        for user in known
        if user.id in parts
    ]
    users.sort(key=lambda line: (-line.figures.cost_usd, line.email))
    return Report(month, users, [_of_plan(plan, users) for plan in PLANS.values()], _sum(users))


def _of_plan(plan: Plan, users: list[UserCosts]) -> PlanCosts:
    own = [line for line in users if line.plan == plan]
    return PlanCosts(plan, len(own), _sum(own))


def _sum(lines: list[UserCosts]) -> Figures:
    return sum((line.figures for line in lines), Figures())


def _counted(month: Month) -> dict[str, dict[str, Any]]:
    """Uploads and calls to the AI, with what the calls cost."""
    in_month = Usage.effective_at >= month.start, Usage.effective_at < month.until
    rows = db.session.execute(
        select(Usage.user_id, _total(UPLOAD), _total(OVERAGE), _total(AI), func.sum(Usage.cost_usd))
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


def _total(kind: str) -> ColumnElement[int]:
    return func.sum(case((Usage.kind == kind, Usage.quantity), else_=0))


def _jobs(month: Month) -> dict[str, dict[str, Any]]:
    """Jobs that ended, whichever way."""
    ended = Job.finished_at >= month.start, Job.finished_at < month.until
    rows = db.session.execute(select(Job.user_id, func.count()).where(*ended).group_by(Job.user_id))
    return {user_id: {"jobs": count} for user_id, count in rows}


def _stored(month: Month) -> dict[str, dict[str, Any]]:
    """Each byte for as long as it lay there: of what was there before, that is the whole month.

    In floats, as bytes times seconds outgrow an integer of the database.
    """
    start, until = int(month.start.timestamp()), int(month.until.timestamp())
    held_s = case((Usage.effective_at < month.start, until - start), else_=until - epoch(Usage.effective_at))
    rows = db.session.execute(
        select(Usage.user_id, func.sum(cast(Usage.quantity, Float(53)) * held_s))
        .where(Usage.kind == STORAGE, Usage.effective_at < month.until)
        .group_by(Usage.user_id)
    )
    gb_month = GB * (month.end - month.start).total_seconds()
    found = {}
    for user_id, byte_seconds in rows:
        gb_months = Decimal(max(byte_seconds, 0) / gb_month).quantize(MICRO)
        usd = (gb_months * settings().storage_usd_per_gb_month).quantize(MICRO)
        if gb_months:
            found[user_id] = {"storage_gb_months": gb_months, "storage_usd": usd}
    return found
