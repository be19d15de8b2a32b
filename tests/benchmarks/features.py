"""What the models read of the clips of the corpus, computed once and kept on disk: development only."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np

from app.audio.estimation import key, pitch
from app.audio.listening import chroma, periodicity
from app.audio.listening.features import Ear, attend
from tests.benchmarks.corpus import load_audio, load_index
from tests.benchmarks.material import RATE

Row = dict[str, Any]


def _tempo(ear: Ear) -> Row:
    return {"bpm": ear.rhythm.bpm, "tempo": periodicity.features(ear.rhythm).astype(np.float32)}


def _key(ear: Ear) -> Row:
    whole = key.unit_profiles(ear.profiles).astype(np.float32)
    return {"profiles": whole, "course": chroma.spans(ear.pitch_classes).astype(np.float32)}


def _note(ear: Ear) -> Row:
    return {"pitch": pitch.candidates(ear.heard)}


def _shape(ear: Ear) -> Row:
    return {"shape": ear.shape.astype(np.float32)}


# What a stage of the fitting reads, and of which clips.
READ: dict[str, tuple[Callable[[Ear], Row], Callable[[Row], bool]]] = {
    "tempo": (_tempo, lambda row: row["bpm"] is not None),
    "key": (_key, lambda row: row["key"] is not None),
    "note": (_note, lambda row: row["note"] is not None),
    "shape": (_shape, lambda row: row["kind"] != "keyed"),
}


def gather(corpus: Path, stage: str) -> list[Row]:
    """Rows of a stage with their features; those measured before are read from `features-STAGE.pkl`."""
    store = corpus / f"features-{stage}.pkl"
    known = pickle.loads(store.read_bytes()) if store.exists() else {}
    rows = [row for row in load_index(corpus) if READ[stage][1](row)]
    missing = [row["id"] for row in rows if row["id"] not in known]
    with Pool() as pool:
        known |= dict(pool.imap_unordered(partial(_measured, corpus, stage), missing, chunksize=8))
    store.write_bytes(pickle.dumps(known))
    return [row | {"bpm_true": row["bpm"]} | known[row["id"]] for row in rows]


def _measured(corpus: Path, stage: str, clip_id: str) -> tuple[str, Row]:
    return clip_id, READ[stage][0](attend(load_audio(corpus, clip_id), RATE))


def folds(groups: list[str], count: int = 5, seed: int = 0) -> np.ndarray:
    """Fold of each clip: whole sources, dealt at random."""
    names = sorted(set(groups))
    deal = dict(
        zip(np.random.default_rng(seed).permutation(names), np.arange(len(names)) % count, strict=True)
    )
    return np.array([deal[g] for g in groups])
