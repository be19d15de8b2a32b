"""Fit every model, cross-validated by source: `python -m training.fit --corpus FOLDER`.
 Writes the weights into `app/audio/estimation/weights`, and the out-of-fold answers into
`FOLDER/answers-*.json` for `benchmarks/accuracy.py`. A fold never splits a source (a kit, a soundfont, a
style, a tune, a groove file).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from app.audio.estimation import key_estimator, key_network, note_estimator, tempo_estimator
from app.audio.estimation.boosted_trees import WEIGHTS_FOLDER, Forest
from app.music.sound_classes import DRUMS, KINDS, LOOP_SOUNDS, TONES
from training import fit_key_network
from training.boosted_trees import fit_trees
from training.corpus import KIND_OF_CLIP
from training.features import deal_folds, gather_rows, hash_folds

TEMPO_TREES = {
    "max_iter": 450,
    "max_leaf_nodes": 16,
    "min_samples_leaf": 60,
    "learning_rate": 0.05,
    "l2_regularization": 5.0,
    "max_features": 0.2,
}
SOUND_TREES = {"max_iter": 120}
CLASS_TREES = {
    "max_iter": 80,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 20,
    "l2_regularization": 5.0,
    "max_features": 0.2,
}
NOTE_TREES = {"max_iter": 60, "max_leaf_nodes": 6, "min_samples_leaf": 20}
KEY_NETWORKS = 3
EXACT_TEMPO = 0.0035
UNPITCHED_TEXTURES = ("noise", "crackle", "wind", "rain", "clicks", "roll")

Row = dict[str, Any]
Answers = dict[str, Any]


def save_forest(name: str, forest: Forest) -> None:
    """Write a forest's arrays into the weights folder."""
    arrays = {field: getattr(forest, field) for field in Forest.__dataclass_fields__}
    np.savez_compressed(WEIGHTS_FOLDER / f"{name}.npz", **arrays)


def _save_calibration(name: str, coefficients: np.ndarray) -> None:
    """Write the coefficients of a confidence into the weights folder."""
    np.savez_compressed(WEIGHTS_FOLDER / f"{name}_scale.npz", coefficients=coefficients.astype(np.float32))


def fit_tempo(rows: list[Row], answers: Answers) -> None:
    """Fit the trees over tempo candidates and the confidence of the winner."""
    clips = [r for r in rows if r["bpm_true"] is not None and len(r["bpm"])]
    deal = hash_folds([r["group"] for r in clips])
    x, y, w = _stack_tempo(clips)
    owner = np.repeat(np.arange(len(clips)), [len(r["bpm"]) for r in clips])
    chances = np.zeros(len(owner))
    for k in np.unique(deal):
        out = deal[owner] == k
        chances[out] = fit_trees(x[~out], y[~out], w[~out], **TEMPO_TREES).probabilities(x[out])[:, 0]
    save_forest("tempo", fit_trees(x, y, w, **TEMPO_TREES))
    merged = [tempo_estimator.merge_tempi(r["bpm"], chances[owner == i]) for i, r in enumerate(clips)]
    right = np.array([abs(m[0][0] / r["bpm_true"] - 1) < 0.04 for m, r in zip(merged, clips, strict=True)])
    scale, sure = _calibrate(
        np.stack([tempo_estimator.confidence_features(m[1]) for m in merged]), right, deal
    )
    for r, m, c in zip(clips, merged, sure, strict=True):
        answers[r["id"]]["bpm"], answers[r["id"]]["bpm_confidence"] = float(m[0][0]), float(c)
    _save_calibration("tempo", scale)


