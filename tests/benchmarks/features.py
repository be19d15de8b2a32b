# ruff: noqa: E501
"""Features of every clip of the corpus, computed once and kept on disk: development only."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from app.audio import periodicity, pitch
from app.audio.ear import attend
from tests.benchmarks.corpus import load_audio, load_index
from tests.benchmarks.material import RATE


def measure(y: np.ndarray) -> dict[str, Any]:
    """Everything the models read, of one sound."""
    ear = attend(y, RATE)
    return {
        "bpm": ear.rhythm.bpm,
        "tempo": periodicity.features(ear.rhythm).astype(np.float32),
        "profiles": ear.profiles,
        "shape": ear.shape.astype(np.float32),
        "pitch": pitch.candidates(ear.heard),
    }


def gather(corpus: Path) -> list[dict[str, Any]]:
    """Index rows with their features; clips measured before are read from `features.pkl` beside the corpus."""
    store = corpus / "features.pkl"
    known = pickle.loads(store.read_bytes()) if store.exists() else {}
    rows = load_index(corpus)
    for row in rows:
        if row["id"] not in known:
            known[row["id"]] = measure(load_audio(corpus, row["id"]))
    store.write_bytes(pickle.dumps(known))
    return [row | {"bpm_true": row["bpm"]} | known[row["id"]] for row in rows]


def folds(groups: list[str], count: int = 5, seed: int = 0) -> np.ndarray:
    """Fold of each clip: whole sources, dealt at random."""
    names = sorted(set(groups))
    deal = dict(
        zip(np.random.default_rng(seed).permutation(names), np.arange(len(names)) % count, strict=True)
    )
    return np.array([deal[g] for g in groups])
