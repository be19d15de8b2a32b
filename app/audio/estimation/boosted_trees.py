"""Evaluate gradient-boosted trees that are stored as plain arrays, with numpy alone.

No framework is needed at run time, and weights are never unpickled.
"""

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
    """Boosted regression trees (Friedman 2001), one group of trees for each class.

    Attributes
    ----------
    feature, left, right : column and children of each node, shape (nodes,); a leaf has feature -1.
    threshold : a row goes left when its value is at most this, shape (nodes,).
    missing_left : whether a missing value (NaN) goes left, shape (nodes,).
    value : output of a leaf, shape (nodes,).
    roots : first node of each tree, shape (trees,).
    output : class that each tree adds to, shape (trees,).
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
        """Return the raw additive scores, shape (rows, classes).

        Parameters
        ----------
        x : array_like, shape (rows, features)
            NaN for what is missing.
        """
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
        """Return the probability of each class, shape (rows, classes).

        A forest with one output answers yes or no; then it is the probability of yes, shape (rows, 1).

        Parameters
        ----------
        x : array_like, shape (rows, features)
            NaN for what is missing.
        """
        scores = self.scores(x)
        if scores.shape[1] == 1:
            return np.asarray(1 / (1 + np.exp(-scores)))
        return softmax(scores)


def softmax(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the probabilities of scores along the last axis; the shape stays.

    Parameters
    ----------
    scores : ndarray, shape (…, classes)
    """
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


@cache
def load_weights(name: str) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of one weights file by name, read once.

    Parameters
    ----------
    name : str
        Of the file, without `.npz`.

    Raises
    ------
    FileNotFoundError
        There is no `weights/<name>.npz`.
    ValueError
        The file holds pickled objects.
    """
    with np.load(WEIGHTS_FOLDER / f"{name}.npz", allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


@cache
def load_forest(name: str) -> Forest:
    """Return the forest stored in a weights file, read once; errors as for `load_weights`.

    Parameters
    ----------
    name : str
        Of the file, without `.npz`.
    """
    stored = load_weights(name)
    return Forest(**{field: stored[field] for field in Forest.__dataclass_fields__})


def logistic_probability(coefficients: npt.NDArray[Any], x: npt.NDArray[np.float64]) -> float:
    """Return the probability by a logistic model.

    Parameters
    ----------
    coefficients : ndarray, shape (features + 1,)
        The constant comes last.
    x : ndarray, shape (features,)
    """
    score = float(np.dot(coefficients[:-1], x) + coefficients[-1])
    return float(1 / (1 + np.exp(-np.clip(score, -30, 30))))
