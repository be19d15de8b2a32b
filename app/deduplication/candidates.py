"""Find samples whose vectors are so near that they may be the same recording.

This module and `sounds` load numpy. They are imported when there is something to compare.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.audio.similarity import layout
from app.audio.similarity.duplicates import likely_duplicates
from app.search.vector_cache import vector_cache

CHUNK_ROWS = 8192
MAX_CANDIDATES = 200  # of one sample; more of them are copies of one another


def find_candidates(user_id: str, stored: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Return what each of a user's samples, given with its stored vector, may be a copy of, nearest first.

    All vectors of the library are read once for all of them.
    """
    wanted = {sample_id: np.array(layout.from_bytes(each)) for sample_id, each in stored.items()}
    ids: dict[str, list[bytes]] = {sample_id: [] for sample_id in wanted}
    rows: dict[str, list[np.ndarray]] = {sample_id: [] for sample_id in wanted}
    for block in vector_cache().read_vectors(user_id):
        for start in range(0, len(block.ids), CHUNK_ROWS):
            chunk = block.rows[start : start + CHUNK_ROWS].astype(np.float64)
            for sample_id, vector in wanted.items():
                found = likely_duplicates(vector, chunk)
                ids[sample_id] += block.ids[start + found].tolist()
                rows[sample_id].append(chunk[found])
    return {
        sample_id: _sort_by_distance(sample_id, vector, ids[sample_id], rows[sample_id])
        for sample_id, vector in wanted.items()
    }


def _sort_by_distance(
    sample_id: str, vector: np.ndarray, ids: list[bytes], rows: list[np.ndarray]
) -> list[str]:
    if not ids:
        return []
    order = likely_duplicates(vector, np.concatenate(rows))
    others = [ids[place].decode() for place in order.tolist()]
    return [each for each in others if each != sample_id][:MAX_CANDIDATES]
