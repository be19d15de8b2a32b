"""Gradient-boosted trees from plain arrays: no pickle, no framework, numpy alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

WEIGHTS_FOLDER = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Forest:
    """Boosted regression trees, one group of trees a class.

    Attributes
    ----------
    feature, left, right : one entry a node over all trees, shape (nodes,); a leaf has feature -1.
    threshold : go left when the value is at most this, shape (nodes,).
    missing_left : where a missing value (NaN) goes, shape (nodes,).
    value : output of a leaf, shape (nodes,).
    roots : first node of each tree, shape (trees,).
    output : class each tree adds to, shape (trees,).
    base : starting score of each class, shape (classes,).
    """

    feature: npt.NDArray[np.int16]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    missing_left: npt.NDArray[np.bool_]
    value: npt.NDArray[np.float32]
    roots: npt.NDArray[np.int32]
    output: npt.NDArray[np.int16]
    base: npt.NDArray[np.float32]

    def scores(self, x: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Raw additive scores for rows of features, shape (rows, classes)."""
        rows = np.asarray(x, dtype=np.float32)
        node = np.broadcast_to(self.roots, (rows.shape[0], self.roots.size)).copy()
        row = np.arange(rows.shape[0])[:, None]
        while np.any(inner := self.feature[node] >= 0):
            seen = rows[row, np.maximum(self.feature[node], 0)]
            go_left = np.where(np.isnan(seen), self.missing_left[node], seen <= self.threshold[node])
            node = np.where(inner, np.where(go_left, self.left[node], self.right[node]), node)
        leaves = self.value[node].astype(np.float64)
        return np.stack(
            [leaves[:, self.output == c].sum(axis=1) + b for c, b in enumerate(self.base)], axis=1
        )

    def probabilities(self, x: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Probability of each class, shape (rows, classes); of yes, shape (rows, 1), for a yes-no forest."""
        scores = self.scores(x)
        if scores.shape[1] == 1:
            return np.asarray(1 / (1 + np.exp(-scores)))
        return softmax(scores)


def softmax(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Probabilities along the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


@cache
def load_weights(name: str) -> dict[str, npt.NDArray[Any]]:
    """Arrays of one weights file, read once; pickled objects are refused."""
    with np.load(WEIGHTS_FOLDER / f"{name}.npz", allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


@cache
def load_forest(name: str) -> Forest:
    """The forest kept under a name."""
    stored = load_weights(name)
    return Forest(**{field: stored[field] for field in Forest.__dataclass_fields__})


def logistic_probability(coefficients: npt.NDArray[Any], x: npt.NDArray[np.float64]) -> float:
    """Chance by a logistic model: coefficients with the constant last."""
    score = float(np.dot(coefficients[:-1], x) + coefficients[-1])
    return float(1 / (1 + np.exp(-np.clip(score, -30, 30))))
