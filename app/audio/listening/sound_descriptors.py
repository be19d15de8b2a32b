"""Sound descriptors: numbers that tell a hit from a loop, a kick from a hat, a note from noise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.fft

from app.audio.listening.chroma import SpectralPeaks
from app.audio.listening.event_descriptors import compute_event_descriptors
from app.audio.listening.front_end import FRAME_RATE_HZ, HOP, RATE_HZ, FrontEnd
from app.audio.listening.periodicity import Rhythm

Array = npt.NDArray[np.float64]

ENVELOPE_BLOCK = 44  # samples of one step of the fine envelope, about 2 ms
SPECTRUM_EDGES_HZ = (60, 120, 200, 320, 500, 800, 1250, 2000, 3200, 5000, 8000)


def compute_descriptors(frames: FrontEnd, p: SpectralPeaks, share: dict[str, Array], r: Rhythm) -> Array:
    """Return the descriptors of a sound as one vector, shape (n,), which the classifiers read.

    Parameters
    ----------
    frames : FrontEnd
    p : SpectralPeaks
    share : dict of str to ndarray, shape (12,)
        Pitch-class profiles of the whole sound, see `chroma.chroma_profiles`.
    r : Rhythm

    Notes
    -----
    In order: lengths, level envelope, onsets, spectrum, mel cepstrum, pitch, events. A number that a very
    short sound does not have is NaN. The trees were fitted on this order, so it must not change without new
    weights.
    """
    y = frames.y[
        int(frames.start_s * RATE_HZ) : max(
            int(frames.end_s * RATE_HZ), int(frames.start_s * RATE_HZ) + 2 * ENVELOPE_BLOCK
        )
    ]
    rows = [
        _length_numbers(frames),
        _envelope_numbers(y),
        _onset_numbers(frames, r),
        _spectrum_numbers(y),
        _cepstrum_numbers(frames),
        _pitch_numbers(y, p, share),
        compute_event_descriptors(frames),
    ]
    return np.concatenate(rows)


def _length_numbers(f: FrontEnd) -> Array:
    """Return the lengths of the file, the sound and the sound without its tail, and the tail's place."""
    sounding = max(f.end_s - f.start_s, 1e-3)
    return np.array(
        [
            np.log2(f.duration_s + 1e-3),
            np.log2(sounding),
            np.log2(max(f.tail_s - f.start_s, 1e-3)),
            f.tail_s / max(f.duration_s, 1e-3),
        ]
    )


def _fine_envelope(y: npt.NDArray[np.float32]) -> Array:
    """Return the RMS of consecutive blocks of about 2 ms."""
    padded = np.pad(y.astype(np.float64), (0, -y.size % ENVELOPE_BLOCK))
    return np.asarray(np.sqrt(np.mean(padded.reshape(-1, ENVELOPE_BLOCK) ** 2, axis=1)) + 1e-9)


def _envelope_numbers(y: npt.NDArray[np.float32]) -> Array:
    """Return attack, decay times, early energy, centre of energy, bumps at the start, and levels."""
    env = _fine_envelope(y)
    step, top = ENVELOPE_BLOCK / RATE_HZ, int(np.argmax(env))
    level = 20 * np.log10(env / env.max())
    after = level[top:]
    falls = [
        float(np.argmax(after < -d)) * step if (after < -d).any() else after.size * step
        for d in (6, 12, 20, 30, 40)
    ]
    energy = np.cumsum(env**2) / np.sum(env**2)
    early = [float(energy[min(int(t / step), energy.size - 1)]) for t in (0.02, 0.05, 0.1, 0.25, 0.5, 1.0)]
    centre = float(np.sum(np.arange(env.size) * env**2) / np.sum(env**2)) * step
    begin = env[: int(0.06 / step)]
    bumps = float(
        np.sum((begin[1:-1] > begin[:-2]) & (begin[1:-1] > begin[2:]) & (begin[1:-1] > 0.3 * env.max()))
    )
    end = level[-max(2, int(0.03 / step)) :].mean()
    median = float(np.median(level))
    thirds = [
        20 * np.log10(np.sqrt(np.mean(part**2)) / env.max()) for part in np.array_split(env, 4) if part.size
    ]
    return np.array(
        [
            top * step,
            *np.log2(np.array(falls) + 1e-3),
            *early,
            np.log2(centre + 1e-3),
            bumps,
            end,
            median,
            *(thirds + [-80.0] * 4)[:4],
        ]
    )


def _onset_numbers(f: FrontEnd, r: Rhythm) -> Array:
    """Return how many onsets there are, how strong the later ones are, and how regular."""
    total = f.onset_strength[0].astype(np.float64)
    if total.size < 5:
        return np.array([1.0, 0, 0, 0, 0, 0, 0, 0])
    best = total.max() + 1e-9
    inner = (total[1:-1] > total[:-2]) & (total[1:-1] >= total[2:])
    counts = [float(np.sum(inner & (total[1:-1] > share * best))) for share in (0.1, 0.3, 0.5)]
    first = int(f.start_s * FRAME_RATE_HZ) + 8
    later = float(total[first:].max(initial=0) / best)
    low, high = int(0.25 * FRAME_RATE_HZ), int(1.3 * FRAME_RATE_HZ)
    peak = [float(r.lagged[name][low:high].max(initial=0)) for name in ("all", "timbre", "low")]
    return np.array([*np.log2(np.array(counts) + 1), r.onset_rate, later, *np.clip(peak, -1, 2)])


