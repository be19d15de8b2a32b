"""Keep the search index in step with the samples.

Triggers note every change of a sample in `sample_changes`. A search first follows the changes of its own
library, so that it shows what its user has just done; a chore follows those of all others. Everything of one
library is written under the lock of its row in `libraries`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, text, update
from sqlalchemy.orm import load_only, selectinload

from app.extensions import db
from app.models import AudioFeatures, Sample, Tag
from app.models.base import transaction
from app.models.search_row import Library, LibraryCount, LibraryTag, SampleChange, SearchRow
from app.search import index_terms, inverted_index
from app.search.search_rows import Measured, make_row, make_terms

log = logging.getLogger(__name__)

BATCH_SIZE = 500
READ_IDS = 20_000  # at once; to find where a batch begins, all ids of the library are read
MAX_FOLLOWED_AT_ONCE = 1_000  # changes that a search follows itself; the chore does the rest
ADD_LIBRARY = text(
    "INSERT INTO libraries (user_id, version) SELECT id, 0 FROM users WHERE id = :user_id"
    " ON CONFLICT DO NOTHING"
)
ADD_COUNT = text(
    "INSERT INTO library_counts (user_id, kind, sound, key, liked, samples)"
    " VALUES (:user_id, :kind, :sound, :key, :liked, :samples)"
    " ON CONFLICT (user_id, kind, sound, key, liked)"
    " DO UPDATE SET samples = library_counts.samples + excluded.samples"
)
ADD_TAG = text(
    "INSERT INTO library_tags (user_id, name, samples) VALUES (:user_id, :name, :samples)"
    " ON CONFLICT (user_id, name) DO UPDATE SET samples = library_tags.samples + excluded.samples"
)
CELL = ("kind", "sound", "key", "liked")
LOADED = load_only(
    Sample.user_id,
    Sample.format,
    Sample.duration_s,
    Sample.kind,
    Sample.sound,
    Sample.bpm,
    Sample.key,
    Sample.described,
    Sample.corrections,
    Sample.folded_text,
    Sample.search_text,
    Sample.liked,
    Sample.created_at,
    Sample.deleted_at,
    Sample.collection_id,
    Sample.folder,
)


def follow_changes(user_id: str, at_most: int = MAX_FOLLOWED_AT_ONCE) -> int:
    """Bring one library's index up to date and return how many of its changes are still to be followed."""
    followed = 0
    while has_changes(user_id):
        if followed >= at_most:
            return _count_changes(user_id)
        followed += _follow_batch(user_id)
    return 0


def has_changes(user_id: str) -> bool:
    """Say whether a library has changes that its index has not followed."""
    return (
        db.session.scalar(select(SampleChange.number).where(SampleChange.user_id == user_id).limit(1))
        is not None
    )


def follow_all_changes() -> None:
    """Bring every library's index up to date, a batch of each in turn."""
    while owners := db.session.scalars(select(SampleChange.user_id).distinct().limit(BATCH_SIZE)).all():
        for user_id in owners:
            _follow_batch(user_id)


def rebuild(user_id: str) -> Iterator[int]:
    """Make one library's index again while it is used, and yield how many samples are done after each batch.

    Each batch is one transaction. At the end, rows whose samples are gone are deleted, and all counts made
    anew.
    """
    done, last = 0, ""
    noted = db.session.scalar(select(func.max(SampleChange.number)).where(SampleChange.user_id == user_id))
    own = select(Sample.id).where(Sample.user_id == user_id).order_by(Sample.id).limit(READ_IDS)
    while ids := db.session.scalars(own.where(Sample.id > last)).all():
        for start in range(0, len(ids), BATCH_SIZE):
            batch = ids[start : start + BATCH_SIZE]
            with _locked_library(user_id):
                _index_samples(user_id, batch)
            done += len(batch)
            yield done
        last = ids[-1]
    with _locked_library(user_id):
        # PostgreSQL would compare each row with a long list for NOT IN; for NOT EXISTS it joins.
        has_sample = exists().where(Sample.id == SearchRow.sample_id, Sample.user_id == user_id)
        gone = select(SearchRow.sample_id).where(SearchRow.user_id == user_id, ~has_sample)
        _index_samples(user_id, db.session.scalars(gone).all())
        _count_again(user_id)
        followed = SampleChange.user_id == user_id, SampleChange.number <= (noted or 0)
        db.session.execute(delete(SampleChange).where(*followed))


def _follow_batch(user_id: str) -> int:
    """Follow the oldest changes of a library and return how many they were."""
    with _locked_library(user_id) as is_there:
        changes = select(SampleChange).where(SampleChange.user_id == user_id).order_by(SampleChange.number)
        batch = db.session.scalars(changes.limit(BATCH_SIZE)).all()
        # Deleted before the samples are read: a change that comes meanwhile is another row.
        db.session.execute(
            delete(SampleChange).where(SampleChange.number.in_([each.number for each in batch]))
        )
        if is_there:
            _index_samples(user_id, sorted({each.sample_id for each in batch}))
        return len(batch)


