"""The job cards of one user, as one list with one version, so that one poll serves them all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import joinedload

from app.extensions import db
from app.jobs import duplicate_notes, progress, purposes, workers
from app.jobs.duplicate_notes import DuplicateNotes
from app.jobs.progress import BatchProgress
from app.models import Job, Sample, User
from app.models.base import utcnow
from app.models.job import CANCELLED, COMPLETED, FAILED, PENDING, PROCESSING, UNFINISHED

SHOWN_AFTER_FINISH = timedelta(minutes=30)
MAX_CARDS = 60
POLL_SOON_S, POLL_MANY_S, POLL_DELAYED_S = 1, 3, 60
MANY_JOBS = 20
# Cards show their job's sample, but none of its tags.
WITH_SAMPLE = joinedload(Job.sample).lazyload(Sample.tags)


@dataclass(frozen=True)
class Drop:
    """The shown jobs of one batch, such as files dropped together, in the order they were queued."""

    batch_id: str
    jobs: list[Job]
    progress: BatchProgress | None  # while any of several is unfinished

    @property
    def size(self) -> int:
        return len(self.jobs)


@dataclass(frozen=True)
class CardList:
    """Cards by drop: those that are worked on, then finished ones, the newest first.

    `interval_s` is None when nothing changes by itself.
    """

    drops: list[Drop]
    more: int  # how many are not shown
    waiting: str  # what the jobs that are due wait for
    duplicates: DuplicateNotes
    version: str
    interval_s: int | None
    summary: str


def load_cards(user: User) -> CardList:
    """Return the cards of a user's unfinished and lately finished jobs."""
    jobs = _unfinished_jobs(user)
    jobs += _finished_jobs(user, MAX_CARDS - len(jobs))
    counts, batches, waiting = _state_counts(user), progress.active_batches(user), waiting_reason(jobs)
    duplicates = duplicate_notes.find_notes(jobs)
    interval_s = _poll_interval_s(jobs)
    if interval_s is None and duplicates.is_comparing:
        interval_s = POLL_MANY_S
    return CardList(
        _group_by_batch(jobs, batches),
        sum(counts.values()) - len(jobs),
        waiting,
        duplicates,
        _version_hash(jobs, counts, batches, waiting, duplicates),
        interval_s,
        _status_summary(counts, sum(job.is_delayed for job in jobs), len(duplicates.groups)),
    )


@lru_cache(maxsize=1)
def select_fingerprint() -> Select[*tuple[Any, ...]]:
    """Select each user's id and what changes whenever an unfinished job of theirs does, begins or ends.

    Every step that is written extends the lease, so the end of the latest lease tells of steps too.
    """
    facts = (
        *(func.count(Job.id), func.min(Job.id), func.max(Job.id)),
        *(func.sum(Job.attempt), func.max(Job.lease_until), func.max(Job.run_at)),
    )
    unfinished = and_(Job.user_id == User.id, Job.state.in_(UNFINISHED))
    return select(User.id, *facts).select_from(User).outerjoin(Job, unfinished).group_by(User.id)


def _group_by_batch(jobs: list[Job], batches: list[BatchProgress]) -> list[Drop]:
    """Return the jobs by batch, the batch of the first one first; a file keeps its place in it."""
    progress_by_batch = {each.batch_id: each for each in batches}
    grouped: dict[str, list[Job]] = {}
    for job in jobs:
        grouped.setdefault(job.batch_id, []).append(job)
    return [
        Drop(batch_id, sorted(members, key=lambda job: job.id), progress_by_batch.get(batch_id))
        for batch_id, members in grouped.items()
    ]


def _shown_jobs(user: User) -> tuple[ColumnElement[bool], ...]:
    """Return the condition for a user's jobs with a card."""
    return Job.user_id == user.id, Job.purpose.not_in(purposes.preview_names())


def _unfinished_jobs(user: User) -> list[Job]:
    """Return the jobs that run now, then those that start next."""
    return list(
        db.session.scalars(
            select(Job)
            .where(*_shown_jobs(user), Job.state.in_(UNFINISHED))
            .order_by(Job.state.desc(), Job.priority, Job.run_at, Job.id)
            .limit(MAX_CARDS)
            .options(WITH_SAMPLE)
        )
    )


def _finished_jobs(user: User, limit: int) -> list[Job]:
    return list(
        db.session.scalars(
            select(Job)
            .where(*_shown_jobs(user), Job.finished_at > utcnow() - SHOWN_AFTER_FINISH)
            .order_by(Job.finished_at.desc(), Job.id.desc())
            .limit(limit)
            .options(WITH_SAMPLE)
        )
    )


def _state_counts(user: User) -> dict[str, int]:
    shown = or_(Job.state.in_(UNFINISHED), Job.finished_at > utcnow() - SHOWN_AFTER_FINISH)
    rows = db.session.execute(
        select(Job.state, func.count()).where(*_shown_jobs(user), shown).group_by(Job.state)
    )
    return {str(state): int(count) for state, count in rows}


def waiting_reason(jobs: list[Job]) -> str:
    """Return the sentence on the cards of jobs that are due.

    A worker registers before its engine is warm, so while nothing runs at all, a worker is warming up.
    """
    if not any(job.state == PENDING and not job.is_delayed for job in jobs):
        return ""
    if not workers.total_slots():
        return "Processing is paused right now. Your files are safe and will be processed when it resumes."
    if db.session.scalar(select(Job.id).where(Job.state == PROCESSING).limit(1)) is None:
        return "Starting up. This begins in a few seconds."
    return "Waiting for its turn."


def _version_hash(
    jobs: list[Job],
    counts: dict[str, int],
    batches: list[BatchProgress],
    waiting: str,
    duplicates: DuplicateNotes,
) -> str:
    """Return a hash that changes when anything on the cards does."""
    facts = [
        (
            *(job.id, job.state, job.step, job.run_at, job.is_delayed, job.attempt, job.may_be_retried),
            job.sample and job.sample.deleted_at,
            job.results.get("progress"),
        )
        for job in jobs
    ]
    whole = [(batch.done, batch.total, batch.left_words) for batch in batches]
    everything = (facts, sorted(counts.items()), whole, waiting, sorted(duplicates.groups.items()))
    return hashlib.sha256(repr(everything).encode()).hexdigest()[:16]


def _poll_interval_s(jobs: list[Job]) -> int | None:
    unfinished = [job for job in jobs if not job.is_finished]
    if not unfinished:
        return None
    if all(job.is_delayed for job in unfinished):
        return POLL_DELAYED_S
    return POLL_SOON_S if len(unfinished) < MANY_JOBS else POLL_MANY_S


def _status_summary(counts: dict[str, int], delayed: int, duplicates: int) -> str:
    """Return one sentence for screen readers, which changes with a job's state but not with its progress."""
    unfinished = sum(counts.get(state, 0) for state in UNFINISHED)
    named = (
        (unfinished - delayed, "in progress"),
        (delayed, "waiting"),
        (counts.get(COMPLETED), "ready"),
        (counts.get(FAILED), "failed"),
        (counts.get(CANCELLED), "cancelled"),
        (duplicates, "already in your library"),
    )
    return ", ".join(f"{count} {words}" for count, words in named if count) or "nothing in progress"
