"""Ask other tools the same questions: Essentia, aubio, bpm-tools and the librosa calls of most tutorials."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from app.music.pitch_names import PITCH_NAMES, pitch_name
from training.installed_sounds import RATE

# Krumhansl and Kessler 1982
_MAJOR_PROFILE = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR_PROFILE = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])

Peer = Callable[[np.ndarray], Any]
"""A tool: it is given mono samples at `RATE` and returns its answer."""


def _at_44k(y: np.ndarray) -> np.ndarray:
    """Resample from `RATE` to 44.1 kHz."""
    return soxr.resample(y, RATE, 44100).astype(np.float32)


def essentia_tempo(method: str) -> Peer:
    """Return RhythmExtractor2013 (`multifeature`, `degara`) or Percival's loop estimator (`loop`)."""
    import essentia
    import essentia.standard as es

    essentia.log.infoActive = essentia.log.warningActive = False
    if method == "loop":
        return lambda y: (
            float(es.LoopBpmEstimator()(_at_44k(y))) or float(es.PercivalBpmEstimator()(_at_44k(y)))
        )
    return lambda y: float(es.RhythmExtractor2013(method=method)(_at_44k(y))[0])


def essentia_key(profile: str) -> Peer:
    """Return KeyExtractor with a profile: `edma`, `bgate`, `temperley`."""
    import essentia
    import essentia.standard as es

    essentia.log.infoActive = essentia.log.warningActive = False

    def ask(y: np.ndarray) -> int | None:
        """Return the key: 0 to 11 for major, 12 to 23 for minor."""
        name, scale, _ = es.KeyExtractor(profileType=profile)(_at_44k(y))
        return PITCH_NAMES.index(pitch_name(name[0], name[1:])) + 12 * (scale == "minor")

    return ask


def librosa_tempo(y: np.ndarray) -> float | None:
    """Return the tempo of `beat_track` at 22,050 Hz."""
    import librosa

    return float(np.atleast_1d(librosa.beat.beat_track(y=y, sr=RATE)[0])[0])


def librosa_key(y: np.ndarray) -> int | None:
    """Return the key whose Krumhansl profile correlates best with the mean of `chroma_cqt`."""
    import librosa

    chroma = librosa.feature.chroma_cqt(y=y, sr=RATE).mean(axis=1)
    fits = [
        np.corrcoef(np.roll(p, k), chroma)[0, 1] for p in (_MAJOR_PROFILE, _MINOR_PROFILE) for k in range(12)
    ]
    return int(np.argmax(fits))


def librosa_kind(y: np.ndarray) -> str:
    """Call a sound a loop when it is longer than two seconds or has at least four onsets."""
    import librosa

    onsets = librosa.onset.onset_detect(y=y, sr=RATE)
    return "loop" if y.size / RATE > 2.0 or len(onsets) >= 4 else "oneshot"


def librosa_note(y: np.ndarray) -> float | None:
    """Return the median of `yin` as a MIDI note."""
    import librosa

    hz = librosa.yin(y, fmin=30, fmax=2500, sr=RATE)
    return float(69 + 12 * np.log2(np.median(hz) / 440))


def aubio_tempo(y: np.ndarray) -> float | None:
    """Return the tempo that the `aubio tempo` command prints."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.wav"
        soundfile.write(path, _at_44k(y), 44100)
        run = subprocess.run(["aubio", "tempo", str(path)], capture_output=True, check=False)
    return _first_number(run.stdout)


def bpm_tools_tempo(y: np.ndarray) -> float | None:
    """Return the tempo that the `bpm` command of bpm-tools prints; it reads raw floats at 44.1 kHz."""
    run = subprocess.run(["bpm"], input=_at_44k(y).tobytes(), capture_output=True, check=False)
    return _first_number(run.stdout)


def _first_number(printed: bytes) -> float | None:
    """Return the number that a command printed first, None when it printed none."""
    found = re.match(rb"\s*(\d+(?:\.\d+)?)", printed)
    return float(found[1]) if found else None


@cache
def installed_peers() -> dict[str, dict[str, Peer]]:
    """Return the tools that are installed, by question."""
    peers: dict[str, dict[str, Peer]] = {"tempo": {}, "key": {}, "kind": {}, "note": {}}
    if find_spec("essentia"):
        for method in ("multifeature", "degara", "loop"):
            peers["tempo"][f"Essentia {method}"] = essentia_tempo(method)
        for profile in ("edma", "bgate", "temperley"):
            peers["key"][f"Essentia {profile}"] = essentia_key(profile)
    if find_spec("librosa"):
        peers["tempo"]["librosa"], peers["key"]["librosa"] = librosa_tempo, librosa_key
        peers["kind"]["librosa"], peers["note"]["librosa"] = librosa_kind, librosa_note
    for command, name, ask in (("aubio", "aubio", aubio_tempo), ("bpm", "bpm-tools", bpm_tools_tempo)):
        if shutil.which(command):
            peers["tempo"][name] = ask
    return peers
