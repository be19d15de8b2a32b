"""Find samples that start so much alike that they may be the same recording.

This module, `fingerprint_cache` and `sounds` load numpy. They are imported when there is something to
compare.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from sqlalchemy import select

from app.audio.similarity.duplicates import likely_duplicates
from app.deduplication.fingerprint_cache import FingerprintCache, Prints, is_usable
from app.extensions import db
from app.models import SampleVector
from app.models.base import release_connection

MAX_CANDIDATES = 200  # of one sample; more of them are copies of one another

_cache = FingerprintCache()


def find_candidates(user_id: str, sample_ids: Collection[str]) -> dict[str, list[str]]:
    """Return what each of these samples of a user may be a copy of, nearest first.

    All fingerprints of the library are gone through once for all of them. No connection is held meanwhile.
    """
    wanted = _read_some(user_id, sample_ids)
    ids: dict[str, list[bytes]] = {sample_id: [] for sample_id in wanted}
    prints: dict[str, list[Prints]] = {sample_id: [] for sample_id in wanted}
    for block in _cache.read_blocks(user_id) if wanted else ():
        release_connection()
        for sample_id, one in wanted.items():
            found = likely_duplicates(one, block.prints)
            ids[sample_id] += block.ids[found].tolist()
            prints[sample_id].append(block.prints[found])
    release_connection()
    return {each: _sort_by_distance(each, one, ids[each], prints[each]) for each, one in wanted.items()}


def _sort_by_distance(sample_id: str, one: Prints, ids: list[bytes], prints: list[Prints]) -> list[str]:
    if not ids:
        return []
    order = likely_duplicates(one, np.concatenate(prints)).tolist()
    others = dict.fromkeys(ids[place].decode() for place in order)
    return [each for each in others if each != sample_id][:MAX_CANDIDATES]


def _read_some(user_id: str, sample_ids: Collection[str]) -> dict[str, Prints]:
    wanted = select(SampleVector.sample_id, SampleVector.version, SampleVector.fingerprint)
    wanted = wanted.where(SampleVector.user_id == user_id, SampleVector.sample_id.in_(sample_ids))
    rows = [row for row in db.session.execute(wanted) if is_usable(row.version, row.fingerprint)]
    return {row.sample_id: np.frombuffer(row.fingerprint, np.uint8) for row in rows}