def _stack_tempo(clips: list[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features, labels and weights of all candidates; those of one clip share its weight."""
    off = np.concatenate([np.abs(r["bpm"] / r["bpm_true"] - 1) for r in clips])
    heavy = [_tempo_weight(r) for r in clips]
    weight = np.concatenate(
        [np.full(len(r["bpm"]), h * 60 / len(r["bpm"])) for r, h in zip(clips, heavy, strict=True)]
    )
    return np.concatenate([r["tempo"] for r in clips]), (off < EXACT_TEMPO).astype(int), weight


# Half bars, the other rare loops, count less: each is as long as a bar of twice its tempo.
RARE_WEIGHTS = {"groove-slow-triplets": 4.0, "groove-footwork": 2.0}


def _tempo_weight(row: Row) -> float:
    """Return a clip's weight: more for tracks and for rhythms that people wrote; there are few of them."""
    if row["group"] == "style-traphalf":
        return 0.5  # two tempos are right for half-time trap
    if row["family"] == "rare":
        return RARE_WEIGHTS.get(row["group"], 1.3) if row["group"].startswith("groove-") else 0.6
    return (1.5 if row["kind"] == "track" else 1.0) * {"mma": 2.0}.get(row["family"], 1.0)


def _calibrate(
    x: np.ndarray, right: np.ndarray, deal: np.ndarray, among: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a logistic confidence on the clips `among`.

    Return the coefficients from all of them, and the out-of-fold probabilities of every clip.
    """
    among = np.ones(len(x), dtype=bool) if among is None else among
    sure = np.zeros(len(x))
    for k in np.unique(deal):
        seen = (deal != k) & among
        sure[deal == k] = (
            LogisticRegression(C=1.0).fit(x[seen], right[seen]).predict_proba(x[deal == k])[:, 1]
        )
    model = LogisticRegression(C=1.0).fit(x[among], right[among])
    return np.append(model.coef_[0], model.intercept_[0]), sure


def fit_key(rows: list[Row], answers: Answers) -> None:
    """Fit the networks over the course of the pitch classes and the confidence of the winner."""
    clips = [r for r in rows if r["key"] is not None]
    course, whole = (np.stack([r[name] for r in clips]) for name in ("course", "profiles"))
    y, w = np.array([r["key"] for r in clips]), np.array([_key_weight(r) for r in clips], dtype=np.float32)
    deal, decided = hash_folds([r["group"] for r in clips]), w > 0
    chances = np.zeros((len(clips), 24))
    for k in np.unique(deal):
        seen = (deal != k) & decided
        nets = fit_key_network.train_networks(course[seen], whole[seen], y[seen], w[seen], KEY_NETWORKS)
        for i in np.flatnonzero(deal == k):
            chances[i] = key_network.probabilities(course[i], whole[i], nets)
    nets = fit_key_network.train_networks(
        course[decided], whole[decided], y[decided], w[decided], KEY_NETWORKS
    )
    np.savez_compressed(
        WEIGHTS_FOLDER / "key.npz", **{name: w.astype(np.float16) for name, w in nets.items()}
    )
    right = chances.argmax(axis=1) == y
    features = np.stack([key_estimator.confidence_features(c) for c in chances])
    scale, sure = _calibrate(features, right, deal, among=decided)
    for r, c, s in zip(clips, chances, sure, strict=True):
        answers[r["id"]]["key"], answers[r["id"]]["key_confidence"] = int(c.argmax()), float(s)
    _save_calibration("key", scale)


def _key_weight(row: Row) -> float:
    """Return a clip's weight: less for a bass or melody alone, more for a key that a person declared."""
    if not row["decided"]:
        return 0.0
    light = {"bass": 0.5, "drums+bass": 0.5, "melody": 0.7}.get(row["content"], 1.0)
    return light * (1.5 if row["family"] in ("bach", "essen", "mma") else 1.0)


def fit_binary(name: str, rows: list[Row], truth: list[int | None], answers: Answers) -> None:
    """Fit trees that answer one yes-or-no question from the sound descriptors; None is no answer."""
    pairs = [(r, t) for r, t in zip(rows, truth, strict=True) if t is not None]
    x, y = np.stack([r["shape"] for r, _ in pairs]), np.array([t for _, t in pairs])
    w = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    deal = hash_folds([r["group"] for r, _ in pairs])
    for k in np.unique(deal):
        out = deal == k
        chances = fit_trees(x[~out], y[~out], w[~out], **SOUND_TREES).probabilities(x[out])[:, 0]
        for i, c in zip(np.flatnonzero(out), chances, strict=True):
            answers[pairs[i][0]["id"]][name] = float(c)
    save_forest(name, fit_trees(x, y, w, **SOUND_TREES))


def fit_kind(rows: list[Row], answers: Answers) -> None:
    """Fit the trees that tell loops, one-shots and textures apart; the three count alike."""
    x, y = (
        np.stack([r["shape"] for r in rows]),
        np.array([KINDS.index(KIND_OF_CLIP[r["kind"]]) for r in rows]),
    )
    w = 1 / np.bincount(y)[y]
    w /= w.mean()
    deal = hash_folds([r["group"] for r in rows])
    for k in np.unique(deal):
        out = deal == k
        chances = fit_trees(x[~out], y[~out], w[~out], **SOUND_TREES).probabilities(x[out])
        for i, c in zip(np.flatnonzero(out), chances, strict=True):
            answers[rows[i]["id"]]["kind"] = c.tolist()
    save_forest("kind", fit_trees(x, y, w, **SOUND_TREES))


def fit_classes(name: str, rows: list[Row], classes: tuple[str, ...], field: str, answers: Answers) -> None:
    """Fit trees and a linear model that together name a class, leaving out whole sources."""
    clips = [r for r in rows if r[field] in classes]
    x, y = np.stack([r["shape"] for r in clips]), np.array([classes.index(r[field]) for r in clips])
    groups = np.array([r["group"] for r in clips])
    deal = deal_folds(list(groups))
    for k in np.unique(deal):
        out = deal == k
        trees, linear = _fit_ensemble(x[~out], y[~out], groups[~out])
        chances = (trees.probabilities(x[out]) + _linear_chances(x[out], linear)) / 2
        for i, c in zip(np.flatnonzero(out), chances, strict=True):
            answers[clips[i]["id"]][name], answers[clips[i]["id"]][f"{name}_confidence"] = (
                int(c.argmax()),
                float(c.max()),
            )
    trees, linear = _fit_ensemble(x, y, groups)
    save_forest(name, trees)
    np.savez_compressed(
        WEIGHTS_FOLDER / f"{name}_linear.npz", **{k: v.astype(np.float32) for k, v in linear.items()}
    )


def _fit_ensemble(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> tuple[Forest, dict[str, np.ndarray]]:
    """Return trees and a linear model, fitted so that rare classes and small sources count."""
    _, source, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    w = 1 / np.bincount(y)[y] / np.sqrt(sizes[source])
    w /= w.mean()
    median = np.nanmedian(x, axis=0)
    filled = np.where(np.isnan(x), median, x)
    mean, spread = filled.mean(axis=0), filled.std(axis=0) + 1e-6
    scaled = np.clip((filled - mean) / spread, -4, 4)
    model = LogisticRegression(C=0.003, max_iter=400).fit(scaled, y, sample_weight=w)
    linear = {
        "weight": model.coef_,
        "bias": model.intercept_,
        "median": median,
        "mean": mean,
        "spread": spread,
    }
    return fit_trees(x, y, w, **CLASS_TREES), linear


def _linear_chances(x: np.ndarray, linear: dict[str, np.ndarray]) -> np.ndarray:
    """Return the linear model's probability of each class."""
    scaled = np.clip((np.where(np.isnan(x), linear["median"], x) - linear["mean"]) / linear["spread"], -4, 4)
    scores = scaled @ linear["weight"].T + linear["bias"]
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


def fit_note(rows: list[Row], answers: Answers) -> None:
    """Fit the trees that choose the fundamental, leaving out one source at a time."""
    clips = [r for r in rows if r["note"] is not None]
    x = [note_estimator.note_features(r["pitch"]) for r in clips]
    y = [np.array([abs(c.midi - r["note"]) < 0.5 for c in r["pitch"]]).astype(int) for r in clips]
    groups = np.array([r["group"] for r in clips])
    for group in np.unique(groups):
        seen = np.flatnonzero(groups != group)
        trees = fit_trees(
            np.concatenate([x[i] for i in seen]), np.concatenate([y[i] for i in seen]), **NOTE_TREES
        )
        for i in np.flatnonzero(groups == group):
            best = clips[i]["pitch"][int(trees.probabilities(x[i])[:, 0].argmax())]
            answers[clips[i]["id"]]["note"] = float(best.midi)
    save_forest("note", fit_trees(np.concatenate(x), np.concatenate(y), **NOTE_TREES))


def _is_tonal(row: Row) -> int | None:
    """Return 1 for music with pitches, 0 for drums, None for anything in between."""
    if row["key"] is not None or row["content"] in ("note", "chord"):
        return 1
    return 0 if row["content"] in ("drums", "drum", *UNPITCHED_TEXTURES) else None


def fit_sound(rows: list[Row], answers: Answers) -> None:
    """Fit every model that reads the sound descriptors: kind, tonal, drum or tone, and the classes."""
    fit_kind(rows, answers)
    fit_binary("tonal", rows, [_is_tonal(r) for r in rows], answers)
    shots = [None if r["kind"] != "oneshot" else int(r["family"] == "drumshot") for r in rows]
    fit_binary("drumlike", rows, shots, answers)
    fit_classes("drum", rows, DRUMS, "label", answers)
    fit_classes("tone", rows, TONES, "tone", answers)
    fit_classes("loop", rows, LOOP_SOUNDS, "sound", answers)


STAGES = {"tempo": fit_tempo, "key": fit_key, "note": fit_note, "shape": fit_sound}


def main() -> None:
    """Fit the named stages, or all of them, and write weights and answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("stages", nargs="*")
    args = parser.parse_args()
    WEIGHTS_FOLDER.mkdir(exist_ok=True)
    for stage in args.stages or STAGES:
        rows = gather_rows(args.corpus, stage)
        answers: Answers = {r["id"]: {} for r in rows}
        STAGES[stage](rows, answers)
        (args.corpus / f"answers-{stage}.json").write_text(json.dumps(answers))
        print(f"{stage} is fitted", flush=True)


if __name__ == "__main__":
    main()
