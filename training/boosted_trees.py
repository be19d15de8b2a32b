"""Fit gradient-boosted trees with scikit-learn and unpack them into plain arrays."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from app.audio.estimation.boosted_trees import Forest


def fit_trees(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, seed: int = 0, **options: float
) -> Forest:
    """Return trees fitted to rows of features; the default settings are small and strongly regularised."""
    settings = {
        "max_iter": 160,
        "learning_rate": 0.07,
        "max_leaf_nodes": 12,
        "min_samples_leaf": 40,
        "l2_regularization": 3.0,
        "max_features": 0.4,
    }
    model = HistGradientBoostingClassifier(**{**settings, **options}, early_stopping=False, random_state=seed)
    model.fit(x.astype(np.float32), y, sample_weight=weight)
    return unpack_trees(model)


def unpack_trees(model: HistGradientBoostingClassifier) -> Forest:
    """Return the trees of a fitted model as plain arrays, which the product reads without scikit-learn."""
    columns: dict[str, list[np.ndarray]] = {
        k: [] for k in ("feature", "threshold", "left", "right", "missing_left", "value")
    }
    roots, output, at = [], [], 0
    for stage in model._predictors:
        for place, tree in enumerate(stage):
            nodes = tree.nodes
            leaf = nodes["is_leaf"].astype(bool)
            columns["feature"].append(np.where(leaf, -1, nodes["feature_idx"]))
            columns["threshold"].append(nodes["num_threshold"])
            columns["left"].append(np.where(leaf, 0, nodes["left"].astype(int) + at))
            columns["right"].append(np.where(leaf, 0, nodes["right"].astype(int) + at))
            columns["missing_left"].append(nodes["missing_go_to_left"].astype(bool))
            columns["value"].append(np.where(leaf, nodes["value"], 0))
            roots.append(at)
            output.append(place)
            at += len(nodes)
    types = {
        "feature": np.int16,
        "threshold": np.float32,
        "left": np.int32,
        "right": np.int32,
        "missing_left": np.bool_,
        "value": np.float32,
    }
    arrays: dict[str, np.ndarray] = {k: np.concatenate(v).astype(types[k]) for k, v in columns.items()}
    base = np.ravel(model._baseline_prediction).astype(np.float32)
    return Forest(**arrays, roots=np.array(roots, np.int32), output=np.array(output, np.int16), base=base)
