"""Fit the projections of the similarity vector: `python -m training.fit_similarity --corpus FOLDER`.

Writes `similarity.npz` into `app/audio/estimation/weights`. No sound of a hydrogen kit is read, because
`benchmarks.likeness` scores on all of them. Only the axes of the rhythm come from loops, whose drums those
kits may play; hits have no rhythm.
"""

from __future__ import annotations

import argparse
import pickle
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from app.audio.estimation.boosted_trees import WEIGHTS_FOLDER
from app.audio.estimation.tempo_estimator import estimate_tempo
from app.audio.listening.front_end_features import extract_features
from app.audio.similarity import layout
from app.audio.similarity.course import spectral_course
from app.audio.similarity.loop_patterns import rhythm_pattern
from app.audio.similarity.vector import SHAPE_NUMBERS, standardise_shape
from training.corpus import load_audio, load_index
from training.installed_sounds import DRUM_KITS, RATE

# How many clips of each family are read; drums weigh most, because most hits of a library are drums.
HIT_FAMILIES = {"namedhits": 9999, "drumshots": 9999, "toneshots": 500, "textures": 200}
LOOP_FAMILIES = {"productions": 50, "further": 40, "stems": 50, "mma": 50, "changes": 20}
# Soundfonts' cymbals and percussion are of several sorts; `namedhits` has them by their own names.
UNNAMED = ("cymbal", "percussion")
SAME_NAMES = {"rim": "stick"}

BODY_WEIGHT, CLASS_WEIGHT, RHYTHM_WEIGHT = 2.0, 0.76, 2.0
# The course has unit length; the discriminant sees its components on the scale of the descriptors.
COURSE_SCALE = 25.0
SHRINKAGE = 0.2

Row = dict[str, Any]
Arrays = dict[str, np.ndarray]


