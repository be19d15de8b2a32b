"""The audio front end: mono samples at one rate, and the two short-time spectra that all analyses share.

Short spectra are reduced to mel bands and a few descriptors block by block and not kept: all of them would
take 30 MB. Rhythm and timbre are measured in the first 150 s, pitch in the first 300 s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.signal

from app.audio.decoding.mp3_frames import EncoderPadding
from app.audio.decoding.scratch_file import SampleSource
from app.audio.listening import frame_descriptors
from app.audio.listening.channel_cancellation import Cancellation
from app.audio.listening.downmix import mix_to_mono
from app.audio.listening.loop_length import loop_length_s

Floats = npt.NDArray[np.float32]

RATE_HZ = 22050
HOP = 220
FRAME_RATE_HZ = RATE_HZ / HOP
SHORT_WINDOW = 1024
LONG_WINDOW = 8192
MEL_BANDS = 40
# Edges in Hz of the four onset bands: kick, body and bass, snare and voice, hats.
BAND_EDGES_HZ = (0.0, 160.0, 700.0, 3500.0, 11025.0)
MAX_DURATION_S = 300.0
MAX_RHYTHM_S = 150.0
MAX_LONG_FRAMES = 400
SILENCE_DB = -60.0
TAIL_DB = -40.0


@dataclass(frozen=True)
class FrontEnd:
    """The values every analysis reads. Levels are relative, so the gain of the source does not matter.

    Attributes
    ----------
    y : mono samples at `RATE_HZ`, shape (n,), scaled so that the sounding part has an RMS of 0.1.
    gain : the factor of that scaling.
    duration_s : length of the part that was read, in seconds, exact to a sample of the source.
    start_s, end_s : where sound above -60 dB of the peak begins and ends, in seconds.
    tail_s : where sound above -40 dB of the peak ends, in seconds.
    mel : log-compressed mel spectrum, shape (40, frames), one frame every 220 samples.
    onset_strength : shape (5, frames): all bands together, then the four of `BAND_EDGES_HZ`.
    frame_descriptors : shape (4, frames), in the order of `frame_descriptors.DESCRIPTOR_NAMES`.
    long_spectra : magnitude spectra for pitch, shape (spectra, 4097), windows of 8192 samples.
    cancellation : what the mean of the channels loses.
    lead_s : silence that an MP3 encoder put in front, in seconds; 0 in other files.
    loop_s : length without what an MP3 encoder added, in seconds; `duration_s` in other files.
    """

    y: Floats
    gain: float
    duration_s: float
    start_s: float
    end_s: float
    tail_s: float
    mel: Floats
    onset_strength: Floats
    frame_descriptors: Floats
    long_spectra: Floats
    cancellation: Cancellation
    lead_s: float
    loop_s: float

    @property
    def is_silent(self) -> bool:
        """Return whether the sound is silent."""
        return self.end_s <= self.start_s


def compute_front_end(sound: SampleSource, rate: int, padding: EncoderPadding | None = None) -> FrontEnd:
    """Compute the front end of a sound.

    Parameters
    ----------
    sound : SampleSource
        Finite samples, shape (frames, channels), any gain.
    rate : int
        Sample rate in Hz.
    padding : EncoderPadding or None
        Silence that an MP3 encoder added, when the file does not say how much.

    Returns
    -------
    FrontEnd
        `mel`, `onset_strength` and `frame_descriptors` cover at most the first 150 s, `long_spectra` the
        first 300 s in at most 400 windows.

    Raises
    ------
    ValueError
        There are no samples, or the rate is below 1.
    """
    if not len(sound) or rate < 1:
        raise ValueError("there are no samples to analyse")
    frames = min(len(sound), round(MAX_DURATION_S * rate))
    mixed, lost = mix_to_mono(sound, frames, rate, RATE_HZ)
    y = _remove_offset(mixed)
    start, end, tail = _sounding_bounds(y)
    y, gain = _normalize_level(y, start, end)
    mel, descriptors = _short_spectra(y[: int(MAX_RHYTHM_S * RATE_HZ)])
    return FrontEnd(
        y=y,
        gain=gain,
        duration_s=frames / rate,
        start_s=start / RATE_HZ,
        end_s=end / RATE_HZ,
        tail_s=tail / RATE_HZ,
        mel=mel,
        onset_strength=_onset_strength(mel),
        frame_descriptors=descriptors,
        long_spectra=_long_spectra(y, start, end),
        cancellation=lost,
        lead_s=padding.lead / rate if padding else 0.0,
        loop_s=loop_length_s(y, RATE_HZ, frames / rate, rate, padding),
    )


def _remove_offset(y: Floats) -> Floats:
    """Remove what lies below about 10 Hz: subtracting the mean of a hit would offset its silence."""
    pole = np.float32(np.exp(-2 * np.pi * 10 / RATE_HZ))
    coefficients = np.array([1, -1], dtype=np.float32), np.array([1, -pole], dtype=np.float32)
    filtered, _ = scipy.signal.lfilter(*coefficients, y, zi=np.array([-y[0]], dtype=np.float32))
    return np.asarray(filtered, dtype=np.float32)


def _sounding_bounds(y: Floats) -> tuple[int, int, int]:
    """Return the first and last sample above the silence level, and the last above the tail level."""
    block = 64
    whole = y[: y.size - y.size % block].reshape(-1, block)
    rest = y[y.size - y.size % block :]
    level = np.maximum(whole.max(axis=1, initial=0), -whole.min(axis=1, initial=0))
    level = np.append(level, np.abs(rest).max(initial=0))
    peak = float(level.max())
    if peak < 1e-6:
        return 0, 0, 0
    audible = np.flatnonzero(level > peak * 10 ** (SILENCE_DB / 20))
    loud = np.flatnonzero(level > peak * 10 ** (TAIL_DB / 20))
    last = min((int(audible[-1]) + 1) * block, y.size)
    return int(audible[0]) * block, last, min((int(loud[-1]) + 1) * block, y.size)


def _normalize_level(y: Floats, start: int, end: int) -> tuple[Floats, float]:
    power = float(np.dot(y[start:end], y[start:end])) / (end - start) if end > start else 0.0
    gain = np.float32(0.1 / np.sqrt(power)) if power > 0 else np.float32(1)
    y *= gain
    return y, float(gain)


@lru_cache(maxsize=4)
def _hann_window(size: int) -> Floats:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


def magnitude_spectra(y: Floats, size: int, hop: int) -> Floats:
    """Return the magnitudes of Hann windows centred on multiples of `hop`, shape (frames, size // 2 + 1).

    Samples outside the sound count as zero.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
    size, hop : int
        Samples in a window, and between the centres of two.
    """
    out = np.empty((y.size // hop + 1, size // 2 + 1), dtype=np.float32)
    for first, block in spectrum_blocks(y, size, hop):
        out[first : first + len(block)] = block
    return out


def spectrum_blocks(y: Floats, size: int, hop: int) -> Iterator[tuple[int, Floats]]:
    """Yield blocks of magnitudes, each with the number of its first frame, to save memory on long files."""
    count, step = y.size // hop + 1, max(1, (1 << 19) // size)
    for first in range(0, count, step):
        last = min(first + step, count)
        piece = _padded_slice(y, first * hop - size // 2, (last - 1) * hop + size // 2)
        windows = np.lib.stride_tricks.sliding_window_view(piece, size)[::hop]
        yield first, _magnitudes(windows, size)


def _padded_slice(y: Floats, start: int, stop: int) -> Floats:
    """Return the samples of a span, zero outside the sound."""
    inside = y[max(start, 0) : min(stop, y.size)]
    return np.pad(inside, (max(-start, 0), stop - max(start, 0) - inside.size))


def _magnitudes(windows: Floats, size: int) -> Floats:
    return np.asarray(np.abs(scipy.fft.rfft(windows * _hann_window(size), axis=1)), dtype=np.float32)


@lru_cache(maxsize=1)
def _mel_bank() -> Floats:
    """Return triangles equally spaced in mel (Stevens, Volkmann and Newman 1937), shape (40, 513)."""
    mels = np.linspace(_hz_to_mel(30.0), _hz_to_mel(10800.0), MEL_BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    hz = np.arange(SHORT_WINDOW // 2 + 1) * RATE_HZ / SHORT_WINDOW
    rise = (hz[None] - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - hz[None]) / np.diff(edges)[1:, None]
    bank = np.maximum(0, np.minimum(rise, fall))
    for band in np.flatnonzero(bank.sum(axis=1) == 0):
        bank[band, np.argmin(np.abs(hz - edges[band + 1]))] = 1.0
    return np.asarray(bank / bank.sum(axis=1, keepdims=True), dtype=np.float32)


def _hz_to_mel(hz: float) -> float:
    return float(2595 * np.log10(1 + hz / 700))


def mel_centres_hz() -> npt.NDArray[np.float64]:
    """Return the centre of each mel band in Hz, shape (40,)."""
    mels = np.linspace(_hz_to_mel(30.0), _hz_to_mel(10800.0), MEL_BANDS + 2)[1:-1]
    return np.asarray(700 * (10 ** (mels / 2595) - 1))


def _short_spectra(y: Floats) -> tuple[Floats, Floats]:
    """Return log-compressed mel bands, shape (40, frames), and frame descriptors, shape (4, frames)."""
    mel, descriptors = [], []
    for _, block in spectrum_blocks(y, SHORT_WINDOW, HOP):
        mel.append(block @ _mel_bank().T)
        descriptors.append(frame_descriptors.spectrum_descriptors(block, RATE_HZ))
    return np.log1p(10 * np.concatenate(mel).T), np.concatenate(descriptors, axis=1)


def _onset_strength(mel: Floats) -> Floats:
    """Return the rise over 20 ms by band, half-wave rectified, less its local mean (after Dixon 2006)."""
    rise = np.maximum(mel - np.pad(mel, ((0, 0), (2, 0)))[:, :-2], 0)
    centres = mel_centres_hz()
    bands = [rise[(centres >= low) & (centres < high)].mean(axis=0) for low, high in pairwise(BAND_EDGES_HZ)]
    stacked = np.stack([np.mean(bands, axis=0), *bands])
    return np.maximum(stacked - _local_mean(stacked, int(FRAME_RATE_HZ * 0.6)), 0).astype(np.float32)


def _local_mean(rows: Floats, width: int) -> Floats:
    padded = np.pad(rows, ((0, 0), (width + 1, width)), mode="edge").astype(np.float64)
    total = np.cumsum(padded, axis=1)
    return ((total[:, 2 * width + 1 :] - total[:, : -2 * width - 1]) / (2 * width + 1)).astype(np.float32)


def _long_spectra(y: Floats, start: int, end: int) -> Floats:
    part = y[start:end] if end > start else y[:LONG_WINDOW]
    hop = max(LONG_WINDOW // 4, part.size // MAX_LONG_FRAMES)
    return magnitude_spectra(part, LONG_WINDOW, hop)
