"""Decide which job is next: paid tiers strictly before free, first come first served inside a tier.

No user takes every slot while another user of the tier waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    select,
    union_all,
    update,
)

from app.billing import plans
from app.billing.plans import Plan
from app.extensions import db, settings
from app.jobs import purposes, workers
from app.jobs.purposes import Purpose
from app.models import Job, User, Worker
from app.models.base import UtcDateTime, transaction, utcnow
from app.models.job import PENDING, PROCESSING

# Skip users at their slot limit one row at a time for the first 64 rows, then one user at a time.
MAX_ROWS_READ = 64


@dataclass(frozen=True)
class Candidate:
    """A user with a ready job of this priority, and how many running jobs they must stay below."""

    user_id: str
    priority: int
    limit: int


class RunningJobs:
    """How many jobs each user has running now, read once for a claim, and how many they may have."""

    def __init__(self, worker: Worker | None) -> None:
        in_tier = Job.priority >= purposes.first_free_priority()
        held = workers.is_held_by(worker.id) if worker is not None else false()
        free_here = func.sum(case((and_(in_tier, held), 1), else_=0))
        running = select(Job.user_id, func.count(), free_here).where(Job.state == PROCESSING)
        rows = db.session.execute(running.group_by(Job.user_id)).all()
        self._counts = {row[0]: int(row[1]) for row in rows}
        self.free_on_worker = sum(int(row[2]) for row in rows)
        self._slots = _plan_slots(self._counts) if rows else {}

    def users_at_limit(self, limit: int) -> set[str]:
        """Return the users who have as many jobs running as their plan, or `limit`, allows."""
        return {user_id for user_id, count in self._counts.items() if count >= self.limit_for(user_id, limit)}

    def limit_for(self, user_id: str, limit: int) -> int:
        """Return how many jobs a user may have running, of at most `limit`."""
        if user_id not in self._slots:
            self._slots |= _plan_slots([user_id])
        return min(limit, self._slots[user_id])


def next_candidate(worker: Worker | None, slots: int) -> Candidate | None:
    """Return the user whose job is next for this worker; None when no ready job may run.

    `slots` is how many jobs all workers together can run.
    """
    running = RunningJobs(worker)
    priorities = _allowed_priorities(worker, running.free_on_worker)
    while priorities:
        line = _head_of_line(priorities)
        # The rows of this priority, and of those after it, may not have been read to their end.
        cut_off = line[-1][0] if len(line) == MAX_ROWS_READ else None
        for priority in priorities:
            users = [user_id for row_priority, user_id in line if row_priority == priority]
            for limit in _running_limits(slots):
                user_id = _find_user(priority, users, running.users_at_limit(limit), priority == cut_off)
                if user_id is not None:
                    return Candidate(user_id, priority, running.limit_for(user_id, limit))
            if priority == cut_off:
                break
        priorities = [priority for priority in priorities if cut_off is not None and priority > cut_off]
    return None


def select_first_job(candidate: Candidate) -> Select[str]:
    """Select the id of the candidate's first ready job, unless they have as many running as they may.

    The caller has locked the account, so the count includes what other claims took.
    """
    running = select(func.count()).where(Job.user_id == candidate.user_id, Job.state == PROCESSING)
    return (
        select(Job.id)
        .where(
            *_is_ready(candidate.priority),
            Job.user_id == candidate.user_id,
            running.scalar_subquery() < candidate.limit,
        )
        .order_by(Job.run_at, Job.id)
        .limit(1)
        .with_for_update(of=Job, skip_locked=True)
    )


def ready_tiers(limit: int) -> list[str]:
    """Return the tiers of up to `limit` jobs that are due, best first."""
    found: list[str] = []
    for priority in purposes.all_priorities():
        due = select(Job.tier).where(*_is_ready(priority)).order_by(Job.run_at, Job.id)
        found += db.session.scalars(due.limit(limit - len(found)))
        if len(found) == limit:
            break
    return found


def first_run_time(plan: Plan, purpose: Purpose) -> datetime:
    """Return when a new job of this purpose may start: at once, or after the Free plan's delay."""
    is_delayed = plan.is_delayed and purpose.is_delayed_on_free
    return utcnow() + timedelta(seconds=settings().free_tier_delay_s if is_delayed else 0)


def move_to_plan(user: User) -> int:
    """Give a user's waiting jobs the tier and priority of their plan; on a paid plan they are due at once.

    Returns how many. A job that waits after a failed try keeps its time.
    """
    plan, now = plans.plan_for_user(user), utcnow()
    not_yet_due = and_(Job.attempt == 0, Job.run_at > now)
    due = case((not_yet_due, literal(now, UtcDateTime)), else_=Job.run_at)
    moved = update(Job).where(Job.user_id == user.id, Job.state == PENDING).returning(Job.id)
    with transaction() as session:
        values = {"tier": plan.tier, "priority": _priority_by_purpose(plan)}
        values |= {} if plan.is_delayed else {"run_at": due}
        return len(session.scalars(moved.values(**values)).all())


