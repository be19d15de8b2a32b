"""Find samples that start so much alike that they may be the same recording.

This module and `sounds` load numpy. They are imported when there is something to compare.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, func, select

from app.audio.similarity import layout
from app.audio.similarity.duplicates import likely_duplicates
from app.extensions import db
from app.models import SampleVector

READ_ROWS = 8192
MAX_CANDIDATES = 200  # of one sample; more of them are copies of one another

Rows = npt.NDArray[np.uint8]


def find_candidates(user_id: str, sample_ids: Collection[str]) -> dict[str, list[str]]:
    """Return what each of these samples of a user may be a copy of, nearest first.

    All fingerprints of the library are read once for all of them.
    """
    wanted = _read_some(user_id, sample_ids)
    ids: dict[str, list[str]] = {sample_id: [] for sample_id in wanted}
    rows: dict[str, list[Rows]] = {sample_id: [] for sample_id in wanted}
    for read_ids, prints in _read_all(user_id) if wanted else ():
        for sample_id, one in wanted.items():
            found = likely_duplicates(one, prints)
            ids[sample_id] += [read_ids[place] for place in found.tolist()]
            rows[sample_id].append(prints[found])
    return {each: _sort_by_distance(each, one, ids[each], rows[each]) for each, one in wanted.items()}


def _sort_by_distance(sample_id: str, one: Rows, ids: list[str], rows: list[Rows]) -> list[str]:
    if not ids:
        return []
    order = likely_duplicates(one, np.concatenate(rows)).tolist()
    return [ids[place] for place in order if ids[place] != sample_id][:MAX_CANDIDATES]


def _read_some(user_id: str, sample_ids: Collection[str]) -> dict[str, Rows]:
    wanted = select(SampleVector.sample_id, SampleVector.fingerprint).where(
        SampleVector.user_id == user_id, SampleVector.sample_id.in_(sample_ids), *_usable()
    )
    return {row.sample_id: np.frombuffer(row.fingerprint, np.uint8) for row in db.session.execute(wanted)}


def _read_all(user_id: str) -> Iterator[tuple[list[str], Rows]]:
    """Yield the ids and fingerprints of a library in the order of their numbers, some thousand at a time."""
    columns = SampleVector.number, SampleVector.sample_id, SampleVector.fingerprint
    wanted = select(*columns).where(SampleVector.user_id == user_id, *_usable())
    wanted, after = wanted.order_by(SampleVector.number).limit(READ_ROWS), 0
    while rows := db.session.execute(wanted.where(SampleVector.number > after)).all():
        prints = np.frombuffer(b"".join(row.fingerprint for row in rows), np.uint8)
        yield [row.sample_id for row in rows], prints.reshape(len(rows), layout.FINGERPRINT_LENGTH)
        after = rows[-1].number


def _usable() -> tuple[ColumnElement[bool], ...]:
    """Return the condition for rows that can be compared: of this version, and not of silence."""
    is_whole = func.length(SampleVector.fingerprint) == layout.FINGERPRINT_LENGTH
    return SampleVector.version == layout.SIMILARITY_VERSION, is_whole
