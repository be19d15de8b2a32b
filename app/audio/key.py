"""Key and note: long-window spectral peaks, tuning correction, harmonic pitch classes, profiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.audio.frames import RATE_HZ, Floats, Frames, spectra

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
CANDIDATES_MAX = 5

_FFT_SIZE, _HOP = 8_192, 4_096
_LOWEST_HZ, _HIGHEST_HZ = 55.0, 4_000.0
_LOWEST_NOTE_HZ, _HIGHEST_NOTE_HZ = 30.0, 2_000.0
_PEAKS_PER_FRAME = 30
_HARMONIC_WEIGHTS = (1.0, 0.6, 0.36, 0.216)
_TONAL_MIN = 0.62
_CLASSES_MIN = 2.2

# Temperley, "What's Key for Key?" (Music Perception 17, 1999), revised Krumhansl-Schmuckler profiles.
_MAJOR = (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0)
_MINOR = (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0)

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Key:
    """`name` such as "A minor" or None; `candidates` are (name, confidence), best first.

    `tuning_cents` is the deviation from A = 440 Hz, -50 to 50; `note` such as "A2" is the pitch of a
    sound with one pitch; `tonalness` from 0 to 1 the share of steady tones.
    """

    name: str | None
    confidence: float
    candidates: tuple[tuple[str, float], ...]
    tuning_cents: float
    note: str | None
    tonalness: float


@dataclass(frozen=True, slots=True)
class _Peaks:
    """Spectral peaks of all frames together, shape (n,): frequency, magnitude and whether it lasts."""

    hz: Doubles
    magnitude: Doubles
    lasting: npt.NDArray[np.bool_]


NO_KEY = Key(None, 0.0, (), 0.0, None, 0.0)


def estimate(frames: Frames) -> Key:
    """Estimate the key of a tonal sound.

    Notes
    -----
    Peaks of a 370 ms spectrum by parabolic interpolation that last from one window to the next; tuning
    from the mean phase of their distance to the semitone; harmonic pitch-class profile (Gomez 2006) with
    4 harmonics; Pearson correlation with Temperley's profiles (1999).
    """
    if frames.is_silent:
        return NO_KEY
    peaks = _peaks(frames.mono)
    energy = peaks.magnitude**2
    tonalness = float(energy[peaks.lasting].sum() / max(energy.sum(), 1e-12)) * _sharpness(frames.mono)
    if tonalness < _TONAL_MIN or not peaks.lasting.any():
        return Key(None, 0.0, (), 0.0, None, tonalness)
    hz, magnitude = peaks.hz[peaks.lasting], peaks.magnitude[peaks.lasting]
    tuning = _tuning(hz, magnitude)
    profile = _pitch_classes(hz, magnitude, tuning)
    note, cents = _note(hz, magnitude, tuning), round(100.0 * tuning, 1)
    if note is not None or _spread(profile) < _CLASSES_MIN:
        return Key(None, 0.0, (), cents, note, tonalness)
    name, confidence, candidates = _match(profile)
    return Key(name, confidence, candidates, cents, None, tonalness)


def parse(text: str) -> tuple[int, bool] | None:
    """Return (tonic 0..11 from C, is minor) of a name such as "A minor", None when it is none."""
    tonic, _, mode = text.partition(" ")
    if tonic not in NAMES or mode not in ("major", "minor"):
        return None
    return NAMES.index(tonic), mode == "minor"


def _peaks(mono: Floats) -> _Peaks:
    found_hz, found_magnitude, found_lasting = [], [], []
    before: Doubles = np.zeros(0)
    for block in spectra(mono, _FFT_SIZE, _HOP):
        for spectrum in block.T:
            hz, magnitude = _frame_peaks(spectrum.astype(np.float64))
            found_hz.append(hz)
            found_magnitude.append(magnitude)
            found_lasting.append(_near(hz, before))
            before = hz
    return _Peaks(np.concatenate(found_hz), np.concatenate(found_magnitude), np.concatenate(found_lasting))


def _frame_peaks(spectrum: Doubles) -> tuple[Doubles, Doubles]:
    log = np.log(np.maximum(spectrum, 1e-9))
    low, high = (int(edge * _FFT_SIZE / RATE_HZ) for edge in (_LOWEST_HZ, _HIGHEST_HZ))
    inside = np.arange(low, high)
    is_peak = (log[inside] > log[inside - 1]) & (log[inside] >= log[inside + 1])
    places = inside[is_peak & (spectrum[inside] > 0.01 * spectrum[low:high].max() + 1e-6)]
    places = places[np.argsort(-spectrum[places])][:_PEAKS_PER_FRAME]
    before, at, after = log[places - 1], log[places], log[places + 1]
    shift = 0.5 * (before - after) / np.minimum(before - 2 * at + after, -1e-9)
    return (places + shift) * RATE_HZ / _FFT_SIZE, spectrum[places]


def _near(hz: Doubles, before: Doubles) -> npt.NDArray[np.bool_]:
    """Say which peaks stood within a third of a semitone in the window before."""
    if not len(before) or not len(hz):
        return np.zeros(len(hz), dtype=bool)
    distance = np.abs(12.0 * np.log2(hz[:, None] / before[None, :])).min(axis=1)
    return np.asarray(distance < 0.33)


def _sharpness(mono: Floats) -> float:
    """Return how narrow the peaks are: about 1 for tones, about 0.4 for noise."""
    inside = around = 1e-12
    for block in spectra(mono, _FFT_SIZE, _HOP):
        power = block[18:1_500].astype(np.float64) ** 2
        place = power.argmax(axis=0)
        for column, top in zip(power.T, place, strict=True):
            inside += column[max(top - 2, 0) : top + 3].sum()
            around += column[max(top - 14, 0) : top + 15].sum()
    return float(inside / around)


def _tuning(hz: Doubles, magnitude: Doubles) -> float:
    """Return the deviation from A = 440 Hz in semitones, -0.5 to 0.5."""
    phase = np.exp(2j * np.pi * 12.0 * np.log2(hz / 440.0))
    return float(np.angle(np.sum(magnitude * phase)) / (2.0 * np.pi))


def _pitch_classes(hz: Doubles, magnitude: Doubles, tuning: float) -> Doubles:
    profile = np.zeros(12)
    for harmonic, weight in enumerate(_HARMONIC_WEIGHTS, start=1):
        pitch = 69.0 + 12.0 * np.log2(hz / harmonic / 440.0) - tuning
        nearest = np.rint(pitch)
        share = np.cos(np.pi * (pitch - nearest)) ** 2
        np.add.at(profile, nearest.astype(int) % 12, weight * share * np.sqrt(magnitude))
    return profile / max(float(profile.max()), 1e-12)


def _spread(profile: Doubles) -> float:
    """Return the effective number of pitch classes."""
    share = profile / profile.sum()
    return float(1.0 / np.sum(share**2))


def _match(profile: Doubles) -> tuple[str, float, tuple[tuple[str, float], ...]]:
    scored = []
    for mode, weights in (("major", _MAJOR), ("minor", _MINOR)):
        for tonic in range(12):
            likeness = float(np.corrcoef(np.roll(weights, tonic), profile)[0, 1])
            scored.append((f"{NAMES[tonic]} {mode}", likeness))
    scored.sort(key=lambda one: -one[1])
    odds = np.exp(12.0 * (np.array([likeness for _, likeness in scored]) - scored[0][1]))
    sure = odds / odds.sum() * max(scored[0][1], 0.0)
    best = zip(scored[:CANDIDATES_MAX], sure, strict=False)
    candidates = tuple((name, round(float(share), 3)) for (name, _), share in best)
    return candidates[0][0], candidates[0][1], candidates


def _note(hz: Doubles, magnitude: Doubles, tuning: float) -> str | None:
    """Return the pitch whose harmonics hold nearly all the energy, None for a chord."""
    energy = magnitude**2
    best_pitch, best_share = 0, 0.0
    for pitch in range(23, 96):
        fundamental = 440.0 * 2.0 ** ((pitch + tuning - 69) / 12.0)
        order = np.rint(hz / fundamental)
        fits = (order >= 1) & (np.abs(12.0 * np.log2(hz / (np.maximum(order, 1) * fundamental))) < 0.35)
        # A low fundamental explains everything by its dense upper harmonics: they count for less.
        share = float(np.sum(energy[fits] * 0.92 ** (order[fits] - 1)) / energy.sum())
        if share > best_share + 1e-9:
            best_pitch, best_share = pitch, share
    return f"{NAMES[best_pitch % 12]}{best_pitch // 12 - 1}" if best_share > 0.8 else None