def _priority_by_purpose(plan: Plan) -> ColumnElement[int] | int:
    offsets = purposes.priority_offsets()
    if not offsets:
        return plan.priority
    shifted = {name: plan.priority + offset for name, offset in offsets.items()}
    return case(shifted, value=Job.purpose, else_=plan.priority)


def _allowed_priorities(worker: Worker | None, free_running: int) -> list[int]:
    """Return the priorities this worker may take now; `free_running` of its slots hold free jobs.

    Free jobs leave some slots of each worker to paid ones; otherwise a few long files could hold them all.
    """
    priorities = purposes.all_priorities()
    if worker is None:
        return priorities
    reserved = min(settings().paid_slots, worker.slots - 1)
    if not reserved or free_running < worker.slots - reserved:
        return priorities
    free_from = purposes.first_free_priority()
    return [priority for priority in priorities if priority < free_from]


def _running_limits(slots: int) -> list[int]:
    """Return how many jobs a user may have running: first one slot fewer than there are, then the cap.

    So one slot stays free for other users of the tier, unless none of them waits.
    """
    cap = settings().user_running_max
    return [slots - 1, cap] if 2 <= slots <= cap else [cap]


def _plan_slots(user_ids: Iterable[str]) -> dict[str, int]:
    """Return how many jobs the plan of each of these users lets them have running."""
    users = db.session.scalars(select(User).where(User.id.in_(user_ids))).unique()
    return {user.id: plans.plan_for_user(user).slots for user in users}


def _head_of_line(priorities: list[int]) -> list[tuple[int, str]]:
    """Return priority and user of the jobs that are first in line, by one statement for all priorities.

    The rows of each priority are read by an index on their own: a range of priorities would also pass over
    every row of them that is not due yet.
    """
    head = _select_head(tuple(priorities), tuple(purposes.known_purposes()))
    return [(row[0], row[1]) for row in db.session.execute(head, {"due": utcnow()})]


@lru_cache(maxsize=16)
def _select_head(priorities: tuple[int, ...], known: tuple[str, ...]) -> Select[int, str]:
    """Select the head of the line; kept, because building it takes longer than running it."""
    columns = Job.priority, Job.user_id, Job.run_at, Job.id
    ready = Job.state == PENDING, Job.run_at <= bindparam("due", type_=UtcDateTime), Job.purpose.in_(known)
    heads = [
        select(*columns)
        .where(Job.priority == each, *ready)
        .order_by(Job.run_at, Job.id)
        .limit(MAX_ROWS_READ)
        .subquery()
        for each in priorities
    ]
    line = union_all(*(select(head) for head in heads)).subquery()
    first = select(line.c.priority, line.c.user_id).order_by(line.c.priority, line.c.run_at, line.c.id)
    return first.limit(MAX_ROWS_READ)


def _find_user(priority: int, users: list[str], full: set[str], is_cut_off: bool) -> str | None:
    """Return the first user in line who is below the limit."""
    found = next((user_id for user_id in users if user_id not in full), None)
    if found is not None or not is_cut_off:
        return found
    return db.session.scalar(_select_other_user(priority, full))


def _select_other_user(priority: int, full: set[str]) -> Select[str]:
    """Select the user who has waited longest and is not at the limit, without reading the rows before theirs.

    A loose index scan: the index leads from one user to the next, and only each one's first row is read.
    """
    waiting = (Job.state == PENDING, Job.priority == priority)
    users = select(func.min(Job.user_id).label("user_id")).where(*waiting).cte("users", recursive=True)
    after = select(func.min(Job.user_id)).where(*waiting, Job.user_id > users.c.user_id).scalar_subquery()
    users = users.union_all(select(after).where(users.c.user_id.is_not(None)))
    due = select(func.min(Job.run_at)).where(*waiting, Job.user_id == users.c.user_id).scalar_subquery()
    found = select(users.c.user_id, due.label("due")).where(users.c.user_id.not_in(full)).subquery()
    return select(found.c.user_id).where(found.c.due <= utcnow()).order_by(found.c.due).limit(1)


def _is_ready(priority: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a job that may start now and has a purpose this version knows."""
    known = Job.purpose.in_(purposes.known_purposes())
    return Job.state == PENDING, Job.priority == priority, Job.run_at <= utcnow(), known
