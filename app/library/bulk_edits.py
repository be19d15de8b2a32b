"""Change many samples of one library at once: like, tag, correct, delete and restore."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from app.billing import quota
from app.extensions import db
from app.library import trash
from app.library.samples import WITH_FEATURES
from app.models import Sample, User
from app.models.base import transaction, utcnow
from app.models.corrections import MAX_BPM, MIN_BPM, UnfitCorrectionError
from app.models.sample import MAX_TAGS

AT_ONCE = 100  # samples changed in one transaction
TOO_MANY_TAGS = f"a sample has at most {MAX_TAGS} tags."
NO_TEMPO = "no tempo."
TEMPO_OUT_OF_RANGE = f"the tempo would be outside {MIN_BPM:g} to {MAX_BPM:g} BPM."


@dataclass(frozen=True)
class BulkOutcome:
    """How many samples were changed, and why others were not: reasons with how many each is true of."""

    changed: int
    refused: Mapping[str, int]


class _RefusedError(Exception):
    """One sample can't be changed so; the message is for the user."""


def like_samples(user: User, ids: Sequence[str], liked: bool) -> int:
    """Like samples, or take the like away; return how many of them the user has."""
    own = Sample.id.in_(ids), Sample.user_id == user.id, Sample.deleted_at.is_(None)
    with transaction() as session:
        done = session.execute(
            update(Sample).where(*own).values(liked=liked).returning(Sample.id),
            execution_options=trash.WITHOUT_SYNC,
        )
        return len(done.all())


def tag_samples(
    user: User, ids: Sequence[str], add: Sequence[str] = (), remove: Collection[str] = ()
) -> BulkOutcome:
    """Add tags to samples and remove others; a sample that would have too many tags stays as it is."""

    def retag(sample: Sample) -> None:
        names = [name for name in sample.tag_names if name not in remove]
        names += [name for name in add if name not in names]
        if len(names) > MAX_TAGS:
            raise _RefusedError(TOO_MANY_TAGS)
        sample.retag(names)

    return _change_each(user, ids, retag)


def correct_samples(user: User, ids: Sequence[str], corrections: Mapping[str, Any]) -> BulkOutcome:
    """Set values of samples, as their user's corrections.

    A sample whose kind can't have a value stays as it is.
    """

    def correct(sample: Sample) -> None:
        sample.fit_to_kind(corrections)
        sample.correct(**corrections)

    return _change_each(user, ids, correct)


def scale_tempos(user: User, ids: Sequence[str], factor: float) -> BulkOutcome:
    """Multiply the tempo of samples, as in half or double time."""

    def scale(sample: Sample) -> None:
        if sample.bpm is None:
            raise _RefusedError(NO_TEMPO)
        if not MIN_BPM <= sample.bpm * factor <= MAX_BPM:
            raise _RefusedError(TEMPO_OUT_OF_RANGE)
        sample.correct(bpm=sample.bpm * factor)

    return _change_each(user, ids, scale)


def delete_samples(user: User, ids: Sequence[str]) -> tuple[int, datetime]:
    """Hide samples at once; return how many, and the time under which `restore_samples` finds them."""
    at = utcnow()
    with transaction():
        quota.lock_account(user.id)
        return len(trash.hide_samples(user.id, ids, at)), at


def restore_samples(user: User, deleted_at: datetime, at_most: int) -> int:
    """Undo a deletion of many: all of them or none; return how many came back.

    Raises QuotaExceededError when the storage of the plan has been filled meanwhile.
    """
    with transaction():
        ids = trash.deleted_ids(user.id, deleted_at, at_most)
        return len(trash.show_samples(user.id, ids, deleted_at))


def _change_each(user: User, ids: Sequence[str], change: Callable[[Sample], None]) -> BulkOutcome:
    refused: Counter[str] = Counter()
    changed = 0
    for first in range(0, len(ids), AT_ONCE):
        with transaction():
            quota.lock_account(user.id)  # before the samples, so that no two requests wait for each other
            for sample in _locked(user, ids[first : first + AT_ONCE]):
                try:
                    change(sample)
                    changed += 1
                except (_RefusedError, UnfitCorrectionError) as error:
                    refused[str(error)] += 1
    return BulkOutcome(changed, refused)


def _locked(user: User, ids: Sequence[str]) -> Iterator[Sample]:
    """Yield the user's samples with these ids, freshly read, their rows locked in the order of their ids."""
    own = Sample.id.in_(ids), Sample.user_id == user.id, Sample.deleted_at.is_(None)
    rows = select(Sample).where(*own).order_by(Sample.id).options(*WITH_FEATURES)
    fresh = rows.with_for_update(of=Sample).execution_options(populate_existing=True)
    yield from db.session.scalars(fresh).unique()
