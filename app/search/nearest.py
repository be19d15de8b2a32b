"""Find the samples of a library whose vectors are nearest to one, among those that a search lets through.

One product compares all vectors roughly, and the nearest of them are compared exactly. One statement drops
what the filters and the sentence leave out. Where that is nearly everything, the samples that they let
through are looked up first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Row, select
from threadpoolctl import threadpool_limits

from app.audio.similarity import layout
from app.audio.similarity.distances import block_distances, weigh_blocks
from app.extensions import db
from app.models.search_row import SearchRow
from app.search import matching
from app.search.condition import Condition, all_of
from app.search.vector_cache import VectorBlock, vector_cache

MIN_COMPARED = 500
GROWTH = 8  # when too few of those compared match, so many times as many are
MAX_LISTED_IDS = 4_000  # in one statement
COMPARED_ROWS = 8192  # exactly, at a time
# Sums of float32 are a little off, and not in the same way in every place of a matrix. So whatever is this
# close to the last row that is compared exactly is compared too.
SLACK = 1e-4
FARTHEST = float(np.finfo(np.float32).max)  # samples that are not allowed are at infinity, beyond it

# numpy's own threads go on spinning after each product, and take the processor from other requests.
threadpool_limits(1, "blas")
_other_thread = ThreadPoolExecutor(1, "products")

Vector = npt.NDArray[np.float64]
Ids = npt.NDArray[np.bytes_]


@dataclass(frozen=True)
class Ranking:
    """Samples by their ids, nearest first; ties stand in the order of the ids.

    `blocks` are the distances in each block, shape (n, blocks), and `distances` what they come to.
    """

    ids: Sequence[str]
    distances: Vector
    blocks: Vector


@dataclass(frozen=True)
class Neighbour:
    """A sample: its distance, also in each block, and the columns of its `SearchRow` that were asked for."""

    distance: float
    blocks: dict[str, float]
    row: Row[Any]


class NeighbourSearch:
    """A search among the vectors of one user, by a preset, with the conditions that samples must meet."""

    def __init__(
        self, user_id: str, preset: str, conditions: Sequence[Condition], columns: Sequence[Any]
    ) -> None:
        self.user_id = user_id
        self.preset = preset
        self.conditions = conditions
        self.columns = columns

    def find_nearest(self, vector: Sequence[float], limit: int) -> list[Neighbour]:
        """Return the nearest samples that meet the conditions, nearest first."""
        query, count = np.array(vector), max(MIN_COMPARED, limit)
        ranked = self._rank(query, count)
        found = self._matching(ranked, limit)
        if len(found) == limit or len(ranked.ids) < count:
            return found
        allowed = db.session.scalars(
            matching.gathered(self.user_id, self.conditions, SearchRow.sample_id)
        ).all()
        if len(allowed) <= matching.MAX_GATHERED:
            ids = np.array([each.encode() for each in allowed], dtype=bytes)
            return self._matching(self._rank(query, limit, ids), limit)
        while len(found) < limit and len(ranked.ids) == count:
            count *= GROWTH
            ranked = self._rank(query, count)
            found = self._matching(ranked, limit)
        return found

    def _rank(self, query: Vector, count: int, allowed: Ids | None = None) -> Ranking:
        return rank_blocks(vector_cache().read_vectors(self.user_id), query, self.preset, count, allowed)

    def _matching(self, ranked: Ranking, limit: int) -> list[Neighbour]:
        """Return the first of the ranked samples that meet the conditions."""
        found: list[Neighbour] = []
        at, size = 0, _with_spare(limit)  # nearly always enough where there is no filter
        while at < len(ranked.ids) and len(found) < limit:
            part = ranked.ids[at : at + size]
            rows = {row.sample_id: row for row in db.session.execute(self._statement(part))}
            found += [
                _neighbour(ranked, place, rows[each]) for place, each in enumerate(part, at) if each in rows
            ]
            at += size
            if found:  # of so many ids, such a share matched
                size = min(_with_spare((limit - len(found)) * at // len(found) + 1), MAX_LISTED_IDS)
            else:
                size = MAX_LISTED_IDS
        return found[:limit]

    def _statement(self, ids: Sequence[str]) -> Any:
        own = SearchRow.user_id == self.user_id, SearchRow.live.is_(True), SearchRow.sample_id.in_(ids)
        return select(SearchRow.sample_id, *self.columns).where(*own, all_of(*self.conditions).exact)


def rank_blocks(
    blocks: Iterator[VectorBlock], query: Vector, preset: str, count: int, allowed: Ids | None = None
) -> Ranking:
    """Return the `count` nearest of all vectors, or of those of the allowed samples."""
    ids: list[Ids] = [np.empty(0, dtype="S26")]
    apart: list[Vector] = [np.empty((0, len(layout.BLOCKS)))]
    for block in blocks:
        choose = partial(_nearest_rows, block, query, preset, count, allowed)
        # Other filters, a sentence or "but brighter" choose among the same rows.
        is_for_all = allowed is None
        near = block.keep((preset, count, query.tobytes()), choose) if is_for_all else choose()
        for start in range(0, len(near), COMPARED_ROWS):
            part = near[start : start + COMPARED_ROWS]
            ids.append(block.ids[part])
            apart.append(block_distances(query, block.rows[part]))
    every_id, every_block = np.concatenate(ids), np.concatenate(apart)
    every_distance = weigh_blocks(every_block, preset)
    order = np.lexsort((every_id, every_distance))[:count]
    names = [each.decode() for each in every_id[order].tolist()]
    return Ranking(names, every_distance[order], every_block[order])


def _neighbour(ranked: Ranking, place: int, row: Row[Any]) -> Neighbour:
    blocks = dict(zip(layout.BLOCKS, ranked.blocks[place].tolist(), strict=True))
    return Neighbour(float(ranked.distances[place]), blocks, row)


def _with_spare(count: int) -> int:
    return count + count // 4


def _nearest_rows(
    block: VectorBlock, query: Vector, preset: str, count: int, allowed: Ids | None
) -> npt.NDArray[np.intp]:
    """Return the places of rows among which the nearest are for certain."""
    rough = _rough_distances(block, query, preset)
    if allowed is not None:
        rough[~np.isin(block.ids, allowed)] = np.inf
    last = _smallest(rough, count) if count < len(rough) else np.inf
    return np.flatnonzero(rough <= min(last + SLACK * (1 + abs(last)), FARTHEST))


def _smallest(values: npt.NDArray[np.float32], count: int) -> float:
    """Return the last of the `count` smallest values.

    Every 16th value gives a bound. Only the values up to it are searched, or all if these are too few.
    """
    some = values[::16]
    place = count // 8 + 16
    if place < len(some):
        small = values[values <= np.partition(some, place)[place]]
        values = small if len(small) >= count else values
    return float(np.partition(values, count - 1)[count - 1])


def _rough_distances(block: VectorBlock, query: Vector, preset: str) -> npt.NDArray[np.float32]:
    """Return squared distances, summed up from products: w²(x² + q² - 2xq)."""
    weighted = query * np.array(layout.preset_weights(preset)) ** 2
    weights = np.array(layout.block_weights(preset), dtype=np.float32) ** 2
    rough = _products(block.rows, (-2 * weighted).astype(np.float32))
    rough += block.norms @ weights
    rough += np.float32(weighted @ query)
    return rough


def _products(rows: npt.NDArray[np.float32], vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return `rows @ vector`, one half of it in another thread."""
    found, half = np.empty(len(rows), dtype=np.float32), len(rows) // 2
    other = _other_thread.submit(np.matmul, rows[half:], vector, out=found[half:])
    np.matmul(rows[:half], vector, out=found[:half])
    if other.cancel():  # that thread has not begun: it works for another request
        np.matmul(rows[half:], vector, out=found[half:])
    else:
        other.result()
    return found
