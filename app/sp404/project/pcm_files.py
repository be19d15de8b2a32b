"""Read and write WAVs of 16-bit PCM a block at a time, without the numeric libraries of the engine."""

from __future__ import annotations

import struct
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from app.sp404.errors import UnitFileError
from app.sp404.project.file_trees import read_errors_named

SAMPLE_BYTES = 2
BLOCK_FRAMES = 1 << 15
WAV_HEADER_BYTES = 44
SILENCE = bytes(1 << 16)


class PcmShape(NamedTuple):
    """Length and channels of a WAV."""

    frames: int
    channels: int

    @property
    def frame_bytes(self) -> int:
        return SAMPLE_BYTES * self.channels


def read_pcm_shape(path: Path, rate_hz: int, max_frames: int) -> PcmShape:
    """Return length and channels of a WAV on disk.

    Parameters
    ----------
    path : Path
    rate_hz : int
        The rate that it must have.
    max_frames : int
        The longest that it may be.

    Raises
    ------
    UnitFileError
        It is no 16-bit WAV of this rate, mono or stereo, or it is empty or too long.
    """
    try:
        with path.open("rb") as file, wave.open(file, "rb") as reader:
            shape = PcmShape(reader.getnframes(), reader.getnchannels())
            fits = (reader.getframerate(), reader.getsampwidth()) == (rate_hz, SAMPLE_BYTES)
    except (OSError, wave.Error, EOFError) as error:
        raise UnitFileError(f"“{path.name}” can't be read as a WAV.") from error
    if not fits or shape.channels not in (1, 2) or not 0 < shape.frames <= max_frames:
        raise UnitFileError(
            f"“{path.name}” is no {rate_hz / 1000:g} kHz, 16-bit WAV, mono or stereo, "
            f"1 to {max_frames:,} frames long."
        )
    return shape


def pcm_blocks(path: Path, shape: PcmShape, padding: int = 0) -> Iterator[bytes]:
    """Yield the little-endian PCM of a WAV on disk, and silence after it.

    Parameters
    ----------
    path : Path
    shape : PcmShape
        Of the file without the silence.
    padding : int
        Frames of silence.

    Raises
    ------
    UnitFileError
        The file can no longer be read, or it is shorter than its shape.
    """
    left = shape.frames * shape.frame_bytes
    with (
        read_errors_named(f"“{path.name}” can't be read."),
        path.open("rb") as file,
        wave.open(file, "rb") as reader,
    ):
        while left and (block := reader.readframes(min(BLOCK_FRAMES, left // shape.frame_bytes))):
            left -= len(block)
            yield block
    if left:
        raise UnitFileError(f"“{path.name}” ends before the length that its header gives.")
    silent = padding * shape.frame_bytes
    while silent:
        block = SILENCE[: min(silent, len(SILENCE))]
        silent -= len(block)
        yield block


def make_wav_header(frames: int, channels: int, rate_hz: int) -> bytes:
    """Return the 44 bytes before the PCM of a 16-bit WAV without any other chunk."""
    size = frames * channels * SAMPLE_BYTES
    head = struct.pack("<4sI4s4sI", b"RIFF", WAV_HEADER_BYTES - 8 + size, b"WAVE", b"fmt ", 16)
    return head + make_wav_format(channels, rate_hz) + struct.pack("<4sI", b"data", size)


def make_wav_format(channels: int, rate_hz: int) -> bytes:
    """Return the 16 bytes that describe 16-bit PCM in a WAV."""
    frame_bytes = channels * SAMPLE_BYTES
    return struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * frame_bytes, frame_bytes, 16)