def main() -> None:
    """Measure the clips, or read what was measured, fit, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    corpus = parser.parse_args().corpus
    rows = _gather_rows(corpus)
    fitted = fit_projections(
        [r for r in rows if r["family"] != "loop"], [r for r in rows if r["family"] == "loop"]
    )
    np.savez_compressed(
        WEIGHTS_FOLDER / "similarity.npz",
        version=np.int16(layout.SIMILARITY_VERSION),
        **{name: values.astype(np.float32) for name, values in fitted.items()},
    )


def fit_projections(hits: list[Row], loops: list[Row]) -> Arrays:
    """Return the origins and axes of all blocks but the harmony, and how descriptors are standardised."""
    course = np.stack([r["course"] for r in hits]).astype(np.float64)
    fitted = _standardisation(np.stack([r["shape"] for r in hits]).astype(np.float64))
    shape = np.stack([standardise_shape(r["shape"].astype(np.float64), fitted) for r in hits])
    fitted |= _principal_axes(course, layout.BODY, BODY_WEIGHT)
    fitted |= _principal_axes(shape, layout.SHAPE, 1 / np.sqrt(SHAPE_NUMBERS))
    near = np.hstack([_projected(course, fitted, layout.BODY), _projected(shape, fitted, layout.SHAPE)])
    fitted |= _discriminant_axes(course, shape, [_class_name(r) for r in hits], fitted, near)
    # Uncentred: the rhythm of what is no loop is zero, and must be far from that of every loop.
    rhythm = np.stack([r["rhythm"] for r in loops]).astype(np.float64)
    axes = np.linalg.svd(rhythm, full_matrices=False)[2][: _size(layout.RHYTHM)]
    return fitted | {"rhythm_origin": np.zeros(rhythm.shape[1]), "rhythm_axes": RHYTHM_WEIGHT * axes}


def _standardisation(shape: np.ndarray) -> Arrays:
    """Return the median in the place of missing descriptors, and the mean and spread of each."""
    first = shape[:, :SHAPE_NUMBERS]
    median = np.nanmedian(first, axis=0)
    filled = np.where(np.isnan(first), median, first)
    return {
        "shape_median": median, "shape_mean": filled.mean(axis=0), "shape_spread": filled.std(axis=0) + 1e-9,
    }  # fmt: skip


def _principal_axes(x: np.ndarray, block: str, scale: float) -> Arrays:
    """Return the mean and the scaled principal axes of rows, not whitened."""
    origin = x.mean(axis=0)
    axes = np.linalg.eigh((x - origin).T @ (x - origin))[1][:, ::-1].T[: _size(block)]
    return {f"{block}_origin": origin, f"{block}_axes": scale * axes}


def _discriminant_axes(
    course: np.ndarray, shape: np.ndarray, names: list[str | None], fitted: Arrays, near: np.ndarray
) -> Arrays:
    """Return the axes that tell the named hits apart (Fisher's, with shrinkage).

    They are scaled so that the median distance of hits is `CLASS_WEIGHT` times that in the blocks `near`.
    """
    to_course = COURSE_SCALE / BODY_WEIGHT * fitted["body_axes"]
    named = np.array([name is not None for name in names])
    seen = np.hstack([(course - fitted["body_origin"]) @ to_course.T, shape])[named]
    model = LinearDiscriminantAnalysis(solver="eigen", shrinkage=SHRINKAGE)
    model.fit(seen, np.array([name for name in names if name is not None]))
    axes = model.scalings_[:, : _size(layout.CLASS)].T
    own = _size(layout.BODY)
    scale = CLASS_WEIGHT * np.median(pdist(near[named])) / np.median(pdist(seen @ axes.T))
    return {
        "class_origin": np.concatenate([fitted["body_origin"], np.zeros(SHAPE_NUMBERS)]),
        "class_axes": scale * np.hstack([axes[:, :own] @ to_course, axes[:, own:]]),
    }


def _projected(x: np.ndarray, fitted: Arrays, block: str) -> np.ndarray:
    """Return rows projected on the axes of a block."""
    return (x - fitted[f"{block}_origin"]) @ fitted[f"{block}_axes"].T


def _size(block: str) -> int:
    """Return how many numbers a block has."""
    return layout.BLOCKS[block].stop - layout.BLOCKS[block].start


def _class_name(row: Row) -> str | None:
    """Return the instrument of a drum hit, None for a clip that has no clear one."""
    label = row["label"]
    return None if label is None or label in UNNAMED else SAME_NAMES.get(label, label)


def _gather_rows(corpus: Path) -> list[Row]:
    """Return the clips with what is fitted on; it is measured once and kept in `features-similarity.pkl`."""
    store = corpus / "features-similarity.pkl"
    known = pickle.loads(store.read_bytes()) if store.exists() else {}
    rows = _chosen_clips(load_index(corpus))
    missing = [(r["id"], r["family"] == "loop") for r in rows if r["id"] not in known]
    with Pool() as pool:
        known |= dict(pool.imap_unordered(partial(_measure_clip, corpus), missing, chunksize=8))
    store.write_bytes(pickle.dumps(known))
    return [r | known[r["id"]] for r in rows]


def _chosen_clips(rows: list[Row]) -> list[Row]:
    """Return single sounds but those of the kits, and some loops, which get the family `loop`."""
    kits = {f"kit-{name}" for name in DRUM_KITS}
    hits = _drawn_clips([r for r in rows if r["group"] not in kits], HIT_FAMILIES)
    loops = _drawn_clips([r for r in rows if r["kind"] == "loop"], LOOP_FAMILIES)
    return hits + [r | {"family": "loop"} for r in loops]


def _drawn_clips(rows: list[Row], counts: dict[str, int]) -> list[Row]:
    """Return so many clips of each family, drawn at random."""
    rng, drawn = np.random.default_rng(0), []
    for family, count in counts.items():
        found = [r for r in rows if r["id"].split("/")[0] == family]
        drawn += [found[i] for i in rng.permutation(len(found))[:count]]
    return drawn


def _measure_clip(corpus: Path, clip: tuple[str, bool]) -> tuple[str, Row]:
    """Return a clip's id and its course and descriptors, or the rhythm of a loop; runs in the pool."""
    clip_id, is_loop = clip
    features = extract_features(load_audio(corpus, clip_id), RATE)
    if is_loop:
        rhythm = rhythm_pattern(features, estimate_tempo(features).bpm)
        return clip_id, {"rhythm": rhythm.astype(np.float32)}
    course = spectral_course(features.front_end).ravel()
    return clip_id, {"course": course.astype(np.float32), "shape": features.descriptors.astype(np.float32)}


if __name__ == "__main__":
    main()
