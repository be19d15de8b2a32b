"""Of many vectors the nearest are found, wherever they lie among the others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from app.audio.similarity import layout
from app.audio.similarity.distances import rank_nearest
from app.search.nearest import rank_blocks
from app.search.vector_cache import VectorBlock

ROWS, COUNT = 2000, 50
every_16th = np.arange(ROWS) % 16 == 0


def block_of(rows: npt.NDArray[np.float32]) -> VectorBlock:
    ids = np.array([f"{number:026d}" for number in range(len(rows))], dtype="S26")
    norms = [np.sum(rows[:, place] ** 2, axis=1) for place in layout.BLOCKS.values()]
    return VectorBlock(ids, np.asfortranarray(rows), np.stack(norms, axis=1))


@pytest.mark.parametrize("is_near", [every_16th, ~every_16th, np.arange(ROWS) < ROWS // 2])
@pytest.mark.parametrize("preset", layout.PRESETS)
def test_all_are_compared_wherever_the_near_ones_lie(is_near: npt.NDArray[np.bool_], preset: str) -> None:
    rows = np.random.default_rng(4).normal(size=(ROWS, layout.LENGTH)).astype(np.float32)
    rows[~is_near] += 3
    block, query = block_of(rows), np.zeros(layout.LENGTH)
    found = rank_blocks(iter([block]), query, preset, COUNT)
    nearest = rank_nearest(query, rows, [each.decode() for each in block.ids.tolist()], preset)
    assert list(zip(found.ids, found.distances.tolist(), strict=True)) == nearest[:COUNT]


@pytest.mark.parametrize("allowed", [0, 1, 49, 50, 51, 1000])
def test_only_allowed_samples_are_compared(allowed: int) -> None:
    rows = np.random.default_rng(5).normal(size=(ROWS, layout.LENGTH)).astype(np.float32)
    block, query = block_of(rows), np.zeros(layout.LENGTH)
    some = block.ids[::-1][:allowed]
    found = rank_blocks(iter([block]), query, layout.BALANCED, COUNT, some)
    names = [each.decode() for each in some.tolist()]
    nearest = rank_nearest(query, rows[::-1][:allowed], names)[:COUNT]
    assert list(zip(found.ids, found.distances.tolist(), strict=True)) == nearest
