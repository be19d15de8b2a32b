"""The small network that names a key. Each layer treats all twelve tonics alike: a transposed sound gives the
transposed answer, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.audio.estimation.boosted_trees import softmax

Array = npt.NDArray[np.float64]
Weights = dict[str, npt.NDArray[Any]]

_ROTATIONS = (np.arange(12)[:, None] + np.arange(12)) % 12
EDGE_FRACTION = 6  # the first and the last sixth are looked at by themselves


def probabilities(course: Array, profiles: Array, weights: Weights) -> Array:
    """Chance of each key before calibration, shape (24,), twelve major from C, then twelve minor.

    Parameters
    ----------
    course : pitch classes over time, shape (bands, 12, spans); see `chroma.spans`.
    profiles : of the whole sound, shape (profiles, 12), each of unit length.
    weights : arrays `w1`, `b1` … `w4`, `b4`; those of several networks are told apart by a first axis.

    Returns
    -------
    The mean of the networks' chances.

    Notes
    -----
    Two convolutions along time and around the circle of pitch classes, the second added to what it reads;
    mean, largest value and the means of both ends over time; two layers around the circle. The circular
    convolution is that of equivariant networks (Cohen and Welling 2016) for the group of transpositions, the
    use of a network over pitch and time for keys that of Korzeniowski and Widmer (2018).
    """
    count = weights["w1"].shape[0]
    each = [_key_scores(course, profiles, {k: w[i] for k, w in weights.items()}) for i in range(count)]
    return np.asarray(softmax(np.stack(each)).mean(axis=0))


def _key_scores(course: Array, profiles: Array, w: Weights) -> Array:
    heard = np.maximum(_convolve_circular(course, w["w1"], w["b1"]), 0)
    heard = heard + np.maximum(_convolve_circular(heard, w["w2"], w["b2"]), 0)
    edge = heard.shape[2] // EDGE_FRACTION
    pooled = [heard.mean(2), heard[:, :, :edge].mean(2), heard[:, :, -edge:].mean(2), heard.max(2)]
    whole = np.concatenate([*pooled, profiles])[:, :, None]
    drawn = np.maximum(_convolve_circular(whole, w["w3"], w["b3"]), 0)
    return _convolve_circular(np.concatenate([drawn, profiles[:, :, None]]), w["w4"], w["b4"]).ravel()


def _convolve_circular(x: Array, weight: npt.NDArray[Any], bias: npt.NDArray[Any]) -> Array:
    """Convolve around the pitch classes and along time: (in, 12, spans) by (out, in, 12, width)."""
    width = weight.shape[3]
    around = np.pad(x[:, _ROTATIONS], ((0, 0), (0, 0), (0, 0), (width // 2, width // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(around, width, axis=3)
    turned = np.einsum("oidk,ipdtk->opt", weight, windows, optimize=True)
    return np.asarray(turned + bias[:, None, None])
