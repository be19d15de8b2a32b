"""The statements of a claim. They are built once and kept: building one takes longer than running it."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    select,
    union_all,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from app.jobs import workers
from app.models import Job, Sample, Subscription
from app.models.base import UtcDateTime
from app.models.job import PENDING, PROCESSING, is_running

# Skip users at their slot limit one row at a time for the first 64 rows, then one user at a time.
MAX_ROWS_READ = 64


@lru_cache(maxsize=16)
def select_running(worker_id: str | None, first_free: int) -> Select[str, str | None, str | None, int, int]:
    """Select each user who has jobs running, plan and status of their subscription, and how many jobs.

    Last comes how many of these are free jobs, of a priority from `first_free` on, that this worker runs.
    """
    held = workers.is_held_by(worker_id) if worker_id else false()
    free_here = func.sum(case((and_(Job.priority >= first_free, held), 1), else_=0))
    by = Job.user_id, Subscription.plan, Subscription.status
    running = select(*by, func.count(), free_here).where(is_running())
    return running.outerjoin(Subscription, Subscription.user_id == Job.user_id).group_by(*by)


@lru_cache(maxsize=1)
def select_subscription() -> Select[str, str]:
    """Select plan and status of the `owner`'s subscription."""
    return select(Subscription.plan, Subscription.status).where(Subscription.user_id == bindparam("owner"))


@lru_cache(maxsize=1)
def select_sample_keys() -> Select[str, str]:
    """Select where the original and the unit's WAV of a `sample` are."""
    return select(Sample.original_key, Sample.sp404_key).where(Sample.id == bindparam("sample"))


@lru_cache(maxsize=16)
def select_head(priorities: tuple[int, ...], known: tuple[str, ...]) -> Select[int, str]:
    """Select priority and user of the jobs that are first in line, for `due`.

    The rows of each priority are read by an index on their own: a range of priorities would also pass over
    every row of them that is not due yet.
    """
    columns = Job.priority, Job.user_id, Job.run_at, Job.id
    heads = [
        select(*columns)
        .where(*is_ready(each, known))
        .order_by(Job.run_at, Job.id)
        .limit(MAX_ROWS_READ)
        .subquery()
        for each in priorities
    ]
    line = union_all(*(select(head) for head in heads)).subquery()
    first = select(line.c.priority, line.c.user_id).order_by(line.c.priority, line.c.run_at, line.c.id)
    return first.limit(MAX_ROWS_READ)


@lru_cache(maxsize=16)
def select_other_user(priority: int) -> Select[str]:
    """Select the user who is `due` longest and not `full`, without reading the rows before theirs.

    A loose index scan: the index leads from one user to the next, and only each one's first row is read.
    """
    waiting = (Job.state == PENDING, Job.priority == priority)
    users = select(func.min(Job.user_id).label("user_id")).where(*waiting).cte("users", recursive=True)
    after = select(func.min(Job.user_id)).where(*waiting, Job.user_id > users.c.user_id).scalar_subquery()
    users = users.union_all(select(after).where(users.c.user_id.is_not(None)))
    first = select(func.min(Job.run_at)).where(*waiting, Job.user_id == users.c.user_id).scalar_subquery()
    others = users.c.user_id.not_in(bindparam("full", expanding=True))
    found = select(users.c.user_id, first.label("run_at")).where(others).subquery()
    is_due = found.c.run_at <= bindparam("due", type_=UtcDateTime)
    return select(found.c.user_id).where(is_due).order_by(found.c.run_at).limit(1)


@lru_cache(maxsize=16)
def start_first_job(priority: int, known: tuple[str, ...]) -> ReturningUpdate[Job]:
    """Give the first ready job of the `owner` to a worker until `lease_end`, and return its columns.

    No job is given when the owner has `limit` running. Their account is locked, so this counts what other
    claims took.
    """
    of_owner = Job.user_id == bindparam("owner")
    running = select(func.count()).where(of_owner, Job.state == PROCESSING).scalar_subquery()
    first = (
        select(Job.id)
        .where(*is_ready(priority, known), of_owner, running < bindparam("limit"))
        .order_by(Job.run_at, Job.id)
        .limit(1)
        .with_for_update(of=Job, skip_locked=True)
    )
    start = update(Job).where(Job.id == first.scalar_subquery())
    return start.values(
        state=PROCESSING,
        attempt=Job.attempt + 1,
        lease_token=bindparam("token"),
        lease_until=bindparam("lease_end"),
        worker=bindparam("holder"),
        started_at=bindparam("due"),
        error=None,
        error_detail=None,
    ).returning(*Job.__table__.columns)


def is_ready(priority: int, known: tuple[str, ...]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a job that may start at the time `due`, of a purpose this version knows."""
    due = Job.run_at <= bindparam("due", type_=UtcDateTime)
    return Job.state == PENDING, Job.priority == priority, due, Job.purpose.in_(known)
