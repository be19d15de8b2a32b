"""Descriptors of other tools for the same files: librosa's MFCC, Essentia's descriptors, aisfx."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from training.installed_sounds import RATE, load_mono

_AISFX_HZ = 44_100.0
_AISFX_FRAMES = 100
_AISFX_SPECTRUM = {"block_size": 2048, "hop_size": 1024, "n_mels": 96, "f_min": 0.0, "f_max": 22_050.0}

Describe = Callable[[Path], np.ndarray]


def peer_descriptors() -> dict[str, Describe]:
    """Return the descriptors whose packages are installed, by name."""
    found: dict[str, Describe] = {"librosa, 20 MFCC, mean": _librosa_mfcc}
    if _is_installed("essentia"):
        found["Essentia, low-level means and deviations"] = _essentia_lowlevel
    if all(map(_is_installed, ("essentia", "torch", "aisfx"))):
        found["aisfx, 512 numbers, cosine"] = _aisfx_embedding
    return found


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def as_rows(vectors: Sequence[np.ndarray], name: str) -> np.ndarray:
    """Return vectors as rows that Euclidean distance compares as the tool means it to.

    aisfx is compared by the angle; the others are standardised over the files, because their numbers have
    different units.
    """
    rows = np.nan_to_num(np.stack(vectors).astype(np.float64))
    if "cosine" in name:
        return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-12)
    return (rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-9) if "Essentia" in name else rows


def _librosa_mfcc(path: Path) -> np.ndarray:
    import librosa

    return librosa.feature.mfcc(y=load_mono(path), sr=RATE, n_mfcc=20).mean(axis=1)


def _essentia_lowlevel(path: Path) -> np.ndarray:
    """Return means and deviations of Essentia's low-level spectral descriptors and MFCC."""
    import essentia.standard as es

    y = np.asarray(load_mono(path), dtype=np.float32)
    window, spectrum = es.Windowing(type="hann"), es.Spectrum()
    mfcc = es.MFCC(inputSize=1025, sampleRate=RATE, highFrequencyBound=RATE / 2)
    centroid, rolloff = es.Centroid(range=RATE / 2), es.RollOff(sampleRate=RATE)
    moments, shape = es.CentralMoments(range=RATE / 2), es.DistributionShape()
    flatness, crest, flux, crossings = es.Flatness(), es.Crest(), es.Flux(), es.ZeroCrossingRate()
    contrast = es.SpectralContrast(frameSize=2048, sampleRate=RATE, highFrequencyBound=RATE / 2 - 1)
    rows = []
    for frame in es.FrameGenerator(y, frameSize=2048, hopSize=512, startFromZero=True):
        s = spectrum(window(frame))
        if s.max() > 0:
            bands = [*mfcc(s)[1], *np.concatenate(contrast(s)), *shape(moments(s))]
            rows.append([*bands, centroid(s), rolloff(s), flatness(s), crest(s), flux(s), crossings(frame)])
    table = np.array(rows)
    envelope = es.Envelope(sampleRate=RATE)(y)
    level = [es.LogAttackTime(sampleRate=RATE)(envelope)[0], es.TCToTotal()(envelope), np.log(len(y))]
    return np.concatenate([table.mean(axis=0), table.std(axis=0), level])


@cache
def _aisfx_model() -> Any:
    """Return the aisfx network with the weights of its package."""
    import torch
    from aisfx import inference

    # Its own loader does not say that the file holds more than weights, which torch now asks for.
    weights, sets = torch.load(inference.get_path_modelWeights(), map_location="cpu", weights_only=False)
    return inference.load_bestModel(weights, sets, "cpu")


def _aisfx_embedding(path: Path) -> np.ndarray:
    """Return the embedding of aisfx, the mean over blocks of 2.3 s, as its package computes it."""
    from aisfx import inference

    spectrogram = inference.spectrogram_selector("essentia")(
        filename=str(path), sr=_AISFX_HZ, **_AISFX_SPECTRUM
    )
    spectrogram = inference.spectrogram_normalize(spectrogram)
    missing = _AISFX_FRAMES + 1 - len(spectrogram)
    if missing > 0:
        spectrogram = np.pad(spectrogram, ((0, missing), (0, 0)))
    found = inference.model_get_embedding(spectrogram, 0.5, True, _aisfx_model(), "cpu")
    return np.asarray(found).mean(axis=0)
