"""Tell on the cards of uploads which of them were in the library already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy.orm import aliased

from app.extensions import db
from app.models import DuplicateGroup, DuplicateMember, Sample, SampleVector
from app.models.base import utcnow

# A new sample is compared within seconds. Cards do not wait longer than this for it.
WAITS_FOR = timedelta(minutes=2)


@dataclass(frozen=True)
class DuplicateNotes:
    """The groups of samples that have an older copy, by the ids of their jobs.

    With `is_comparing`, some were not compared yet and may still turn out to be copies.
    """

    groups: Mapping[str, str]
    is_comparing: bool


def find_notes(jobs: Sequence[Row[Any]]) -> DuplicateNotes:
    """Return what to tell on the cards of jobs, by one query. They are facts of `card_facts`."""
    uploads = {job.id: job for job in jobs if job.sample_id == job.id}
    if not uploads:
        return DuplicateNotes({}, is_comparing=False)
    rows = db.session.connection().execute(_select_comparisons(), {"sample_ids": list(uploads)}).all()
    since = utcnow() - WAITS_FOR
    fresh = {job.id for job in uploads.values() if job.since > since}
    is_comparing = any(row.compare_at is not None and row.sample_id in fresh for row in rows)
    copies = (row for row in rows if row.oldest is not None and row.oldest < row.sample_id)
    return DuplicateNotes({row.sample_id: row.group_id for row in copies}, is_comparing)


@lru_cache(maxsize=1)
def _select_comparisons() -> Select[Any]:
    member = aliased(DuplicateMember)
    oldest = select(func.min(member.sample_id)).join(Sample, Sample.id == member.sample_id)
    oldest = oldest.where(member.group_id == DuplicateGroup.id, Sample.deleted_at.is_(None))
    is_shown = (DuplicateGroup.id == DuplicateMember.group_id) & (DuplicateGroup.spare_bytes > 0)
    columns = (
        SampleVector.sample_id,
        SampleVector.compare_at,
        DuplicateGroup.id.label("group_id"),
        oldest.scalar_subquery().label("oldest"),
    )
    rows = select(*columns).where(SampleVector.sample_id.in_(bindparam("sample_ids", expanding=True)))
    rows = rows.outerjoin(DuplicateMember, DuplicateMember.sample_id == SampleVector.sample_id)
    return rows.outerjoin(DuplicateGroup, is_shown)
