"""The course of the pitch of a sound with one voice, from the normalised autocorrelation of short windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

from app.audio.listening.front_end import RATE_HZ, FrontEnd

Array = npt.NDArray[np.float64]

WINDOW, HOP = 4096, 1024
MIN_HZ, MAX_HZ = 20.0, 4_400.0
MAX_TRACK_S = 4.0
# The first period whose peak reaches this part of the highest one is the pitch (McLeod and Wyvill 2005).
FIRST_PEAK = 0.93
MIN_CLARITY, AUDIBLE = 0.9, 1e-3
# Share of the sound that has to be clear; shares of the energy of the first three harmonics and of the first.
MIN_CLEAR_SHARE, MIN_LOW_HARMONICS, MIN_FUNDAMENTAL = 0.8, 0.3, 0.01
# A fast slide is not clear while it lasts.
MIN_CLEAR_SHARE_OF_GLIDE = 0.6
STEADY_SEMITONES, MIN_GLIDE_SEMITONES = 0.5, 1.0
MAX_STRAY_SHARE = 0.1  # of windows outside the range from start to end


@dataclass(frozen=True)
class PitchTrack:
    """The pitch of a sound at its start and at its end.

    Attributes
    ----------
    start, end : MIDI pitch, fractional.
    is_steady : whether the pitch stays within a semitone.
    """

    start: float
    end: float
    is_steady: bool

    @property
    def is_glide(self) -> bool:
        """Return whether the pitch ends at least a semitone from where it started."""
        return abs(self.end - self.start) >= MIN_GLIDE_SEMITONES


def track_pitch(front_end: FrontEnd) -> PitchTrack | None:
    """Follow the pitch of a sound; None when it has no clear pitch, several voices, or noise.

    Parameters
    ----------
    front_end : FrontEnd

    Notes
    -----
    Each window of 186 ms has the pitch of the first high peak of its normalised square difference function.
    A chord repeats too, after a period at which it has no energy, so the fundamental and the first three
    harmonics of the pitch have to hold a part of the energy.
    """
    start, end = (int(at * RATE_HZ) for at in (front_end.start_s, front_end.end_s))
    y = front_end.y[start : min(end, start + int(MAX_TRACK_S * RATE_HZ))].astype(np.float64)
    if y.size < RATE_HZ // 20:
        return None
    padded = np.pad(y, (0, max(WINDOW - y.size, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    energy = np.square(windows).sum(axis=1)
    windows = windows[energy > AUDIBLE * energy.max()]
    found = [_window_pitch(w) for w in windows]
    clear = np.array([pitch is not None for pitch in found])
    weight = np.sqrt(energy[energy > AUDIBLE * energy.max()])
    share = float(weight[clear].sum() / weight.sum())
    if share < MIN_CLEAR_SHARE_OF_GLIDE:
        return None
    pitches = _without_octave_errors(np.array([pitch for pitch in found if pitch is not None]))
    first, last = float(np.median(pitches[:2])), float(np.median(pitches[-3:]))
    low, high = min(first, last) - STEADY_SEMITONES, max(first, last) + STEADY_SEMITONES
    track = PitchTrack(first, last, bool(np.ptp(pitches) <= 2 * STEADY_SEMITONES))
    strays = np.mean((pitches < low) | (pitches > high)) > MAX_STRAY_SHARE
    return None if strays or (share < MIN_CLEAR_SHARE and not track.is_glide) else track


def _window_pitch(window: Array) -> float | None:
    """Return the MIDI pitch of a window, None when it is not clear."""
    size = scipy.fft.next_fast_len(2 * WINDOW, real=True)
    longest = int(RATE_HZ / MIN_HZ) + 2
    lagged = scipy.fft.irfft(np.square(np.abs(scipy.fft.rfft(window, size))), size)[:longest]
    squares = np.concatenate([[0.0], np.cumsum(np.square(window))])
    lags = np.arange(longest)
    norm = squares[WINDOW - lags] + squares[-1] - squares[lags]
    curve = 2 * lagged / (norm + 1e-12)
    peaks = np.flatnonzero((curve[1:-1] > curve[:-2]) & (curve[1:-1] >= curve[2:])) + 1
    negative = np.flatnonzero(curve < 0)
    peaks = peaks[peaks > (negative[0] if negative.size else longest)]
    if not peaks.size:
        return None
    a, b, c = curve[peaks - 1], curve[peaks], curve[peaks + 1]
    shift = np.clip(0.5 * (a - c) / (a - 2 * b + c - 1e-12), -0.5, 0.5)
    height = b - 0.25 * (a - c) * shift
    best = int(np.argmax(height >= FIRST_PEAK * height.max()))
    hz = RATE_HZ / float(peaks[best] + shift[best])
    if height[best] < MIN_CLARITY or not MIN_HZ <= hz <= MAX_HZ or not _has_low_harmonics(window, hz):
        return None
    return float(69 + 12 * np.log2(hz / 440))


def _has_low_harmonics(window: Array, hz: float) -> bool:
    """Return whether the first harmonics of a pitch hold their part of the energy."""
    power = np.square(np.abs(scipy.fft.rfft(window * np.hanning(WINDOW))))
    held = []
    for harmonic in (1, 2, 3):
        low, high = (harmonic * hz * ratio * WINDOW / RATE_HZ for ratio in (2 ** (-1 / 24), 2 ** (1 / 24)))
        held.append(float(power[max(int(low) - 1, 0) : int(high) + 3].sum()))
    whole = float(power.sum())
    return sum(held) > MIN_LOW_HARMONICS * whole and held[0] > MIN_FUNDAMENTAL * whole


def _without_octave_errors(pitches: Array) -> Array:
    """Move single windows that lie octaves or twelfths from both of their neighbours back to them."""
    out = pitches.copy()
    for i in range(1, out.size - 1):
        if abs(out[i] - out[i - 1]) > 6 and abs(out[i] - out[i + 1]) > 6:
            out[i] = out[i - 1]
    return out