@contextmanager
def _locked_library(user_id: str) -> Iterator[bool]:
    """Open a transaction that holds the lock of a library; False when its account is gone."""
    with transaction() as session:
        session.execute(ADD_LIBRARY, {"user_id": user_id})
        raised = update(Library).where(Library.user_id == user_id).values(version=Library.version + 1)
        yield session.scalar(raised.returning(Library.version)) is not None


def _index_samples(user_id: str, ids: Sequence[str]) -> None:
    """Replace the rows, terms and counts of samples, some of which may be gone."""
    old = _taken_rows(ids)
    new = list(_new_rows(user_id, ids))
    _add_counts(user_id, new, old)
    if new:
        cells = _cell_ids(user_id)
        rows = [row | {"cell": cells[_cell_of(row)]} for row in new]
        inserted = insert(SearchRow).returning(SearchRow.sample_id, SearchRow.number)
        numbers = {row.sample_id: row.number for row in db.session.execute(inserted, rows)}
        inverted_index.store_terms([(numbers[row["sample_id"]], make_terms(row)) for row in new])


def _cell_ids(user_id: str) -> dict[tuple[Any, ...], int]:
    """Return the id of each combination that a library counts."""
    columns = [getattr(LibraryCount, name) for name in CELL]
    rows = db.session.execute(select(LibraryCount.id, *columns).where(LibraryCount.user_id == user_id))
    return {tuple(cell): cell_id for cell_id, *cell in rows}


def _cell_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in CELL)


def _taken_rows(ids: Sequence[str]) -> list[dict[str, Any]]:
    """Delete the rows of samples and return what they counted as."""
    columns = (getattr(SearchRow, name) for name in ("live", *CELL, "traits"))
    taken = delete(SearchRow).where(SearchRow.sample_id.in_(ids)).returning(*columns)
    return [dict(row._mapping) for row in db.session.execute(taken)]


def _new_rows(user_id: str, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Make the rows of samples. One that can't be read is left out, and does not keep the others waiting."""
    for sample, measured in _read_samples(user_id, ids):
        try:
            yield make_row(sample, measured)
        except Exception:
            log.exception("sample %s can't be searched", sample.id)


def _read_samples(user_id: str, ids: Sequence[str]) -> Iterator[tuple[Sample, Measured]]:
    figures = AudioFeatures.brightness, AudioFeatures.noisiness, AudioFeatures.loudness_db
    rows = (
        select(Sample, *figures, AudioFeatures.measured["crest_db"].as_float())
        .outerjoin(AudioFeatures, AudioFeatures.sample_id == Sample.id)
        .where(Sample.user_id == user_id, Sample.id.in_(ids))
        .order_by(Sample.id)
        .options(LOADED, selectinload(Sample.tags))
        .execution_options(populate_existing=True)
    )
    for sample, *measured in db.session.execute(rows):
        yield sample, Measured(*measured)


def _add_counts(user_id: str, new: Iterable[dict[str, Any]], old: Iterable[dict[str, Any]]) -> None:
    """Add new rows to the counts of a library and take old ones out of them."""
    cells: Counter[tuple[Any, ...]] = Counter()
    tags: Counter[str] = Counter()
    for rows, sign in ((new, 1), (old, -1)):
        for row in rows:
            cells[_cell_of(row)] += sign if row["live"] else 0
            if row["live"]:
                for name in index_terms.values_of("tag", row["traits"]):
                    tags[name] += sign
    counts = [
        dict(zip(CELL, cell, strict=True)) | {"user_id": user_id, "samples": count}
        for cell, count in cells.items()  # also those without a change, which get an id
    ]
    named = [{"user_id": user_id, "name": name, "samples": count} for name, count in tags.items() if count]
    for statement, values in ((ADD_COUNT, counts), (ADD_TAG, named)):
        if values:
            db.session.execute(statement, values)


def _count_again(user_id: str) -> None:
    """Replace the counts of a library by those of its rows."""
    live = SearchRow.user_id == user_id, SearchRow.live.is_(True)
    number = func.count().label("samples")
    counted = select(SearchRow.cell, number).where(*live).group_by(SearchRow.cell)
    counts = {row.cell: row.samples for row in db.session.execute(counted)}
    values = [{"id": cell, "samples": counts.get(cell, 0)} for cell in _cell_ids(user_id).values()]
    if values:
        db.session.execute(update(LibraryCount), values)
    db.session.execute(delete(LibraryTag).where(LibraryTag.user_id == user_id))
    tagged = (
        select(Sample.user_id, Tag.name, func.count())
        .join(Sample, Sample.id == Tag.sample_id)
        .where(Sample.user_id == user_id, Sample.deleted_at.is_(None))
        .group_by(Sample.user_id, Tag.name)
    )
    db.session.execute(insert(LibraryTag).from_select(["user_id", "name", "samples"], tagged))


def _count_changes(user_id: str) -> int:
    waiting = select(func.count(SampleChange.sample_id.distinct())).where(SampleChange.user_id == user_id)
    return db.session.scalar(waiting) or 0
