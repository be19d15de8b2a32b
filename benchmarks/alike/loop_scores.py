"""Scores of the similarity vector on loops: treated copies, and the parts of one arrangement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from multiprocessing import Pool

import numpy as np

from app.audio.estimation.sound_classifier import classify_sound
from app.audio.estimation.tempo_estimator import estimate_tempo
from app.audio.listening.front_end_features import extract_features
from app.audio.similarity import layout
from app.audio.similarity.vector import similarity_vector
from benchmarks.alike.loops import FIRST, LAYERS, SECOND, TREATMENTS, Arrangement, arrangements, treated
from benchmarks.tables import Table
from benchmarks.unseen.signals import seeded
from training.installed_sounds import RATE

# The full mix of the same bars holds the layer itself; the other bars are a version of it.
SCORED_ITEMS = (*LAYERS, SECOND)

Vectors = dict[str, np.ndarray]


def loop_tables(count: int, jobs: int) -> Iterator[Table]:
    """Yield how often a treated loop finds its original first, and how parts find their arrangement."""
    with Pool(jobs) as pool:
        found = list(pool.imap_unordered(_measure_arrangement, arrangements(count)))
    found.sort(key=lambda pair: pair[0])
    measured = [vectors for _, vectors in found]
    header = ("preset", *TREATMENTS)
    rows = [(preset, *(_share_first(measured, t, preset) for t in TREATMENTS)) for preset in layout.PRESETS]
    yield Table("treated loops", (f"{header[0]}, {len(measured)} loops", *header[1:]), rows)
    kinds = ("version", "layer, among its like", "layer, among all")
    rows = [(preset, *_arrangement_shares(measured, preset)) for preset in layout.PRESETS]
    yield Table("parts of one arrangement", (f"preset, {len(measured)} arrangements", *kinds), rows)


def measure_loop(y: np.ndarray) -> np.ndarray:
    """Return the similarity vector of a loop."""
    features = extract_features(y, RATE)
    tempo = estimate_tempo(features)
    heard = classify_sound(features, tempo.confidence)
    return np.array(similarity_vector(features, heard.kind, tempo.bpm))


def _measure_arrangement(made: Arrangement) -> tuple[str, Vectors]:
    """Return the vectors of an arrangement's items and of treated copies of its first bars; for the pool."""
    copies = dict(treated(made.items[FIRST], seeded("treated", made.name)))
    return made.name, {name: measure_loop(y) for name, y in (made.items | copies).items()}


def _share_first(measured: Sequence[Vectors], treatment: str, preset: str) -> float:
    """Return how often the original is nearest to its treated copy among all originals, in percent."""
    weights = np.array(layout.preset_weights(preset))
    originals = np.stack([v[FIRST] for v in measured]) * weights
    copies = np.stack([v[treatment] for v in measured]) * weights
    away = np.linalg.norm(copies[:, None] - originals[None], axis=2)
    return 100 * float(np.mean(away.argmin(axis=1) == np.arange(len(measured))))


def _arrangement_shares(measured: Sequence[Vectors], preset: str) -> tuple[float, float, float]:
    """Return how often an item of the same arrangement is nearer than one of another, in percent.

    First the other bars of the full mix beside those of others. Then each layer to the other layers: beside
    the same layer of others, and beside every item of others.
    """
    weights = np.array(layout.preset_weights(preset))
    tables = {n: _stacked(measured, n) * weights for n in (FIRST, *SCORED_ITEMS)}
    alike, mixed = [], []
    for query in LAYERS:
        away = {n: np.linalg.norm(tables[query][:, None] - tables[n][None], axis=2) for n in SCORED_ITEMS}
        foreign = np.concatenate([_off_diagonal(away[n]) for n in SCORED_ITEMS if n != query], axis=1)
        for other in (n for n in LAYERS if n != query):
            own = np.diagonal(away[other])[:, None]
            alike.append(_nearer(own, _off_diagonal(away[other])))
            mixed.append(_nearer(own, foreign))
    versions = np.linalg.norm(tables[FIRST][:, None] - tables[SECOND][None], axis=2)
    version = _nearer(np.diagonal(versions)[:, None], _off_diagonal(versions))
    return version, float(np.mean(alike)), float(np.mean(mixed))


def _stacked(measured: Sequence[Vectors], name: str) -> np.ndarray:
    """Return an item's vectors; NaN where an arrangement does not have it."""
    return np.stack([v.get(name, np.full(layout.LENGTH, np.nan)) for v in measured])


def _off_diagonal(square: np.ndarray) -> np.ndarray:
    """Return the rows of a square without its diagonal, shape (n, n - 1)."""
    size = len(square)
    return square[~np.eye(size, dtype=bool)].reshape(size, size - 1)


def _nearer(own: np.ndarray, foreign: np.ndarray) -> float:
    """Return the share of pairs in which the own item is nearer, in percent; NaN does not count."""
    valid = ~(np.isnan(own) | np.isnan(foreign))
    return 100 * float(np.mean((own < foreign)[valid]))
