"""What every analysis looks at: mono at one rate, and one short-time spectrum reduced frame by frame.

The spectrum itself is never kept: half an hour of it would be a gigabyte. It is computed in blocks and
each block leaves its mel bands and a few descriptors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import librosa
import numpy as np
import numpy.typing as npt
import soxr

from app.audio.pcm import Samples, blocks

RATE_HZ = 22_050
FFT_SIZE = 2_048
HOP = 220
MEL_BANDS = 64
CHROMA_BANDS = 12
ROLLOFF_SHARE = 0.85

_BLOCK_FRAMES = 1_024
_TINY = 1e-10

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Frames:
    """The shared view of one sound.

    Attributes
    ----------
    mono
        Shape (n,), float32, the mean of the channels at `RATE_HZ`.
    duration_s
        Of the source, exact to its own sample.
    mel
        Power in `MEL_BANDS` mel bands, shape (MEL_BANDS, t), hop `HOP` samples (about 10 ms).
    chroma
        Energy per pitch class from C, each frame's largest 1, shape (12, t).
    power
        Mean power spectrum, shape (1 + FFT_SIZE / 2,).
    centroid_hz, bandwidth_hz, rolloff_hz, flatness, zero_crossing_rate, rms
        Shape (t,).
    """

    mono: Floats
    duration_s: float
    mel: Floats
    chroma: Floats
    power: Floats
    centroid_hz: Floats
    bandwidth_hz: Floats
    rolloff_hz: Floats
    flatness: Floats
    zero_crossing_rate: Floats
    rms: Floats

    @property
    def frame_rate_hz(self) -> float:
        return RATE_HZ / HOP

    @property
    def is_silent(self) -> bool:
        """Whether nothing is left once a constant offset is taken away (below -80 dBFS)."""
        return float(np.max(self.rms, initial=0.0)) < 1e-4


def build(samples: Samples, sample_rate: int) -> Frames:
    """Fold to mono, resample once and compute the shared spectra.

    Parameters
    ----------
    samples
        Shape (frames, channels), float32.
    sample_rate
        In Hz.
    """
    mono = to_mono(samples, sample_rate)
    parts = [_describe(spectrum) for spectrum in spectra(mono, FFT_SIZE, HOP)]
    mel, chroma, centroid, bandwidth, rolloff, flatness, power = (
        np.concatenate([part[index] for part in parts], axis=-1) for index in range(7)
    )
    count = mel.shape[1]
    return Frames(
        mono=mono,
        duration_s=len(samples) / sample_rate,
        mel=mel,
        chroma=chroma,
        power=power.sum(axis=-1) / count,
        centroid_hz=centroid,
        bandwidth_hz=bandwidth,
        rolloff_hz=rolloff,
        flatness=flatness,
        zero_crossing_rate=_zero_crossings(mono, count),
        rms=_rms(mono, count),
    )


def to_mono(samples: Samples, sample_rate: int) -> Floats:
    """Return the mean of the channels at `RATE_HZ` with any constant offset removed, shape (n,)."""
    stream = soxr.ResampleStream(sample_rate, RATE_HZ, 1, dtype="float32", quality="HQ")
    # Taken off before resampling: a constant offset would leave a click at either end.
    offset = np.float32(sum(float(b.sum(dtype=np.float64)) for b in blocks(samples)) / samples.size)
    parts = [
        stream.resample_chunk(block.mean(axis=1, dtype=np.float32) - offset) for block in blocks(samples)
    ]
    parts.append(stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
    mono = np.concatenate(parts)
    # One sample can resample to none.
    return np.asarray(mono if len(mono) else np.zeros(1), dtype=np.float32)


def spectra(mono: Floats, fft_size: int, hop: int) -> Iterator[Floats]:
    """Yield blocks of the centred magnitude spectrum, shape (1 + fft_size / 2, at most 1024)."""
    padded = np.pad(mono, fft_size // 2)
    count = 1 + len(mono) // hop
    for first in range(0, count, _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, count)
        piece = padded[first * hop : (last - 1) * hop + fft_size]
        yield np.abs(librosa.stft(piece, n_fft=fft_size, hop_length=hop, center=False)).astype(np.float32)


@lru_cache(maxsize=1)
def _filters() -> tuple[Floats, Floats]:
    mel = librosa.filters.mel(sr=RATE_HZ, n_fft=FFT_SIZE, n_mels=MEL_BANDS, fmin=20.0)
    chroma = librosa.filters.chroma(sr=RATE_HZ, n_fft=FFT_SIZE, tuning=0.0)
    return np.asarray(mel, dtype=np.float32), np.asarray(chroma, dtype=np.float32)


def _describe(magnitude: Floats) -> tuple[Floats, ...]:
    mel_filter, chroma_filter = _filters()
    power = magnitude**2
    pitch = chroma_filter @ power
    chroma = pitch / np.maximum(pitch.max(axis=0, keepdims=True), _TINY)
    centroid, bandwidth = _spread(magnitude + np.float32(_TINY))
    found = (
        mel_filter @ power,
        chroma,
        centroid,
        bandwidth,
        librosa.feature.spectral_rolloff(S=magnitude, sr=RATE_HZ, roll_percent=ROLLOFF_SHARE)[0],
        librosa.feature.spectral_flatness(S=magnitude)[0],
        power.sum(axis=1, keepdims=True),
    )
    return tuple(np.asarray(value, dtype=np.float32) for value in found)


def _spread(magnitude: Floats) -> tuple[Floats, Floats]:
    """Return first moment and standard deviation of frequency, weighted by magnitude, in Hz."""
    hz = np.linspace(0.0, RATE_HZ / 2, len(magnitude), dtype=np.float32)
    weights = magnitude.sum(axis=0)
    centroid = hz @ magnitude / weights
    return centroid, np.sqrt(np.maximum(hz**2 @ magnitude / weights - centroid**2, 0.0))


def _hops(values: Floats, count: int) -> Floats:
    padded = np.zeros(count * HOP, dtype=np.float32)
    padded[: min(len(values), len(padded))] = values[: len(padded)]
    return padded.reshape(count, HOP)


def _rms(mono: Floats, count: int) -> Floats:
    return np.asarray(np.sqrt(np.mean(_hops(mono, count) ** 2, axis=1)), dtype=np.float32)


def _zero_crossings(mono: Floats, count: int) -> Floats:
    crossed = np.zeros(len(mono), dtype=np.float32)
    crossed[1:] = np.signbit(mono[1:]) != np.signbit(mono[:-1])
    return np.asarray(_hops(crossed, count).mean(axis=1), dtype=np.float32)
