"""Scores of a descriptor: how well near vectors are hits of one class, of one instrument, of one kit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.alike.kits import KitHit

SCORE_NAMES = ("P@1", "P@10", "mAP", "same instrument", "mate")


@dataclass(frozen=True)
class Labels:
    """The labels of the scored hits as arrays, shape (hits,)."""

    label: np.ndarray
    kit: np.ndarray
    instrument: np.ndarray


def hit_labels(hits: Sequence[KitHit]) -> Labels:
    """Return the labels of hits."""
    return Labels(*(np.array([getattr(h, name) for h in hits]) for name in ("label", "kit", "instrument")))


def pairwise_distances(x: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances of rows, shape (rows, rows)."""
    x = np.asarray(x, dtype=np.float64)
    squares = (x**2).sum(axis=1)
    return np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * x @ x.T, 0))


def score_descriptor(x: np.ndarray, of: Labels) -> tuple[float, ...]:
    """Return the scores of `SCORE_NAMES` in percent.

    P@1, P@10 and mAP ask for the class of the query among the hits of all other kits. `same instrument` is
    the R-precision of the other velocities of the query, all hits being candidates. `mate` is the mean
    reciprocal rank of the first hit of the query's kit among all hits of another class of its kit.
    """
    away = pairwise_distances(x)
    rows = [_class_scores(away[i], of, i) for i in range(len(x))]
    first = np.nanmean(np.array(rows), axis=0)
    same = [s for i in range(len(x)) if (s := _instrument_score(away[i], of, i)) is not None]
    mates = [s for i in range(len(x)) for s in _mate_scores(away[i], of, i)]
    return (*(100 * float(v) for v in first), 100 * float(np.mean(same)), 100 * float(np.mean(mates)))


def _class_scores(away: np.ndarray, of: Labels, query: int) -> tuple[float, float, float]:
    """Return precision of the first, of the first ten, and average precision; NaN for a class of one kit."""
    others = np.flatnonzero(of.kit != of.kit[query])
    right = (of.label[others] == of.label[query])[np.argsort(away[others], kind="stable")]
    if not right.any():
        return np.nan, np.nan, np.nan
    precision = np.cumsum(right)[right] / (np.flatnonzero(right) + 1)
    return float(right[0]), float(right[:10].mean()), float(precision.mean())


def _instrument_score(away: np.ndarray, of: Labels, query: int) -> float | None:
    """Return the share of the instrument's other hits among as many nearest; None if it has no other."""
    others = np.flatnonzero(np.arange(len(away)) != query)
    right = (of.instrument[others] == of.instrument[query])[np.argsort(away[others], kind="stable")]
    return float(right[: right.sum()].mean()) if right.any() else None


def _mate_scores(away: np.ndarray, of: Labels, query: int) -> list[float]:
    """Return for each other class of the kit the reciprocal rank of the kit's own nearest hit."""
    ranks: dict[str, int] = defaultdict(int)
    found: dict[str, float] = {}
    own = set(of.label[of.kit == of.kit[query]]) - {of.label[query]}
    for i in np.argsort(away, kind="stable"):
        label = of.label[i]
        ranks[label] += 1
        if label in own and label not in found and of.kit[i] == of.kit[query]:
            found[label] = 1 / ranks[label]
    return list(found.values())
