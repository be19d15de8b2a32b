"""Ask for cuts: ours as a producer gets them, and the onset detectors of other tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

import numpy as np

from app.audio.analyzer import analyze_sound
from app.audio.render.chop import find_chops
from benchmarks.chops.players import RATE_HZ

Detected = list[tuple[float, float]]
"""Cuts in seconds, and how strong each is beside the others."""

Detector = Callable[[np.ndarray, int], Detected]
"""Given samples, shape (frames, 2), and how many cuts are asked for, return cuts; other tools return all."""

OURS = "ours"
_LIBROSA_HOP = 256
_ESSENTIA_FRAME, _ESSENTIA_HOP = 1024, 512


def by_ours(samples: np.ndarray, count: int) -> Detected:
    """Return what `chop` by onsets gives; the start is no cut."""
    cuts = find_chops(analyze_sound(samples, RATE_HZ), samples, RATE_HZ, by="onsets", count=count + 1)
    return [(cut / RATE_HZ, 1.0) for cut in cuts[1:]]


def by_librosa(is_backtracked: bool) -> Detector:
    """Return librosa's onset detection."""
    import librosa

    def detect(samples: np.ndarray, count: int) -> Detected:
        strength = librosa.onset.onset_strength(y=samples.mean(axis=1), sr=RATE_HZ, hop_length=_LIBROSA_HOP)
        peaks = librosa.onset.onset_detect(onset_envelope=strength, sr=RATE_HZ, hop_length=_LIBROSA_HOP)
        frames = librosa.onset.onset_backtrack(peaks, strength) if is_backtracked else peaks
        times = frames * _LIBROSA_HOP / RATE_HZ
        return [(float(t), float(s)) for t, s in zip(times, strength[peaks], strict=True)]

    return detect


def by_essentia(method: str) -> Detector:
    """Return Essentia's onset detection as its tutorial calls it: `hfc`, `complex` or `flux`."""
    import essentia
    import essentia.standard as es

    essentia.log.infoActive = essentia.log.warningActive = False

    def detect(samples: np.ndarray, count: int) -> Detected:
        mono = samples.mean(axis=1).astype(np.float32)
        window, fft, polar = es.Windowing(type="hann"), es.FFT(), es.CartesianToPolar()
        strength = es.OnsetDetection(method=method)
        frames = es.FrameGenerator(mono, frameSize=_ESSENTIA_FRAME, hopSize=_ESSENTIA_HOP)
        values = np.array([strength(*polar(fft(window(frame)))) for frame in frames], dtype=np.float32)
        times = es.Onsets()(essentia.array([values]), [1])
        return [(float(t), _value_near(values, float(t) * RATE_HZ / _ESSENTIA_HOP)) for t in times]

    return detect


def by_superflux(samples: np.ndarray, count: int) -> Detected:
    """Return Essentia's SuperFlux onset detection, which tells no strength."""
    import essentia.standard as es

    return [(float(t), 1.0) for t in es.SuperFluxExtractor()(samples.mean(axis=1).astype(np.float32))]


def _value_near(values: np.ndarray, place: float) -> float:
    around = values[max(round(place) - 2, 0) : round(place) + 3]
    return float(around.max(initial=0))


def keep_strongest(detected: Sequence[tuple[float, float]], count: int) -> list[float]:
    """Return the times of so many cuts, in order."""
    return sorted(time for time, _ in sorted(detected, key=lambda each: -each[1])[:count])


def all_detectors() -> dict[str, Detector]:
    """Return every detector there is on this machine, ours first."""
    found: dict[str, Detector] = {OURS: by_ours}
    if find_spec("librosa"):
        found |= {"librosa": by_librosa(False), "librosa, backtracked": by_librosa(True)}
    if find_spec("essentia"):
        found |= {f"Essentia {method}": by_essentia(method) for method in ("hfc", "complex", "flux")}
        found["Essentia SuperFlux"] = by_superflux
    return found
