"""One sample of one owner: finding it, naming, tagging and correcting it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy.orm import joinedload

from app.models import Sample, User, ownership
from app.models.base import transaction
from app.models.display_names import MAX_READ, display_name, visible_text
from app.models.sample import MAX_BPM, MIN_BPM

WITH_FEATURES = (joinedload(Sample.features),)
MAX_TAGS = 20


def owned_by(user: User, sample_id: str) -> Sample:
    """Return the user's sample, or raise RowNotFoundError, for a deleted one too."""
    return ownership.owned_by(user, Sample, sample_id, Sample.deleted_at.is_(None), options=WITH_FEATURES)


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
    taken_back: Collection[str] = (),
) -> None:
    """Name, tag and correct a sample; only what is given is changed."""
    with _locked_for_update(sample):
        if name is not None:
            sample.name = display_name(name)
        if tags is not None:
            sample.retag(parse_tags(tags))
        if liked is not None:
            sample.liked = liked
        if taken_back:
            sample.revert(*taken_back)
        sample.correct(**(corrections or {}))


def scale_tempo(sample: Sample, factor: float) -> None:
    """Half or double time, the commonest correction; nothing happens outside the tempi there are."""
    with _locked_for_update(sample):
        if sample.bpm is not None and MIN_BPM <= sample.bpm * factor <= MAX_BPM:
            sample.correct(bpm=sample.bpm * factor)


def revert_corrections(sample: Sample, *names: str) -> dict[str, Any]:
    """Take corrections back, all or some; what was measured and described was kept. Returns those."""
    with _locked_for_update(sample):
        before = sample.corrections
        sample.revert(*names)
        return {name: value for name, value in before.items() if name not in sample.corrections}


def restore_corrections(sample: Sample, corrections: Mapping[str, Any]) -> None:
    """What was taken back is in force again, but for fields that were corrected anew since."""
    with _locked_for_update(sample):
        sample.correct(**{name: each for name, each in corrections.items() if name not in sample.corrections})


def toggle_like(sample: Sample) -> None:
    with transaction():
        sample.liked = not sample.liked


def parse_tags(text: str) -> list[str]:
    """`Dusty, lo fi, #Drums` → `dusty`, `lo-fi`, `drums`."""
    words = (
        re.sub(r"\s+", "-", visible_text(part).lstrip("#").casefold()) for part in text[:MAX_READ].split(",")
    )
    return list(dict.fromkeys(word[:40] for word in words if word))[:MAX_TAGS]


@contextmanager
def _locked_for_update(sample: Sample) -> Iterator[None]:
    """A transaction on the sample as it is now, which nobody else changes meanwhile."""
    with transaction() as session:
        session.refresh(sample, with_for_update={"of": Sample})
        yield
