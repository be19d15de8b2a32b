"""Decide which job is next: paid tiers strictly before free, first come first served inside a tier.

No user takes every slot while another user of the tier waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, literal, select, update

from app.billing import plans
from app.billing.plans import Plan
from app.extensions import db, settings
from app.jobs import claim_statements, purposes
from app.jobs.claim_statements import MAX_ROWS_READ
from app.jobs.purposes import Purpose
from app.jobs.workers import OwnWorker
from app.models import Job, User
from app.models.base import UtcDateTime, transaction, utcnow
from app.models.job import PENDING


@dataclass(frozen=True)
class Candidate:
    """A user with a ready job of this priority, and how many running jobs they must stay below."""

    user_id: str
    priority: int
    limit: int


class RunningJobs:
    """How many jobs each user has running now, read once for a claim, and how many they may have."""

    def __init__(self, worker: OwnWorker | None) -> None:
        first_free = purposes.first_free_priority()
        running = claim_statements.select_running(worker.id if worker else None, first_free)
        rows = db.session.connection().execute(running).all()
        self._counts = {user_id: count for user_id, _, _, count, _ in rows}
        self._slots = {
            user_id: plans.plan_by_status(plan, status).slots for user_id, plan, status, _, _ in rows
        }
        self.free_on_worker = sum(int(free) for *_, free in rows)

    def users_at_limit(self, limit: int) -> set[str]:
        """Return the users who have as many jobs running as their plan, or `limit`, allows."""
        return {user_id for user_id, count in self._counts.items() if count >= self.limit_for(user_id, limit)}

    def limit_for(self, user_id: str, limit: int) -> int:
        """Return how many jobs a user may have running, of at most `limit`."""
        if user_id not in self._slots:
            found = claim_statements.select_subscription()
            standing = db.session.connection().execute(found, {"owner": user_id}).one_or_none()
            self._slots[user_id] = plans.plan_by_status(*(standing or (None, None))).slots
        return min(limit, self._slots[user_id])


def next_candidate(worker: OwnWorker | None, slots: int) -> Candidate | None:
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


def ready_tiers(limit: int) -> list[str]:
    """Return the tiers of up to `limit` jobs that are due, best first."""
    found: list[str] = []
    for priority in purposes.all_priorities():
        is_ready = claim_statements.is_ready(priority, tuple(purposes.known_purposes()))
        due = select(Job.tier).where(*is_ready).order_by(Job.run_at, Job.id)
        found += db.session.scalars(due.limit(limit - len(found)), {"due": utcnow()})
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


def _allowed_priorities(worker: OwnWorker | None, free_running: int) -> list[int]:
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


def _head_of_line(priorities: list[int]) -> list[tuple[int, str]]:
    """Return priority and user of the jobs that are first in line, by one statement for all priorities."""
    head = claim_statements.select_head(tuple(priorities), tuple(purposes.known_purposes()))
    return [(row[0], row[1]) for row in db.session.connection().execute(head, {"due": utcnow()})]


def _find_user(priority: int, users: list[str], full: set[str], is_cut_off: bool) -> str | None:
    """Return the first user in line who is below the limit."""
    found = next((user_id for user_id in users if user_id not in full), None)
    if found is not None or not is_cut_off:
        return found
    other = claim_statements.select_other_user(priority)
    return db.session.connection().scalar(other, {"full": sorted(full), "due": utcnow()})
