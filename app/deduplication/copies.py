"""Load what is known of the copies in groups of duplicates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import fields
from typing import Any

from sqlalchemy import Select, case, exists, func, select

from app.deduplication.quality import Copy
from app.extensions import db
from app.models import AudioFeatures, DuplicateGroup, DuplicateMember, Sample, SampleVector, Tag

COLUMNS = (
    Sample.id,
    Sample.format,
    Sample.size_bytes,
    Sample.duration_s,
    func.coalesce(AudioFeatures.sample_rate, 0),
    func.coalesce(AudioFeatures.channels, 0),
    SampleVector.bit_depth,
    SampleVector.audio_sha256,
    AudioFeatures.loudness_db,
    Sample.liked,
    Sample.corrections,
    exists().where(Tag.sample_id == Sample.id),
)


def load_copies(group_ids: Collection[str], most: int | None = None) -> dict[str, list[Copy]]:
    """Return the copies in each group that are not in the trash, the oldest first.

    `most` is how many of each; the one that is kept is always among them.
    """
    rows = _copies(DuplicateMember.group_id).join(DuplicateMember, DuplicateMember.sample_id == Sample.id)
    rows = rows.where(DuplicateMember.group_id.in_(group_ids), Sample.deleted_at.is_(None))
    if most is not None:
        rows = rows.where(Sample.id.in_(_first_members(group_ids, most)))
    found: dict[str, list[Copy]] = defaultdict(list)
    for group_id, *values in db.session.execute(rows.order_by(Sample.id)):
        found[group_id].append(_make_copy(values))
    return found


def _first_members(group_ids: Collection[str], most: int) -> Select[Any]:
    is_other = case((DuplicateMember.sample_id == DuplicateGroup.kept_id, 0), else_=1)
    place = func.row_number().over(
        partition_by=DuplicateMember.group_id, order_by=(is_other, DuplicateMember.sample_id)
    )
    live = select(DuplicateMember.sample_id, place.label("place")).join(DuplicateGroup)
    live = live.join(Sample, Sample.id == DuplicateMember.sample_id)
    live = live.where(DuplicateMember.group_id.in_(group_ids), Sample.deleted_at.is_(None))
    first = live.subquery()
    return select(first.c.sample_id).where(first.c.place <= most)


def load_files(user_id: str, sample_ids: Collection[str]) -> dict[str, tuple[Copy, str]]:
    """Return the user's samples that are there, also in the trash, each with the key of its WAV."""
    rows = _copies(Sample.sp404_key).where(Sample.user_id == user_id, Sample.id.in_(sample_ids))
    return {values[0]: (_make_copy(values), key) for key, *values in db.session.execute(rows)}


def _copies(first: Any) -> Select[Any]:
    rows = select(first, *COLUMNS).select_from(Sample)
    rows = rows.outerjoin(AudioFeatures, AudioFeatures.sample_id == Sample.id)
    return rows.outerjoin(SampleVector, SampleVector.sample_id == Sample.id)


def _make_copy(values: list[Any]) -> Copy:
    named = dict(zip((field.name for field in fields(Copy)), values, strict=True))
    return Copy(**named | {"is_corrected": bool(named["is_corrected"])})
