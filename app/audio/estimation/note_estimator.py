"""Estimate the note of a one-shot, or of a loop that stays on one note."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.fft
from scipy.ndimage import maximum_filter1d

from app.audio.estimation.boosted_trees import load_forest
from app.audio.listening.front_end import RATE_HZ, FrontEnd
from app.audio.listening.pitch_track import PitchTrack
from app.music.pitch_names import note_name

Array = npt.NDArray[np.float64]

MIN_MIDI, MAX_MIDI = 22, 108  # midi: A#0 (29 Hz) to C8
STEPS_PER_SEMITONE = 10
WINDOW_SIZE = 16384
LOBE_BINS, LOBES_PER_GAP = 1.5, 6
MAX_HELD_S, MIN_HELD_SHARE = 10.0, 0.9
MIN_SHARE = 0.45  # of the energy has to lie on the harmonics of one note


@dataclass(frozen=True)
class Note:
    """The pitch of a sound with a single pitch.

    Attributes
    ----------
    midi : nearest note of equal temperament, A4 = 69.
    name : its name, such as "A4".
    cents : distance of the sound from that note, −50 to 50.
    share : share of the energy on the harmonics of this note, 0 to 1; smaller for a chord than for a note.
    end : name of the note where a glide of a semitone or more ends, None for a steady pitch.
    """

    midi: int
    name: str
    cents: float
    share: float
    end: str | None = None


def note_of_track(track: PitchTrack, front_end: FrontEnd) -> Note:
    """Return the note of a sound with one clear voice: that of its start when it glides.

    Parameters
    ----------
    track : PitchTrack
    front_end : FrontEnd
    """
    pitch, end = track.start, note_name(int(np.round(track.end))) if track.is_glide else None
    if track.is_steady:
        y = front_end.y[int(front_end.start_s * RATE_HZ) : int(front_end.end_s * RATE_HZ)]
        refined = _refine_pitch(_mean_spectrum(y)[0], pitch)
        pitch = refined if abs(refined - pitch) < 0.5 else pitch
    midi = int(np.round(pitch))
    return Note(midi, note_name(midi), float(100 * (pitch - midi)), 1.0, end)


def estimate_note(front_end: FrontEnd) -> Note | None:
    """Estimate the note of a sound with a single pitch; None when no pitch holds enough of its energy.

    Parameters
    ----------
    front_end : FrontEnd

    Notes
    -----
    Candidates come from harmonic summation (Hermes 1988; Klapuri 2006). A small forest fitted on rendered
    notes tells the fundamental from its octaves and twelfths.
    """
    if front_end.is_silent:
        return None
    found = find_candidates(front_end)
    chances = load_forest("note").probabilities(note_features(found))[:, 0]
    best = found[int(np.argmax(chances))]
    if best.share < MIN_SHARE or best.salience <= 0:
        return None
    midi = int(np.round(best.midi))
    cents = float(100 * (best.midi - midi))
    return Note(midi, note_name(midi), cents, best.share)


def estimate_held_note(front_end: FrontEnd) -> Note | None:
    """Return the note that a sound holds through its first and middle third, None when it has no such note.

    Sounds of more than `MAX_HELD_S` seconds are not examined.

    Parameters
    ----------
    front_end : FrontEnd
    """
    third_s = (front_end.end_s - front_end.start_s) / 3
    if not 0 < 3 * third_s <= MAX_HELD_S:
        return None
    start = estimate_note(replace(front_end, end_s=front_end.start_s + third_s))
    if start is None or start.share < MIN_HELD_SHARE:
        return None
    middle = estimate_note(
        replace(front_end, start_s=front_end.start_s + third_s, end_s=front_end.end_s - third_s)
    )
    stays = middle is not None and middle.midi == start.midi and middle.share >= MIN_HELD_SHARE
    return start if stays else None


@dataclass(frozen=True)
class NoteCandidate:
    """A pitch that a sound may have.

    Attributes
    ----------
    midi : fractional MIDI pitch.
    salience : weighted sum of the levels of its harmonics.
    share : share of the energy on its harmonics, 0 to 1.
    harmonics : levels of its first 8 harmonics.
    """

    midi: float
    salience: float
    share: float
    harmonics: tuple[float, ...]


def find_candidates(front_end: FrontEnd, count: int = 7) -> list[NoteCandidate]:
    """Return the most salient pitches by harmonic summation, never none.

    Parameters
    ----------
    front_end : FrontEnd
    count : int
        Most candidates.
    """
    y = front_end.y[int(front_end.start_s * RATE_HZ) : int(front_end.end_s * RATE_HZ)]
    skip = int(0.02 * RATE_HZ) if y.size > RATE_HZ // 8 else 0
    magnitude, lobe_hz = _mean_spectrum(y[skip:])
    grid = np.arange(MIN_MIDI * STEPS_PER_SEMITONE, MAX_MIDI * STEPS_PER_SEMITONE + 1) / STEPS_PER_SEMITONE
    salience, share, levels = _harmonic_sums(magnitude, grid, lobe_hz)
    at = np.flatnonzero((salience[1:-1] > salience[:-2]) & (salience[1:-1] >= salience[2:])) + 1
    best = at[np.argsort(-salience[at])][:count]
    out = [
        NoteCandidate(
            _refine_pitch(magnitude, grid[i]), float(salience[i]), float(share[i]), tuple(levels[:8, i])
        )
        for i in best
    ]
    return out or [NoteCandidate(60.0, 0.0, 0.0, (0.0,) * 8)]


def note_features(found: list[NoteCandidate]) -> Array:
    """Return the features of each candidate, shape (candidates, 16).

    The forest `note` was fitted on this order of the columns.

    Parameters
    ----------
    found : list of NoteCandidate
        From `find_candidates`.
    """
    top = max(c.salience for c in found) + 1e-9
    share = max(c.share for c in found) + 1e-9
    lowest = min((c.midi for c in found if c.share > 0.7 * share), default=found[0].midi)
    rows = []
    for c in found:
        levels = np.array(c.harmonics)
        gap = levels[:8:2].mean() - levels[1:8:2].mean()
        near = [
            (c.midi - o.midi)
            for o in found
            if o is not c and o.share > 0.9 * c.share and o.salience > 0.6 * c.salience
        ]
        rows.append(
            [
                c.salience / top,
                c.share,
                c.share / share,
                c.midi,
                *levels,
                gap,
                levels[0] / (levels.max() + 1e-9),
                c.midi - lowest,
                max(near, default=0.0),
            ]
        )
    return np.array(rows)


def _mean_spectrum(y: npt.NDArray[np.float32]) -> tuple[Array, float]:
    """Return the mean magnitudes of the first 1.5 s in fine steps, and half the width of a peak in Hz."""
    part = y[: int(1.5 * RATE_HZ)].astype(np.float64)
    size = min(WINDOW_SIZE, max(part.size, 256))
    starts = range(0, max(part.size - size, 0) + 1, max(size // 2, 1))
    pieces = [
        np.abs(scipy.fft.rfft(part[s : s + size] * np.hanning(part[s : s + size].size), 4 * WINDOW_SIZE))
        for s in starts
    ]
    magnitude = np.asarray(np.mean(pieces, axis=0)) if pieces else np.zeros(2 * WINDOW_SIZE + 1)
    return magnitude, LOBE_BINS * RATE_HZ / size


def _harmonic_sums(magnitude: Array, grid: Array, lobe_hz: float) -> tuple[Array, Array, Array]:
    """Return, by pitch, the weighted sum of its harmonics, their share of the energy, and their levels."""
    step = RATE_HZ / (4 * WINDOW_SIZE)
    hz = 440 * 2 ** ((grid - 69) / 12)
    total = np.cumsum(magnitude**2)
    compressed = maximum_filter1d(np.sqrt(magnitude / (magnitude.max() + 1e-12)), 5)
    share, levels = np.zeros(grid.size), np.zeros((12, grid.size))
    # The peaks of a short sound are wide. If they filled the gaps between harmonics, noise would get a pitch.
    wide = np.minimum(lobe_hz, hz / LOBES_PER_GAP)
    for harmonic in range(1, 13):
        at = hz * harmonic / step
        inside = at < magnitude.size - 20
        levels[harmonic - 1] = np.where(inside, np.interp(at, np.arange(magnitude.size), compressed), 0)
        aside = np.maximum(at * (2 ** (0.4 / 12) - 1), wide / step)
        low = np.clip(at - aside, 0, magnitude.size - 1).astype(int)
        high = np.clip(at + aside + 1, 0, magnitude.size - 1).astype(int)
        share += np.where(inside, total[high] - total[low], 0)
    salience = (0.84 ** np.arange(12)) @ levels
    return salience, share / (total[-1] + 1e-12), levels


def _refine_pitch(magnitude: Array, midi: float) -> float:
    """Return the MIDI pitch from parabolas through the peaks of the first three harmonics."""
    step = RATE_HZ / (4 * WINDOW_SIZE)
    weights, places = [], []
    for harmonic in (1, 2, 3):
        hz = 440 * 2 ** ((midi - 69) / 12) * harmonic
        low, high = int(hz * 2 ** (-0.5 / 12) / step), int(hz * 2 ** (0.5 / 12) / step) + 2
        if high + 1 >= magnitude.size or high - low < 2:
            continue
        i = low + int(np.argmax(magnitude[low:high]))
        if low < i < high - 1:
            a, b, c = np.log(magnitude[i - 1 : i + 2] + 1e-12)
            place = (i + 0.5 * (a - c) / (a - 2 * b + c - 1e-12)) * step / harmonic
            weights.append(magnitude[i])
            places.append(69 + 12 * np.log2(place / 440))
    return float(np.average(places, weights=weights)) if places else midi
