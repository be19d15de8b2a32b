"""The job cards of one user, as one list with one version, so that one poll serves them all."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from app.extensions import db
from app.models import Job, User
from app.models.base import utcnow
from app.models.job import COMPLETED, FAILED, UNFINISHED

SHOWN_AFTER_FINISH = timedelta(minutes=30)
MOST_CARDS = 60
SOON_S, MANY_S, DELAYED_S = 1, 3, 60
MANY = 20


@dataclass(frozen=True)
class Board:
    """Cards, newest first; `interval_s` is None when nothing will change by itself."""

    jobs: list[Job]
    version: str
    interval_s: int | None
    summary: str


def for_user(user: User) -> Board:
    shown = (
        select(Job)
        .where(
            Job.user_id == user.id,
            or_(Job.state.in_(UNFINISHED), Job.finished_at > utcnow() - SHOWN_AFTER_FINISH),
        )
        .order_by(Job.id.desc())
        .limit(MOST_CARDS)
        .options(joinedload(Job.sample))
    )
    jobs = list(db.session.scalars(shown))
    return Board(jobs, _version(jobs), _interval_s(jobs), _summary(jobs))


def _version(jobs: list[Job]) -> str:
    """Changes when anything on the cards does."""
    facts = [
        (job.id, job.state, job.step, job.is_delayed, job.attempt, job.sample and job.sample.deleted_at)
        for job in jobs
    ]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _interval_s(jobs: list[Job]) -> int | None:
    unfinished = [job for job in jobs if not job.is_finished]
    if not unfinished:
        return None
    if all(job.is_delayed for job in unfinished):
        return DELAYED_S
    return SOON_S if len(unfinished) < MANY else MANY_S


def _summary(jobs: list[Job]) -> str:
    """One sentence for screen readers; it changes with a job's state and not with its progress."""
    count = Counter(job.state for job in jobs)
    unfinished = sum(count[state] for state in UNFINISHED)
    parts = [
        f"{unfinished} in progress" if unfinished else "",
        f"{count[COMPLETED]} ready" if count[COMPLETED] else "",
        f"{count[FAILED]} failed" if count[FAILED] else "",
    ]
    return ", ".join(part for part in parts if part)
