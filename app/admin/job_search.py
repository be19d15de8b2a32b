"""Find the jobs of one tab of the queue, with filters, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import joinedload

from app.billing.plans import TIERS
from app.extensions import db
from app.mail_addresses import normalize_address
from app.models import Job, User
from app.models.base import utcnow
from app.models.job import CANCELLED, COMPLETED, FAILED, PENDING, PROCESSING

PAGE_SIZE = 50
READY, DELAYED = "ready", "delayed"
# name: the state of its jobs, the column that orders them, and whether the latest come first
TABS: dict[str, tuple[str, Any, bool]] = {
    READY: (PENDING, Job.run_at, False),
    DELAYED: (PENDING, Job.run_at, False),
    "running": (PROCESSING, Job.started_at, False),
    "done": (COMPLETED, Job.finished_at, True),
    "failed": (FAILED, Job.finished_at, True),
    "cancelled": (CANCELLED, Job.finished_at, True),
}
MAX_COUNTED = 10_000


@dataclass(frozen=True)
class JobFilter:
    """A tab and its filters, as the URL carries them. Invalid values are dropped."""

    tab: str = READY
    tier: str = ""
    email: str = ""
    text: str = ""

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> JobFilter:
        tab, tier = args.get("tab", ""), args.get("tier", "")
        return cls(
            tab=tab if tab in TABS else READY,
            tier=tier if tier in TIERS else "",
            email=normalize_address(args.get("email", ""))[:254],
            text=args.get("text", "").strip()[:100],
        )

    def to_args(self, **changes: str) -> dict[str, Any]:
        values = {"tab": self.tab, "tier": self.tier, "email": self.email, "text": self.text} | changes
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True)
class JobPage:
    """One page of jobs, and the id to continue after; None on the last page."""

    jobs: list[Job]
    next_after: str | None


def find_jobs(query: JobFilter, after: str = "") -> JobPage:
    """Return one page of a tab, starting after the job with that id."""
    _, column, latest_first = TABS[query.tab]
    rows = select(Job).where(*filter_conditions(query))
    place = db.session.execute(select(column).where(Job.id == after)).scalar() if after else None
    if place is not None:
        beyond, next_id = (
            (column < place, Job.id < after) if latest_first else (column > place, Job.id > after)
        )
        rows = rows.where(or_(beyond, and_(column == place, next_id)))
    order = (column.desc(), Job.id.desc()) if latest_first else (column.asc(), Job.id.asc())
    jobs = db.session.scalars(rows.order_by(*order).limit(PAGE_SIZE + 1).options(joinedload(Job.user))).all()
    return JobPage(list(jobs[:PAGE_SIZE]), jobs[PAGE_SIZE - 1].id if len(jobs) > PAGE_SIZE else None)


def count_tab(tab: str) -> int:
    """Return how many jobs a tab has, counting no further than MAX_COUNTED."""
    some = select(Job.id).where(*_tab_conditions(tab, utcnow())).limit(MAX_COUNTED).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def filter_conditions(query: JobFilter) -> list[ColumnElement[bool]]:
    wanted = _tab_conditions(query.tab, utcnow())
    if query.tier:
        wanted.append(Job.tier == query.tier)
    if query.email:
        wanted.append(Job.user_id.in_(select(User.id).where(User.email == query.email)))
    if query.text:
        text = or_(
            Job.filename.icontains(query.text, autoescape=True),
            Job.error.icontains(query.text, autoescape=True),
            Job.id == query.text.upper(),
        )
        wanted.append(text)
    return wanted


def matching_ids(query: JobFilter, most: int) -> list[str]:
    """Return the ids of the first jobs that match, for an action on all of them."""
    return list(
        db.session.scalars(select(Job.id).where(*filter_conditions(query)).order_by(Job.id).limit(most))
    )


def _tab_conditions(tab: str, now: datetime) -> list[ColumnElement[bool]]:
    wanted = [Job.state == TABS[tab][0]]
    if tab in {READY, DELAYED}:
        wanted.append(Job.run_at <= now if tab == READY else Job.run_at > now)
    return wanted
