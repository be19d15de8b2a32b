"""Load what a list shows of samples, which is a small part of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from app.extensions import db
from app.models import AudioFeatures, DuplicateGroup, DuplicateMember, Sample, Tag, User
from app.music.sound_classes import sound_colour, sound_label
from app.sp404.unit_limits import fits_on_pad

MAX_BADGES, MAX_WORDS = 3, 2
BETWEEN_TAGS = ","  # no tag has one
TAGS = select(func.aggregate_strings(Tag.name, BETWEEN_TAGS)).where(Tag.sample_id == Sample.id)
COLUMNS = (
    TAGS.scalar_subquery(),
    Sample.corrections,
    Sample.described["character"],
    Sample.described["moods"],
    AudioFeatures.measured["warnings"],
    Sample.id,
    Sample.name,
    Sample.kind,
    Sample.sound,
    Sample.bpm,
    Sample.key,
    Sample.duration_s,
    Sample.liked,
    Sample.bars,
    DuplicateGroup.id,
    DuplicateGroup.samples,
)
# A group with less than two samples out of the trash is none.
IS_SHOWN = (DuplicateGroup.id == DuplicateMember.group_id) & (DuplicateGroup.spare_bytes > 0)


@dataclass(frozen=True, slots=True)
class ListedSample:
    """The part of a sample that a list shows. Where the user corrected a value, it is the corrected one."""

    corrected: frozenset[str]  # the fields that the user has corrected
    tags: Sequence[str]  # its user's own, as many as a row has room for
    words: Sequence[str]  # beside them the first of its character, or else of its moods
    warnings: Sequence[str]
    id: str
    name: str
    kind: str
    sound: str | None
    bpm: float | None
    key: str | None
    duration_s: float
    liked: bool
    bars: bytes
    group_id: str | None  # of the samples that are the same recording
    copies: int | None  # how many these are

    @property
    def fits_a_pad(self) -> bool:
        return fits_on_pad(self.duration_s)

    @property
    def colour(self) -> str:
        return sound_colour(self.kind, self.sound)

    @property
    def sound_label(self) -> str:
        return sound_label(self.kind, self.sound)


def load_listed(user: User, ids: Sequence[str]) -> list[ListedSample]:
    """Return the user's samples with these ids in this order, without those that are deleted."""
    rows = (
        select(*COLUMNS)
        .outerjoin(AudioFeatures, AudioFeatures.sample_id == Sample.id)
        .outerjoin(DuplicateMember, DuplicateMember.sample_id == Sample.id)
        .outerjoin(DuplicateGroup, IS_SHOWN)
        .where(Sample.user_id == user.id, Sample.deleted_at.is_(None), Sample.id.in_(ids))
    )
    loaded = {row.id: _make_listed(row) for row in db.session.execute(rows)}
    return [loaded[sample_id] for sample_id in ids if sample_id in loaded]


def _make_listed(row: Sequence[Any]) -> ListedSample:
    joined, corrections, character, moods, warnings, *values = row
    tags = sorted(joined.split(BETWEEN_TAGS))[:MAX_BADGES] if joined else []
    words = corrections.get("character", character) or corrections.get("moods", moods) or ()
    room = min(MAX_WORDS, MAX_BADGES - len(tags))
    return ListedSample(frozenset(corrections), tags, words[:room], warnings or (), *values)
