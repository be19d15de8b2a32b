"""Compute the similarity vector of a sound: sounds that are alike have vectors that are close together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.audio.estimation.boosted_trees import load_weights
from app.audio.listening.front_end_features import FrontEndFeatures
from app.audio.similarity import layout
from app.audio.similarity.course import spectral_course
from app.audio.similarity.loop_patterns import harmony_pattern, rhythm_pattern, tempo_angle
from app.music.sound_classes import LOOP

# The first numbers of the sound descriptors: lengths, envelope, onsets, spectrum, cepstrum and pitch. The
# events behind them tell loops from hits, and made hits of one instrument differ.
SHAPE_NUMBERS = 136
MAX_DEVIATION = 4.0
HARMONY_SCALE, TEMPO_SCALE = 1.5, 0.4
_DECIMALS = 6

Array = npt.NDArray[np.float64]


def similarity_vector(features: FrontEndFeatures, kind: str, bpm: float | None) -> tuple[float, ...]:
    """Return the similarity vector of a sound, `layout.LENGTH` numbers; all are 0 for silence.

    Parameters
    ----------
    features : FrontEndFeatures
    kind : str
        One of `KINDS`, as heard. Only a loop has numbers in the blocks of rhythm, harmony and tempo.
    bpm : float or None
        The tempo in beats a minute, as heard.

    Notes
    -----
    `body` is the course of the mel spectrum, projected on its principal components. `shape` is the same of
    the standardised sound descriptors. `class` is a linear discriminant (Fisher 1936) of both. `rhythm`,
    `harmony` and `tempo` come from `loop_patterns`. `training.fit_similarity` fits the projections on the
    development corpus.
    """
    vector = np.zeros(layout.LENGTH)
    if features.is_silent:
        return tuple(vector.tolist())
    stored = load_weights("similarity")
    course = spectral_course(features.front_end).ravel()
    shape = standardise_shape(features.descriptors, stored)
    _fill(vector, layout.BODY, project(course, stored, layout.BODY))
    _fill(vector, layout.SHAPE, project(shape, stored, layout.SHAPE))
    _fill(vector, layout.CLASS, project(np.concatenate([course, shape]), stored, layout.CLASS))
    if kind == LOOP:
        _fill(vector, layout.RHYTHM, project(rhythm_pattern(features, bpm), stored, layout.RHYTHM))
        _fill(vector, layout.HARMONY, HARMONY_SCALE * harmony_pattern(features))
        _fill(vector, layout.TEMPO, TEMPO_SCALE * tempo_angle(bpm))
    return tuple(np.round(vector, _DECIMALS).tolist())


def standardise_shape(descriptors: Array, stored: dict[str, npt.NDArray[Any]]) -> Array:
    """Return the first `SHAPE_NUMBERS` sound descriptors in deviations from the corpus's mean, shape (136,).

    Parameters
    ----------
    descriptors : ndarray, shape (n,)
        From `sound_descriptors.compute_descriptors`.
    stored : dict of str to ndarray
        `shape_median` in the place of missing numbers, `shape_mean` and `shape_spread`, each of shape (136,).
    """
    first = descriptors[:SHAPE_NUMBERS]
    filled = np.where(np.isnan(first), stored["shape_median"], first)
    scaled = (filled - stored["shape_mean"]) / stored["shape_spread"]
    return np.asarray(np.clip(scaled, -MAX_DEVIATION, MAX_DEVIATION))


def project(numbers: Array, stored: dict[str, npt.NDArray[Any]], block: str) -> Array:
    """Return numbers projected on the axes of a block.

    Parameters
    ----------
    numbers : ndarray, shape (n,)
    stored : dict of str to ndarray
        `BLOCK_origin`, shape (n,), and `BLOCK_axes`, shape (size of the block, n), scaled so that blocks can
        be compared.
    block : str
        One of `layout.BLOCKS`.
    """
    return np.asarray(stored[f"{block}_axes"].astype(np.float64) @ (numbers - stored[f"{block}_origin"]))


def _fill(vector: Array, block: str, numbers: Array) -> None:
    vector[layout.BLOCKS[block]] = numbers
