"""Loudness and true peak as in ITU-R BS.1770-4, and plain levels in dBFS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.signal
import soxr

from app.audio.decoding.scratch_file import Samples, SampleSource, iter_blocks

FLOOR_DB = -120.0
COURSE_POINTS = 64

_BLOCK_S, _STEP_S = 0.4, 0.1
_ABSOLUTE_GATE_LUFS, _RELATIVE_GATE_LU = -70.0, -10.0
_SURROUND_GAIN = 1.41
_OVERSAMPLING = 4

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Loudness:
    """The levels of one sound. The level of silence is `FLOOR_DB`.

    Attributes
    ----------
    loudness_db, loudness_unit
        Integrated loudness in "LUFS"; of a sound under 0.4 s, which has none, the RMS in "dBFS".
    peak_db, true_peak_db, rms_db
        In dBFS; the true peak also counts the waveform between the samples.
    crest_db
        Peak over RMS in dB.
    course
        Loudness over time at `COURSE_POINTS` equal places, in LUFS.
    """

    loudness_db: float
    loudness_unit: str
    peak_db: float
    true_peak_db: float
    rms_db: float
    crest_db: float
    course: tuple[float, ...]


def measure_loudness(samples: SampleSource, sample_rate: int) -> Loudness:
    """Measure the levels of a sound in one pass and bounded memory.

    Parameters
    ----------
    samples : SampleSource
        Shape (frames, channels), full scale ±1.
    sample_rate : int
        In Hz.

    Notes
    -----
    K-weighting and gating as in ITU-R BS.1770-4: 400 ms blocks every 100 ms, absolute gate -70 LUFS,
    relative gate -10 LU. In a file of 5 or more channels those from the fourth on weigh 1.41, except the LFE
    (the fourth of 6 or more), which weighs nothing. The true peak is measured at four times the rate.
    """
    meter = _Meter(sample_rate, samples.shape[1])
    for block in iter_blocks(samples):
        meter.feed(block)
    return meter.result(len(samples))


def amplitude_db(value: float) -> float:
    """Return the decibels of an amplitude ratio, at least `FLOOR_DB`.

    Parameters
    ----------
    value : float
        Amplitude relative to full scale, 0 or more.
    """
    return max(20.0 * math.log10(value), FLOOR_DB) if value > 0.0 else FLOOR_DB


class _Meter:
    """Collects levels block by block; `feed` takes blocks in order, `result` ends the measurement."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._filter = _k_weighting_filter(sample_rate)
        self._state = np.zeros((self._filter.shape[0], 2, channels))
        self._weights = _channel_weights(channels)
        self._step = max(round(_STEP_S * sample_rate), 1)
        self._rest = np.zeros(0)
        self._steps: list[Doubles] = []
        self._peak = self._squares = self._true_peak = 0.0
        self._channels = channels
        self._over = soxr.ResampleStream(
            sample_rate, _OVERSAMPLING * sample_rate, channels, dtype="float32", quality="HQ"
        )

    def feed(self, block: Samples) -> None:
        wide = block.astype(np.float64)
        self._peak = max(self._peak, _max_magnitude(block))
        self._squares += float(np.vdot(wide, wide))
        self._oversample(block, last=False)
        weighted, self._state = scipy.signal.sosfilt(self._filter, wide, axis=0, zi=self._state)
        energy = np.concatenate([self._rest, (weighted**2) @ self._weights])
        whole = len(energy) // self._step * self._step
        self._steps.append(energy[:whole].reshape(-1, self._step).mean(axis=1))
        self._rest = energy[whole:]

    def result(self, frames: int) -> Loudness:
        self._oversample(np.zeros((0, self._channels), dtype=np.float32), last=True)
        rms = math.sqrt(self._squares / max(frames * self._channels, 1))
        steps = np.concatenate([*self._steps, [self._rest.mean()] if len(self._rest) else []])
        long_enough = sum(map(len, self._steps)) * _STEP_S >= _BLOCK_S - 1e-9
        rms_db, peak_db = amplitude_db(rms), amplitude_db(self._peak)
        return Loudness(
            loudness_db=_integrated_lufs(np.concatenate(self._steps)) if long_enough else rms_db,
            loudness_unit="LUFS" if long_enough else "dBFS",
            peak_db=peak_db,
            true_peak_db=max(amplitude_db(self._true_peak), peak_db),
            rms_db=rms_db,
            crest_db=peak_db - rms_db,
            course=_loudness_course(steps),
        )

    def _oversample(self, block: Samples, *, last: bool) -> None:
        finer = self._over.resample_chunk(np.ascontiguousarray(block), last=last)
        self._true_peak = max(self._true_peak, _max_magnitude(finer))


def _max_magnitude(block: Samples) -> float:
    """Return the largest absolute value. Two reductions are faster than one of a copy."""
    return max(float(block.max(initial=0.0)), -float(block.min(initial=0.0)))


def _integrated_lufs(steps: Doubles) -> float:
    power = np.convolve(steps, np.full(4, 0.25), mode="valid")
    loud = power[_power_to_lufs(power) > _ABSOLUTE_GATE_LUFS]
    if not len(loud):
        return FLOOR_DB
    gate = float(_power_to_lufs(loud.mean(keepdims=True))[0]) + _RELATIVE_GATE_LU
    gated = loud[_power_to_lufs(loud) > gate]
    return float(_power_to_lufs(gated.mean(keepdims=True))[0])


def _power_to_lufs(power: Doubles) -> Doubles:
    level: Doubles = -0.691 + 10.0 * np.log10(np.maximum(power, 1e-12))
    return level


def _loudness_course(steps: Doubles) -> tuple[float, ...]:
    if not len(steps):
        return (FLOOR_DB,) * COURSE_POINTS
    edges = np.linspace(0, len(steps), COURSE_POINTS + 1)
    spans = [slice(int(a), max(int(np.ceil(b)), int(a) + 1)) for a, b in pairwise(edges)]
    return tuple(float(_power_to_lufs(steps[span].mean(keepdims=True))[0]) for span in spans)


def _channel_weights(channels: int) -> Doubles:
    weights = np.ones(channels)
    if channels == 5:
        weights[3:] = _SURROUND_GAIN
    elif channels >= 6:
        weights[3], weights[4:] = 0.0, _SURROUND_GAIN
    return weights


def _k_weighting_filter(sample_rate: int) -> Doubles:
    """Return the two K-weighting stages for any sample rate, shape (2, 6).

    Bilinear transforms of the analogue filters that BS.1770 gives as coefficients for 48 kHz.
    """
    shelf = _biquad_stage(sample_rate, 1681.974450955533, 0.7071752369554196, 3.999843853973347)
    high_pass = _biquad_stage(sample_rate, 38.13547087602444, 0.5003270373238773, None)
    return np.array([shelf, high_pass])


def _biquad_stage(sample_rate: int, f0_hz: float, q: float, gain_db: float | None) -> list[float]:
    k = math.tan(math.pi * min(f0_hz / sample_rate, 0.49))
    a0 = 1.0 + k / q + k * k
    poles = [1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0]
    if gain_db is None:
        return [1.0, -2.0, 1.0, *poles]
    vh = 10.0 ** (gain_db / 20.0)
    vb = vh**0.4996667741545416
    return [(vh + vb * k / q + k * k) / a0, 2 * (k * k - vh) / a0, (vh - vb * k / q + k * k) / a0, *poles]