def _spectrum_numbers(y: npt.NDArray[np.float32]) -> Array:
    """Return zero crossings, and the spectrum of the attack, the body and the first 3 s."""
    parts = [y[: int(0.05 * RATE_HZ)], y[int(0.05 * RATE_HZ) : int(0.25 * RATE_HZ)], y[: 3 * RATE_HZ]]
    crossings = float(np.mean(np.diff(np.signbit(y[: RATE_HZ // 2])))) if y.size > 1 else 0.0
    return np.concatenate([[crossings], *(_band_numbers(part) for part in parts)])


def _band_numbers(y: npt.NDArray[np.float32]) -> Array:
    """Return levels of bands, centroid, spread, roll-off, flatness and power; NaN for under 64 samples."""
    if y.size < 64:
        return np.full(len(SPECTRUM_EDGES_HZ) + 7, np.nan)
    power = (
        np.abs(scipy.fft.rfft(y * np.hanning(y.size), max(2048, scipy.fft.next_fast_len(y.size)))) ** 2
        + 1e-12
    )
    hz = np.linspace(0, RATE_HZ / 2, power.size)
    total = float(power.sum())
    edges = np.searchsorted(hz, [0, *SPECTRUM_EDGES_HZ, RATE_HZ])
    bands = np.array([power[a:b].sum() for a, b in pairwise(edges)]) / total
    log = np.log2(hz + 20)
    centre = float(np.sum(log * power) / total)
    spread = float(np.sqrt(np.sum((log - centre) ** 2 * power) / total))
    cumulative = np.cumsum(power) / total
    rolls = [float(log[min(int(np.searchsorted(cumulative, s)), log.size - 1)]) for s in (0.5, 0.85)]
    flat = float(np.mean(np.log(power)) - np.log(np.mean(power)))
    return np.array([*np.log10(bands + 1e-5), centre, spread, *rolls, flat, np.log10(total)])[
        : len(SPECTRUM_EDGES_HZ) + 7
    ]


def _cepstrum_numbers(f: FrontEnd) -> Array:
    """Return the mel cepstrum (Davis and Mermelstein 1980): mean of 300 ms and of all, deviation in time."""
    first = int(f.start_s * RATE_HZ / HOP)
    mel = f.mel[:, first : max(int(f.end_s * RATE_HZ / HOP) + 1, first + 2)].astype(np.float64)
    cepstrum = scipy.fft.dct(mel, axis=0, norm="ortho")[:14]
    return np.concatenate(
        [cepstrum[1:, :30].mean(axis=1), cepstrum[1:].mean(axis=1), cepstrum[:8].std(axis=1)]
    )


def _pitch_numbers(y: npt.NDArray[np.float32], p: SpectralPeaks, share: dict[str, Array]) -> Array:
    """Return how pitched a sound is: strongest pitch classes, periodicity, steadiness of pitch."""
    harmonic, plain = np.sort(share["harmonic"])[::-1], np.sort(share["plain"])[::-1]
    phase = np.abs(np.sum(p.level * np.exp(2j * np.pi * p.midi))) / (np.sum(p.level) + 1e-9)
    entropy = -float(np.sum(share["harmonic"] * np.log(share["harmonic"] + 1e-9)))
    crowd = p.midi.size / max(p.windows, 1)
    middle = float(np.sum(p.level * (p.midi > 45) * (p.midi < 90)) / (np.sum(p.level) + 1e-9))
    low = float(np.sum(p.level * (p.midi <= 45)) / (np.sum(p.level) + 1e-9))
    return np.array(
        [
            *harmonic[:4],
            *plain[:3],
            phase,
            entropy,
            crowd,
            middle,
            low,
            *_periodicity(y),
            _pitch_steadiness(p),
        ]
    )


def _periodicity(y: npt.NDArray[np.float32]) -> list[float]:
    """Return the peak of the normalised autocorrelation of two pieces, for 40 to 1,000 Hz."""
    out = []
    for start in (0.03, 0.15):
        part = y[int(start * RATE_HZ) : int((start + 0.1) * RATE_HZ)].astype(np.float64)
        if part.size < RATE_HZ // 20:
            out.append(np.nan)
            continue
        lagged = scipy.fft.irfft(np.abs(scipy.fft.rfft(part, 8192)) ** 2)[: part.size]
        lagged /= (1 - np.arange(part.size) / part.size + 0.05) * (lagged[0] + 1e-12)
        low = int(np.argmax(lagged < 0.3)) if (lagged < 0.3).any() else RATE_HZ // 1000
        out.append(float(lagged[max(low, 11) : RATE_HZ // 40].max(initial=0)))
    return out


def _pitch_steadiness(p: SpectralPeaks) -> float:
    """Return the share of windows whose strongest pitch is within a semitone of the one before."""
    if p.windows < 3 or p.midi.size == 0:
        return np.nan
    best = np.full(p.windows, np.nan)
    order = np.argsort(p.level)
    best[p.window[order]] = p.midi[order]
    return float(np.nanmean(np.abs(np.diff(best)) < 1)) if np.isfinite(best).sum() > 2 else np.nan
