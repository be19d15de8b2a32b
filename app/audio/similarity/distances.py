"""Distances of similarity vectors, and the nearest of many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.audio.similarity import layout

# Rounding before comparing makes equal sounds ties, whatever the order of the sums.
DECIMALS = 5

Floats = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]


def block_distances(query: npt.ArrayLike, others: npt.ArrayLike) -> Array:
    """Return the distance of a vector to each of others in each block, unweighted, shape (n, blocks).

    Parameters
    ----------
    query : array_like, shape (`layout.LENGTH`,)
    others : array_like, shape (n, `layout.LENGTH`)
        Of the same `layout.SIMILARITY_VERSION`.

    Raises
    ------
    ValueError
        The lengths differ.
    """
    apart = np.asarray(others, dtype=np.float64).reshape(-1, layout.LENGTH) - np.asarray(query)
    # The blocks stand in their order, without gaps, so each ends where the next one starts.
    sums = np.add.reduceat(apart**2, [place.start for place in layout.BLOCKS.values()], axis=1)
    return np.asarray(np.sqrt(sums))


def weigh_blocks(blocks: Array, preset: str = layout.BALANCED) -> Array:
    """Return the distances of vectors by those in their blocks, shape (n,), rounded to 5 decimals.

    Parameters
    ----------
    blocks : array, shape (n, blocks)
        From `block_distances`.
    preset : str
        One of `layout.PRESETS`.

    Raises
    ------
    ValueError
        There is no such preset.
    """
    weights = np.array(layout.block_weights(preset))
    return np.asarray(np.round(np.sqrt(np.sum((blocks * weights) ** 2, axis=1)), DECIMALS))


def distances(query: npt.ArrayLike, others: npt.ArrayLike, preset: str = layout.BALANCED) -> Array:
    """Return the distance of a vector to each of others, shape (n,), rounded to 5 decimals.

    Parameters
    ----------
    query : array_like, shape (`layout.LENGTH`,)
    others : array_like, shape (n, `layout.LENGTH`)
        Of the same `layout.SIMILARITY_VERSION`.
    preset : str
        One of `layout.PRESETS`.

    Raises
    ------
    ValueError
        There is no such preset, or the lengths differ.
    """
    return weigh_blocks(block_distances(query, others), preset)


def rank_nearest(
    query: npt.ArrayLike, others: npt.ArrayLike, names: Sequence[str], preset: str = layout.BALANCED
) -> list[tuple[str, float]]:
    """Return the names of vectors with their distances, nearest first; ties stand in the order of the names.

    Parameters
    ----------
    query : array_like, shape (`layout.LENGTH`,)
    others : array_like, shape (n, `layout.LENGTH`)
    names : sequence of str
        One for each of `others`.
    preset : str
        One of `layout.PRESETS`.
    """
    found = distances(query, others, preset).tolist()
    return sorted(zip(names, found, strict=True), key=lambda pair: (pair[1], pair[0]))
