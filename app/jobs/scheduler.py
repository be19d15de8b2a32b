"""Who is next: paid tiers strictly before free, first come first served inside a tier, and nobody takes
every slot while somebody else waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select, update

from app.billing import plans
from app.billing.plans import FREE
from app.extensions import db, settings
from app.jobs import workers
from app.models import Job, User, Worker
from app.models.base import UtcDateTime, transaction, utcnow
from app.models.job import PENDING, PROCESSING

# Who holds all slots they may is passed over row by row for so long, and then user by user.
MAX_ROWS_READ = 64


@dataclass(frozen=True)
class Candidate:
    """The user whose first job of this priority is next, if they hold fewer slots than `limit` by then."""

    user_id: str
    priority: int
    limit: int


def next_candidate(worker: Worker | None) -> Candidate | None:
    for priority in _allowed_priorities(worker):
        for limit in _running_limits():
            user_id = _find_user(priority, limit)
            if user_id is not None:
                return Candidate(user_id, priority, min(limit, _plan_slots([user_id])[user_id]))
    return None


def select_first_job(turn: Candidate) -> Select[Job]:
    """The job of that turn. The caller has locked the account, so what other claims took is counted."""
    held = select(func.count()).where(Job.user_id == turn.user_id, Job.state == PROCESSING).scalar_subquery()
    return (
        select(Job)
        .where(*_is_ready(turn.priority), Job.user_id == turn.user_id, held < turn.limit)
        .order_by(Job.run_at, Job.id)
        .limit(1)
        .with_for_update(of=Job, skip_locked=True)
    )


def ready_tiers(limit: int) -> list[str]:
    """The tiers of the jobs that are due, best first."""
    found: list[str] = []
    for priority in plans.PRIORITIES:
        due = select(Job.tier).where(*_is_ready(priority)).order_by(Job.run_at, Job.id)
        found += db.session.scalars(due.limit(limit - len(found)))
    return found


def move_to_plan(user: User) -> int:
    """Put a user's waiting jobs where their plan has them now; paid ones are due at once.

    Returns how many. A job that waits after a failed try keeps its time.
    """
    plan, now = plans.plan_for_user(user), utcnow()
    later = and_(Job.attempt == 0, Job.run_at > now)
    due = case((later, literal(now, UtcDateTime)), else_=Job.run_at)
    moved = update(Job).where(Job.user_id == user.id, Job.state == PENDING).returning(Job.id)
    with transaction() as session:
        values = {"tier": plan.tier, "priority": plan.priority}
        values |= {} if plan.is_delayed else {"run_at": due}
        return len(session.scalars(moved.values(**values)).all())


def _allowed_priorities(worker: Worker | None) -> list[int]:
    """Free jobs leave some slots of each worker to paid ones, or a few long files could hold them all."""
    if worker is None:
        return plans.PRIORITIES
    reserved = min(settings().paid_slots, worker.slots - 1)
    if not reserved or workers.count_free_tier(worker, FREE.priority) < worker.slots - reserved:
        return plans.PRIORITIES
    return [priority for priority in plans.PRIORITIES if priority < FREE.priority]


def _running_limits() -> list[int]:
    """How many jobs a user may have running: a slot less than there are while others wait, then the cap."""
    cap, slots = settings().user_running_max, workers.total_slots()
    return [slots - 1, cap] if 2 <= slots <= cap else [cap]


def _plan_slots(user_ids: Iterable[str]) -> dict[str, int]:
    """How many jobs each may have running by their plan."""
    users = db.session.scalars(select(User).where(User.id.in_(user_ids))).unique()
    return {user.id: plans.plan_for_user(user).slots for user in users}


def _users_at_limit(limit: int) -> set[str]:
    """Who has as many jobs running as their plan allows, or as anybody may."""
    running = select(Job.user_id, func.count()).where(Job.state == PROCESSING).group_by(Job.user_id)
    held = {row[0]: int(row[1]) for row in db.session.execute(running)}
    slots = _plan_slots(held)
    return {user_id for user_id, count in held.items() if count >= min(limit, slots[user_id])}


def _find_user(priority: int, limit: int) -> str | None:
    full = _users_at_limit(limit)
    line = select(Job.user_id).where(*_is_ready(priority)).order_by(Job.run_at, Job.id).limit(MAX_ROWS_READ)
    users = db.session.scalars(line).all()
    if not full or len(users) < MAX_ROWS_READ:
        return next((user_id for user_id in users if user_id not in full), None)
    return next((u for u in users if u not in full), None) or db.session.scalar(
        _select_other_user(priority, full)
    )


def _select_other_user(priority: int, full: set[str]) -> Select[str]:
    """Whoever waits longest but for the full ones, whose thousands of rows at the head are not read.

    A loose index scan: from one user to the next by the index, and of each the first row only.
    """
    waiting = (Job.state == PENDING, Job.priority == priority)
    users = select(func.min(Job.user_id).label("user_id")).where(*waiting).cte("users", recursive=True)
    after = select(func.min(Job.user_id)).where(*waiting, Job.user_id > users.c.user_id).scalar_subquery()
    users = users.union_all(select(after).where(users.c.user_id.is_not(None)))
    due = select(func.min(Job.run_at)).where(*waiting, Job.user_id == users.c.user_id).scalar_subquery()
    found = select(users.c.user_id, due.label("due")).where(users.c.user_id.not_in(full)).subquery()
    return select(found.c.user_id).where(found.c.due <= utcnow()).order_by(found.c.due).limit(1)


def _is_ready(priority: int) -> tuple[ColumnElement[bool], ...]:
    return Job.state == PENDING, Job.priority == priority, Job.run_at <= utcnow()
