"""Read what decides how a user's job cards look, without loading a job, and give each card a version."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select

from app.extensions import db
from app.jobs import purposes
from app.models import Job, Sample
from app.models.base import UtcDateTime, utcnow
from app.models.job import FAILED, PENDING, UNFINISHED

SHOWN_AFTER_FINISH = timedelta(minutes=30)
MAX_CARDS = 60
VERSION_CHARS = 8
Facts = Row[Any]


def find_facts(user_id: str) -> list[Facts]:
    """Return the facts of the jobs that have a card, in the order of their cards.

    First come the jobs that run now, then those that start next, then the finished ones, the newest first.
    """
    unfinished, finished = _select_facts(tuple(purposes.preview_names()))
    now = utcnow()
    values = {"user_id": user_id, "now": now, "since": now - SHOWN_AFTER_FINISH}
    connection = db.session.connection()
    found = connection.execute(unfinished, values).all()
    begun = {row.id for row in found}  # one may end between the two statements
    ended = (row for row in connection.execute(finished, values) if row.id not in begun)
    return [*found, *ended][:MAX_CARDS]


def count_states(user_id: str, facts: Sequence[Facts]) -> Mapping[str, int]:
    """Return how many jobs would have a card if the list had no end, by their states."""
    if len(facts) < MAX_CARDS:
        return Counter(row.state for row in facts)
    values = {"user_id": user_id, "since": utcnow() - SHOWN_AFTER_FINISH}
    rows = db.session.connection().execute(_select_counts(tuple(purposes.preview_names())), values)
    return {str(state): int(count) for state, count in rows}


def card_version(facts: Facts, now: datetime, *others: object) -> str:
    """Return a hash that changes whenever the card does, also by the clock alone."""
    age = _shown_age((now - facts.since).total_seconds())
    sample = facts.sample_id, facts.is_sample_deleted, facts.bpm, facts.key, facts.kind, facts.sound
    stage = facts.state, facts.step, facts.attempt, facts.is_delayed, facts.may_be_retried, facts.progress
    return short_hash(facts.id, age, facts.run_at.timestamp(), stage, sample, others)


def short_hash(*facts: object) -> str:
    """Return VERSION_CHARS characters that tell facts from others."""
    return hashlib.blake2b(repr(facts).encode(), digest_size=VERSION_CHARS // 2).hexdigest()


def split_versions(text: str) -> frozenset[str]:
    """Return the hashes that follow one another in a text."""
    return frozenset(text[start : start + VERSION_CHARS] for start in range(0, len(text), VERSION_CHARS))


def _shown_age(age_s: float) -> int:
    """Return an age as exactly as cards word it: by the minute in the first hour, then by the hour."""
    return int(age_s - age_s % (60 if age_s < 3600 else 3600))


@lru_cache(maxsize=4)
def _select_facts(previews: tuple[str, ...]) -> tuple[Select[*tuple[Any, ...]], Select[*tuple[Any, ...]]]:
    """Select the facts of a user's unfinished jobs, and of those that finished lately."""
    now = bindparam("now", type_=UtcDateTime)
    columns = (
        *(Job.id, Job.batch_id, Job.state, Job.step, Job.attempt, Job.run_at, Job.sample_id),
        func.coalesce(Job.finished_at, Job.created_at).label("since"),
        Sample.deleted_at.is_not(None).label("is_sample_deleted"),
        *(Sample.bpm, Sample.key, Sample.kind, Sample.sound),
        ((Job.state == PENDING) & (Job.run_at > now)).label("is_delayed"),
        ((Job.state == FAILED) & (Job.kept_until > now)).label("may_be_retried"),
        Job.results[purposes.PROGRESS].as_string().label("progress"),
    )
    facts = select(*columns).outerjoin(Sample, Sample.id == Job.sample_id).limit(MAX_CARDS)
    unfinished = facts.where(*_shown(previews), Job.state.in_(UNFINISHED))
    finished = facts.where(*_shown(previews), _finished_lately())
    return (
        unfinished.order_by(Job.state.desc(), Job.priority, Job.run_at, Job.id),
        finished.order_by(Job.finished_at.desc(), Job.id.desc()),
    )


@lru_cache(maxsize=4)
def _select_counts(previews: tuple[str, ...]) -> Select[*tuple[Any, ...]]:
    either = Job.state.in_(UNFINISHED) | _finished_lately()
    return select(Job.state, func.count()).where(*_shown(previews), either).group_by(Job.state)


def _shown(previews: tuple[str, ...]) -> tuple[ColumnElement[bool], ...]:
    """Return the condition for a user's jobs with a card."""
    return Job.user_id == bindparam("user_id"), Job.purpose.not_in(previews)


def _finished_lately() -> ColumnElement[bool]:
    return Job.finished_at > bindparam("since", type_=UtcDateTime)
