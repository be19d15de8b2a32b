"""What every analysis looks at: mono at one rate, and one short-time spectrum reduced frame by frame.

The spectrum itself is never kept: half an hour of it would be a gigabyte. It is computed in blocks and
each block leaves its mel bands and a few descriptors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

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

_BLOCK_FRAMES, _BLOCK_VALUES = 1_024, 1 << 20
_TINY = 1e-10
_SHAPE = ("centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness")

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
    count = 1 + len(mono) // HOP
    mel, chroma = np.empty((MEL_BANDS, count), np.float32), np.empty((CHROMA_BANDS, count), np.float32)
    shape, power = np.empty((len(_SHAPE), count), np.float32), np.zeros(1 + FFT_SIZE // 2, np.float64)
    start = 0
    for magnitude in spectra(mono, FFT_SIZE, HOP):
        here = slice(start, start := start + magnitude.shape[1])
        squared = magnitude**2
        mel[:, here], chroma[:, here] = _pitched(squared)
        shape[:, here] = _describe(magnitude)
        power += squared.sum(axis=1)
    rms, crossings = _hops(mono, count)
    return Frames(
        mono=mono,
        duration_s=len(samples) / sample_rate,
        mel=mel,
        chroma=chroma,
        power=(power / count).astype(np.float32),
        **dict(zip(_SHAPE, shape, strict=True)),
        zero_crossing_rate=crossings,
        rms=rms,
    )


def to_mono(samples: Samples, sample_rate: int) -> Floats:
    """Return the mean of the channels at `RATE_HZ` with any constant offset removed, shape (n,)."""
    stream = soxr.ResampleStream(sample_rate, RATE_HZ, 1, dtype="float32", quality="HQ")
    # Taken off before resampling: a constant offset would leave a click at either end.
    offset = np.float32(sum(float(b.sum(dtype=np.float64)) for b in blocks(samples)) / samples.size)
    mono = np.zeros(len(samples) * RATE_HZ // sample_rate + 2, dtype=np.float32)
    end = 0
    for block in chain(blocks(samples), [samples[:0]]):
        mean = block.mean(axis=1, dtype=np.float32) - offset if len(block) else np.zeros(0, np.float32)
        part = stream.resample_chunk(mean, last=not len(block))[: len(mono) - end]
        mono[end : end + len(part)] = part
        end += len(part)
    # One sample can resample to none.
    return mono[: max(end, 1)]


def spectra(mono: Floats, fft_size: int, hop: int) -> Iterator[Floats]:
    """Yield blocks of the centred magnitude spectrum, shape (1 + fft_size / 2, t), in order."""
    count, step = 1 + len(mono) // hop, _BLOCK_VALUES // fft_size
    for first in range(0, count, step):
        last = min(first + step, count)
        start, end = first * hop - fft_size // 2, (last - 1) * hop + fft_size // 2
        piece = np.pad(mono[max(start, 0) : end], (max(-start, 0), max(end - len(mono), 0)))
        yield np.abs(librosa.stft(piece, n_fft=fft_size, hop_length=hop, center=False)).astype(np.float32)


@lru_cache(maxsize=1)
def _filters() -> tuple[Floats, Floats]:
    mel = librosa.filters.mel(sr=RATE_HZ, n_fft=FFT_SIZE, n_mels=MEL_BANDS, fmin=20.0)
    chroma = librosa.filters.chroma(sr=RATE_HZ, n_fft=FFT_SIZE, tuning=0.0)
    return np.asarray(mel, dtype=np.float32), np.asarray(chroma, dtype=np.float32)


def _pitched(power: Floats) -> tuple[Floats, Floats]:
    mel_filter, chroma_filter = _filters()
    pitch = chroma_filter @ power
    return mel_filter @ power, pitch / np.maximum(pitch.max(axis=0, keepdims=True), np.float32(_TINY))


def _describe(magnitude: Floats) -> Floats:
    """Return the descriptors named in `_SHAPE`, shape (4, t)."""
    magnitude = magnitude + np.float32(_TINY)
    rolloff = librosa.feature.spectral_rolloff(S=magnitude, sr=RATE_HZ, roll_percent=ROLLOFF_SHARE)[0]
    found = [*_spread(magnitude), rolloff, librosa.feature.spectral_flatness(S=magnitude)[0]]
    return np.asarray(found, dtype=np.float32)


def _spread(magnitude: Floats) -> tuple[Floats, Floats]:
    """Return first moment and standard deviation of frequency, weighted by magnitude, in Hz."""
    hz = np.linspace(0.0, RATE_HZ / 2, len(magnitude), dtype=np.float32)
    weights = magnitude.sum(axis=0)
    centroid = hz @ magnitude / weights
    return centroid, np.sqrt(np.maximum(hz**2 @ magnitude / weights - centroid**2, 0.0))


def _hops(mono: Floats, count: int) -> tuple[Floats, Floats]:
    """Return RMS and rate of zero crossings of each hop, both of shape (count,)."""
    rms, crossings = np.zeros(count, dtype=np.float32), np.zeros(count, dtype=np.float32)
    for first in range(0, count, _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, count)
        piece = mono[first * HOP : last * HOP]
        hops = np.pad(piece, (0, (last - first) * HOP - len(piece))).reshape(-1, HOP)
        rms[first:last] = np.sqrt(np.mean(hops**2, axis=1))
        crossings[first:last] = np.mean(np.signbit(hops[:, 1:]) != np.signbit(hops[:, :-1]), axis=1)
    return rms, crossings
