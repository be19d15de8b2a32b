"""Write the WAV that an SP-404MKII always loads: 48 kHz, 16-bit PCM, mono or stereo, a 44-byte header."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from app.audio.decoding.scratch_file import Samples, SampleSource
from app.audio.result import WrittenWav
from app.audio.unit_format import MIN_FRAMES, RATE_HZ

BLOCK_FRAMES = 1 << 16
FULL_SCALE = 32768.0
# One step below full scale leaves room for the dither, which is at most one step.
MAX_LEVEL = 32766.0 / FULL_SCALE
DITHER_SEED = 404

# ITU-R BS.775: centre and surrounds at -3 dB, no LFE. Keys are channel counts in WAVE order.
_HALF_POWER = 0.5**0.5
_DOWNMIX: dict[int, list[tuple[float, float]]] = {
    3: [(1, 0), (0, 1), (_HALF_POWER, _HALF_POWER)],
    4: [(1, 0), (0, 1), (_HALF_POWER, 0), (0, _HALF_POWER)],
    5: [(1, 0), (0, 1), (_HALF_POWER, _HALF_POWER), (_HALF_POWER, 0), (0, _HALF_POWER)],
    6: [(1, 0), (0, 1), (_HALF_POWER, _HALF_POWER), (0, 0), (_HALF_POWER, 0), (0, _HALF_POWER)],
    8: [
        (1, 0),
        (0, 1),
        (_HALF_POWER, _HALF_POWER),
        (0, 0),
        (_HALF_POWER, 0),
        (0, _HALF_POWER),
        (_HALF_POWER, 0),
        (0, _HALF_POWER),
    ],
}


def write_wav(
    samples: SampleSource,
    sample_rate: int,
    path: Path,
    min_frames: int = MIN_FRAMES,
    rate_hz: int = RATE_HZ,
) -> WrittenWav:
    """Write samples as the unit's WAV, in blocks.

    Parameters
    ----------
    samples : SampleSource, float32, shape (frames, channels)
        Full scale is ±1. A louder sound is turned down rather than clipped. More than two channels are mixed
        down to stereo as in ITU-R BS.775.
    sample_rate : int
        In Hz. soxr resamples other rates than that of the file at its very high quality.
    path : Path
        Where the file goes. An existing file is replaced.
    min_frames : int
        A shorter sound gets silence at its end.
    rate_hz : int
        Of the file. The SP-404MKII has 48 kHz, the SP-404SX 44.1.

    Returns
    -------
    WrittenWav

    Notes
    -----
    Triangular dither of ±1 step (Lipshitz, Wannamaker and Vanderkooy, 1992) is added before rounding. Its
    seed is fixed, so one file always gives the same bytes. A sound that has 16 bits and the rate of the file
    already is not changed.
    """
    played_rate = sample_rate * RATE_HZ / rate_hz
    frames = _frames_at_48k(len(samples), played_rate)
    peak, exact = _measure_peak(samples, played_rate)
    gain = min(1.0, MAX_LEVEL / peak) if peak > MAX_LEVEL and not exact else 1.0
    channels = min(samples.shape[1], 2)
    padding = max(min_frames - frames, 0)
    with path.open("wb") as file:
        file.write(_wav_header(frames + padding, channels, rate_hz))
        written = _write_blocks(file, samples, played_rate, gain, exact)
        file.write(bytes((frames - written + padding) * channels * 2))
    gain_db = float(20 * np.log10(gain))
    return WrittenWav(frames + padding, channels, gain_db, sample_rate != rate_hz, not exact, padding)


def _frames_at_48k(frames: int, sample_rate: float) -> int:
    return round(frames * RATE_HZ / sample_rate)


def _measure_peak(samples: SampleSource, sample_rate: float) -> tuple[float, bool]:
    """Return the peak after resampling, and whether every value is a 16-bit step already."""
    peak, exact = 0.0, sample_rate == RATE_HZ
    for block in resampled_blocks(samples, sample_rate):
        if not len(block):
            continue
        peak = max(peak, float(np.abs(block).max()))
        if exact:
            steps = block * FULL_SCALE
            exact = bool(np.all(steps == np.round(steps))) and float(steps.max()) <= FULL_SCALE - 1
            exact = exact and float(steps.min()) >= -FULL_SCALE
    return peak, exact


def _write_blocks(file: Any, samples: SampleSource, sample_rate: float, gain: float, exact: bool) -> int:
    random = np.random.default_rng(DITHER_SEED)
    frames = _frames_at_48k(len(samples), sample_rate)
    written = 0
    for block in resampled_blocks(samples, sample_rate):
        wanted = block[: frames - written] * (gain * FULL_SCALE)
        if not exact:
            wanted = wanted + random.random(wanted.shape) - random.random(wanted.shape)
        file.write(np.clip(np.rint(wanted), -32768, 32767).astype("<i2").tobytes())
        written += len(wanted)
    return written


def resampled_blocks(samples: SampleSource, sample_rate: float) -> Iterator[Samples]:
    """Yield the samples at 48 kHz block by block, mixed down to two channels, in bounded memory.

    Parameters
    ----------
    samples : SampleSource
        Shape (frames, channels).
    sample_rate : float
        In Hz. Another rate than the sound's own changes its pitch and speed.

    Yields
    ------
    ndarray of float32, shape (n, 1 or 2)
        About `frames * 48000 / sample_rate` frames in all; the last ones may be one too many or too few.
    """
    if sample_rate == RATE_HZ:
        yield from _downmixed_blocks(samples)
        return
    channels = min(samples.shape[1], 2)
    stream = soxr.ResampleStream(sample_rate, RATE_HZ, channels, dtype="float32", quality="VHQ")
    for block in _downmixed_blocks(samples):
        yield _as_columns(stream.resample_chunk(block), channels)
    rest = np.zeros((0, channels), dtype=np.float32)
    yield _as_columns(stream.resample_chunk(rest, last=True), channels)


def _downmixed_blocks(samples: SampleSource) -> Iterator[Samples]:
    for start in range(0, len(samples), BLOCK_FRAMES):
        yield downmix_to_stereo(np.asarray(samples[start : start + BLOCK_FRAMES], dtype=np.float32))


def downmix_to_stereo(block: Samples) -> Samples:
    """Return samples with more than two channels mixed down to two, as in ITU-R BS.775.

    Parameters
    ----------
    block : ndarray of float32, shape (n, channels)
    """
    fold = _downmix_matrix(block.shape[1])
    return block if fold is None else np.asarray(block @ fold, dtype=np.float32)


def _downmix_matrix(channels: int) -> Samples | None:
    """Return downmix weights, shape (channels, 2), None for mono and stereo.

    They are scaled so that neither side can exceed full scale.
    """
    if channels <= 2:
        return None
    surround = [(_HALF_POWER, _HALF_POWER)] * (channels - 2)
    weights = np.array(_DOWNMIX.get(channels, [(1, 0), (0, 1), *surround]), dtype=np.float32)
    return np.asarray(weights / weights.sum(axis=0), dtype=np.float32)


def _as_columns(block: Samples, channels: int) -> Samples:
    return block.reshape(-1, channels)


def _wav_header(frames: int, channels: int, rate_hz: int) -> bytes:
    size = frames * channels * 2
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        rate_hz,
        rate_hz * channels * 2,
        channels * 2,
        16,
        b"data",
        size,
    )
