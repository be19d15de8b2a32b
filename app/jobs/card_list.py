"""The job cards of one user, as one list with one version, so that one poll serves them all.

The version names each card that the browser shows, so a poll loads and renders only those that changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select
from sqlalchemy.orm import joinedload

from app.extensions import db
from app.jobs import card_facts, duplicate_notes, progress, workers
from app.jobs.card_facts import Facts
from app.jobs.duplicate_notes import DuplicateNotes
from app.jobs.progress import BatchProgress
from app.models import Job, Sample, User
from app.models.base import utcnow
from app.models.job import CANCELLED, COMPLETED, FAILED, PENDING, UNFINISHED

POLL_SOON_S, POLL_MANY_S, POLL_DELAYED_S = 1, 3, 60
MANY_JOBS = 20
# Cards show their job's sample, but none of its tags.
WITH_SAMPLE = joinedload(Job.sample).lazyload(Sample.tags)


@dataclass(frozen=True)
class Card:
    """A job's card; its job is None where the browser shows the card as it is."""

    id: str
    job: Job | None


@dataclass(frozen=True)
class Drop:
    """The cards of one batch, such as files dropped together, in the order they were queued."""

    batch_id: str
    cards: list[Card]
    progress: BatchProgress | None  # while any of several is unfinished

    @property
    def size(self) -> int:
        return len(self.cards)


@dataclass(frozen=True)
class CardList:
    """Cards by drop: those that are worked on, then finished ones, the newest first.

    `interval_s` is None when nothing changes by itself.
    """

    drops: list[Drop]
    more: int  # how many are not shown
    waiting: str  # what the jobs that are due wait for
    duplicates: DuplicateNotes
    version: str  # of the summary, of what stands around the cards, and of each card
    interval_s: int | None
    summary: str
    is_summary_shown: bool  # as it is, by the browser; then the account's usage is the same too


def load_cards(user_id: str, shown_version: str = "") -> CardList:
    """Return the cards of a user's unfinished and lately finished jobs, for what a browser shows."""
    facts = card_facts.find_facts(user_id)
    counts = card_facts.count_states(user_id, facts)
    waiting, batches = _find_progress(user_id, facts)
    duplicates = duplicate_notes.find_notes(facts)
    more = max(sum(counts.values()) - len(facts), 0)
    summary = _status_summary(counts, sum(bool(row.is_delayed) for row in facts), len(duplicates.groups))
    usage = _usage_version(facts, summary)
    bars = [(each.done, each.total, each.left_words, each.starts_at) for each in batches]
    around = card_facts.short_hash(more, len(duplicates.groups), bars)
    versions = _versions(facts, batches, waiting, duplicates)
    shown = card_facts.split_versions(shown_version)
    jobs = _load_jobs([job_id for job_id, version in versions.items() if version not in shown])
    return CardList(
        _group_by_batch(facts, jobs, batches),
        more,
        waiting,
        duplicates,
        "".join((usage, around, *versions.values())),
        _poll_interval_s(facts, duplicates.is_comparing),
        summary,
        usage in shown,
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


def waiting_reason(job: Job) -> str:
    """Return what a job waits for, when it is due."""
    return _waiting_words(*workers.slots_and_work()) if _is_due(job) else ""


def _find_progress(user_id: str, facts: Sequence[Facts]) -> tuple[str, list[BatchProgress]]:
    """Return what due jobs wait for, and the active batches; nothing of either without an unfinished job."""
    if not any(row.state in UNFINISHED for row in facts):
        return "", []
    slots, is_any_running = workers.slots_and_work()
    waiting = _waiting_words(slots, is_any_running) if any(_is_due(row) for row in facts) else ""
    return waiting, progress.active_batches(user_id, slots)


def _waiting_words(slots: int, is_any_running: bool) -> str:
    """Return the sentence on the cards of jobs that are due.

    A worker registers before its engine is warm, so while nothing runs at all, a worker is warming up.
    """
    if not slots:
        return "Processing is paused right now. Your files are safe and will be processed when it resumes."
    return "Waiting for its turn." if is_any_running else "Starting up. This begins in a few seconds."


def _versions(
    facts: Sequence[Facts], batches: Sequence[BatchProgress], waiting: str, duplicates: DuplicateNotes
) -> dict[str, str]:
    """Return the version of each card by the job's id."""
    now, in_batch = utcnow(), {each.batch_id for each in batches}
    return {
        row.id: card_facts.card_version(
            row,
            now,
            row.batch_id in in_batch,
            duplicates.groups.get(row.id),
            waiting if _is_due(row) else "",
        )
        for row in facts
    }


def _usage_version(facts: Sequence[Facts], summary: str) -> str:
    """Return a hash that changes with the summary, and when a job may have changed the account's usage."""
    ended = [(row.id, row.since, row.is_sample_deleted) for row in facts if row.state not in UNFINISHED]
    newest = max((row.id for row in facts), default="")
    return card_facts.short_hash(summary, newest, sorted(ended))


def _load_jobs(job_ids: list[str]) -> dict[str, Job]:
    """Return jobs with their samples by their ids."""
    jobs = db.session.scalars(_select_jobs(), {"job_ids": job_ids}) if job_ids else ()
    return {job.id: job for job in jobs}


@lru_cache(maxsize=1)
def _select_jobs() -> Select[Job]:
    return select(Job).where(Job.id.in_(bindparam("job_ids", expanding=True))).options(WITH_SAMPLE)


def _group_by_batch(
    facts: Sequence[Facts], jobs: Mapping[str, Job], batches: Sequence[BatchProgress]
) -> list[Drop]:
    """Return the cards by batch, the batch of the first one first; a file keeps its place in it."""
    progress_by_batch = {each.batch_id: each for each in batches}
    grouped: dict[str, list[str]] = {}
    for row in facts:
        grouped.setdefault(row.batch_id, []).append(row.id)
    return [
        Drop(
            batch_id,
            [Card(job_id, jobs.get(job_id)) for job_id in sorted(job_ids)],
            progress_by_batch.get(batch_id),
        )
        for batch_id, job_ids in grouped.items()
    ]


def _is_due(job: Job | Facts) -> bool:
    return bool(job.state == PENDING and not job.is_delayed)


def _poll_interval_s(facts: Sequence[Facts], is_comparing: bool) -> int | None:
    unfinished = [row for row in facts if row.state in UNFINISHED]
    if not unfinished:
        return POLL_MANY_S if is_comparing else None
    if all(row.is_delayed for row in unfinished):
        return POLL_DELAYED_S
    return POLL_SOON_S if len(unfinished) < MANY_JOBS else POLL_MANY_S


def _status_summary(counts: Mapping[str, int], delayed: int, duplicates: int) -> str:
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
