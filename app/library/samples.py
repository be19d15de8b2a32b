"""Look up, name, tag and correct one sample of one owner."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.extensions import db
from app.models import Sample, User, ownership
from app.models.base import transaction
from app.models.corrections import MAX_BPM, MIN_BPM
from app.models.display_names import MAX_READ, display_name, tag_name
from app.models.sample import MAX_TAGS

WITH_FEATURES = (joinedload(Sample.features),)
WITH_COLLECTION = (joinedload(Sample.collection),)


def owned_by(user: User, sample_id: str) -> Sample:
    """Return the user's sample, or raise RowNotFoundError, also for a deleted one."""
    return ownership.owned_by(user, Sample, sample_id, Sample.deleted_at.is_(None), options=WITH_FEATURES)


def parent_of(sample: Sample) -> Sample | None:
    """Return the sample that this one was cut from, as long as that is in the library."""
    if sample.parent_id is None:
        return None
    there = Sample.id == sample.parent_id, Sample.user_id == sample.user_id, Sample.deleted_at.is_(None)
    return db.session.scalar(select(Sample).where(*there))


def all_owned_by(user: User, ids: Collection[str]) -> list[Sample]:
    """Return the user's samples with these ids, or raise RowNotFoundError when one is not the user's."""
    owned = Sample.user_id == user.id, Sample.id.in_(ids), Sample.deleted_at.is_(None)
    found = db.session.scalars(select(Sample).where(*owned)).all()
    if len(found) < len(ids):
        raise ownership.RowNotFoundError(Sample.__name__)
    return list(found)


def deleted_sample(user: User, sample_id: str) -> Sample:
    """Return a deleted sample of the user's that can still be restored, or raise RowNotFoundError."""
    return ownership.owned_by(user, Sample, sample_id, Sample.deleted_at.is_not(None), options=WITH_FEATURES)


def edit_sample(
    sample: Sample,
    *,
    name: str | None = None,
    tags: str | None = None,
    liked: bool | None = None,
    corrections: Mapping[str, Any] | None = None,
    reset: Collection[str] = (),
) -> list[str]:
    """Change what is given of a sample and leave the rest. `reset` names corrections to drop.

    Returns a sentence for each value that a corrected kind can't have and so was removed. Raises
    UnfitCorrectionError for a correction that doesn't fit the kind; then nothing is changed.
    """
    with _locked_for_update(sample):
        if name is not None:
            sample.name = display_name(name)
        if tags is not None:
            sample.retag(parse_tags(tags))
        if liked is not None:
            sample.liked = liked
        if reset:
            sample.revert(*reset)
        dropped = sample.fit_to_kind(corrections or {})
        sample.correct(**(corrections or {}))
        return dropped


def scale_tempo(sample: Sample, factor: float) -> None:
    """Multiply the tempo, as in half or double time; do nothing when the result is out of range."""
    with _locked_for_update(sample):
        if sample.bpm is not None and MIN_BPM <= sample.bpm * factor <= MAX_BPM:
            sample.correct(bpm=sample.bpm * factor)


def reset_corrections(sample: Sample, *names: str) -> dict[str, Any]:
    """Reset the named corrections, or all, to what was found; return those that were reset."""
    with _locked_for_update(sample):
        before = sample.corrections
        sample.revert(*names)
        return {name: value for name, value in before.items() if name not in sample.corrections}


def restore_corrections(sample: Sample, corrections: Mapping[str, Any]) -> None:
    """Put corrections back that were reset, except in fields that have a newer correction."""
    with _locked_for_update(sample):
        sample.correct(**{name: each for name, each in corrections.items() if name not in sample.corrections})


def toggle_like(sample: Sample) -> None:
    """Like a sample, or take the like away."""
    with transaction():
        sample.liked = not sample.liked


def parse_tags(text: str) -> list[str]:
    """Return tags as they are stored: `Dusty, lo fi, #Drums` becomes `dusty`, `lo-fi`, `drums`."""
    words = (tag_name(part) for part in text[:MAX_READ].split(","))
    return list(dict.fromkeys(word for word in words if word))[:MAX_TAGS]


@contextmanager
def _locked_for_update(sample: Sample) -> Iterator[None]:
    """Open a transaction with the sample freshly read and its row locked against other changes."""
    with transaction() as session:
        session.refresh(sample, with_for_update={"of": Sample})
        yield
