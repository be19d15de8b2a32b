"""The small network that names a key.

Every layer treats all twelve tonics alike, so a transposed sound gives exactly the transposed answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.audio.estimation.boosted_trees import softmax

Array = npt.NDArray[np.float64]
Weights = dict[str, npt.NDArray[Any]]

_ROTATIONS = (np.arange(12)[:, None] + np.arange(12)) % 12
EDGE_FRACTION = 6  # the first and the last sixth of the spans are also averaged on their own


def probabilities(course: Array, profiles: Array, weights: Weights) -> Array:
    """Return the probability of each key before calibration.

    Parameters
    ----------
    course : ndarray, shape (bands, 12, spans)
        Pitch classes over time; see `chroma.chroma_spans`.
    profiles : ndarray, shape (profiles, 12)
        Of the whole sound, each of unit length.
    weights : dict of str to ndarray
        Arrays `w1`, `b1` … `w4`, `b4`; the first axis counts the networks.

    Returns
    -------
    ndarray, shape (24,)
        The mean of the networks: twelve major keys from C, then twelve minor keys.

    Notes
    -----
    Two convolutions along time and around the circle of pitch classes, the second with a residual connection;
    pooling over time by mean, maximum and the means of both ends; two layers around the circle. The circular
    convolution is that of equivariant networks (Cohen and Welling 2016) for the group of transpositions. The
    use of a network over pitch and time for keys follows Korzeniowski and Widmer (2018).
    """
    count = weights["w1"].shape[0]
    each = [_key_scores(course, profiles, {k: w[i] for k, w in weights.items()}) for i in range(count)]
    return np.asarray(softmax(np.stack(each)).mean(axis=0))


def _key_scores(course: Array, profiles: Array, w: Weights) -> Array:
    """Return the scores of one network before the softmax, shape (24,)."""
    hidden = np.maximum(_convolve_circular(course, w["w1"], w["b1"]), 0)
    hidden = hidden + np.maximum(_convolve_circular(hidden, w["w2"], w["b2"]), 0)
    edge = hidden.shape[2] // EDGE_FRACTION
    pooled = [hidden.mean(2), hidden[:, :, :edge].mean(2), hidden[:, :, -edge:].mean(2), hidden.max(2)]
    whole = np.concatenate([*pooled, profiles])[:, :, None]
    dense = np.maximum(_convolve_circular(whole, w["w3"], w["b3"]), 0)
    return _convolve_circular(np.concatenate([dense, profiles[:, :, None]]), w["w4"], w["b4"]).ravel()


def _convolve_circular(x: Array, weight: npt.NDArray[Any], bias: npt.NDArray[Any]) -> Array:
    """Convolve (in, 12, spans) with (out, in, 12, width) around the pitch classes and along time."""
    width = weight.shape[3]
    around = np.pad(x[:, _ROTATIONS], ((0, 0), (0, 0), (0, 0), (width // 2, width // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(around, width, axis=3)
    convolved = np.einsum("oidk,ipdtk->opt", weight, windows, optimize=True)
    return np.asarray(convolved + bias[:, None, None])
