"""Measure the features of the corpus's clips with the product's own code, once, and keep them on disk."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np

from app.audio.estimation import key_estimator, note_estimator
from app.audio.listening import chroma, periodicity
from app.audio.listening.front_end_features import FrontEndFeatures, extract_features
from training.corpus import load_audio, load_index
from training.installed_sounds import RATE

Row = dict[str, Any]


def _tempo_features(features: FrontEndFeatures) -> Row:
    """Return the tempo candidates and a row of features for each."""
    return {
        "bpm": features.rhythm.bpm,
        "tempo": periodicity.tempo_features(features.rhythm).astype(np.float32),
    }


def _key_features(features: FrontEndFeatures) -> Row:
    """Return the pitch-class profiles of the whole clip and their course over time."""
    whole = key_estimator.unit_profiles(features.profiles).astype(np.float32)
    return {"profiles": whole, "course": chroma.chroma_spans(features.pitch_classes).astype(np.float32)}


def _note_features(features: FrontEndFeatures) -> Row:
    """Return the candidates for the fundamental."""
    return {"pitch": note_estimator.find_candidates(features.front_end)}


def _sound_features(features: FrontEndFeatures) -> Row:
    """Return the sound descriptors."""
    return {"shape": features.descriptors.astype(np.float32)}


# For each stage of the fitting: the features it reads, and which clips it uses.
STAGE_FEATURES: dict[str, tuple[Callable[[FrontEndFeatures], Row], Callable[[Row], bool]]] = {
    "tempo": (_tempo_features, lambda row: row["bpm"] is not None),
    "key": (_key_features, lambda row: row["key"] is not None),
    "note": (_note_features, lambda row: row["note"] is not None),
    "shape": (_sound_features, lambda row: row["kind"] not in ("keyed", "named")),
}


def gather_rows(corpus: Path, stage: str) -> list[Row]:
    """Return the clips of a stage with their features; known ones are read from `features-STAGE.pkl`."""
    store = corpus / f"features-{stage}.pkl"
    known = pickle.loads(store.read_bytes()) if store.exists() else {}
    rows = [row for row in load_index(corpus) if STAGE_FEATURES[stage][1](row)]
    missing = [row["id"] for row in rows if row["id"] not in known]
    with Pool() as pool:
        known |= dict(pool.imap_unordered(partial(_measure_clip, corpus, stage), missing, chunksize=8))
    store.write_bytes(pickle.dumps(known))
    return [row | {"bpm_true": row["bpm"]} | known[row["id"]] for row in rows]


def _measure_clip(corpus: Path, stage: str, clip_id: str) -> tuple[str, Row]:
    """Return a clip's id and its features for a stage; runs in a process of the pool."""
    return clip_id, STAGE_FEATURES[stage][0](extract_features(load_audio(corpus, clip_id), RATE))


def hash_folds(groups: list[str], count: int = 5) -> np.ndarray:
    """Return the fold of each clip by its source's name, so that new sources move no old one."""
    return np.array([zlib.crc32(group.encode()) % count for group in groups])


def deal_folds(groups: list[str], count: int = 6, seed: int = 0) -> np.ndarray:
    """Return the fold of each clip; few sources are dealt to folds evenly, at random."""
    names = sorted(set(groups))
    deal = dict(
        zip(np.random.default_rng(seed).permutation(names), np.arange(len(names)) % count, strict=True)
    )
    return np.array([deal[g] for g in groups])
