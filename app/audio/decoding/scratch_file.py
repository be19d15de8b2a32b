"""The scratch file of decoded samples, which is written and read block by block."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

BLOCK_VALUES = 1 << 18
# A value 120 dB over full scale is a fault, not sound, and would overflow later computations.
MAX_MAGNITUDE = 1e6


class SampleSource(Protocol):
    """Samples of shape (frames, channels), float32, in memory (an array) or on disk (a `Recording`)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (frames, channels)."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, span: slice, /) -> Samples: ...


class Recording:
    """Samples on disk, shape (frames, channels), which are sliced like an array.

    Each slice is read from disk when it is taken. A memory map would need less code, but each page it touches
    counts as memory of the process, and the kernel maps the pages around it as well.
    """

    def __init__(self, path: Path, frames: int, channels: int) -> None:
        self.path, self.shape = path, (frames, channels)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, span: slice) -> Samples:
        start, stop, _ = span.indices(len(self))
        count, channels = max(stop - start, 0), self.shape[1]
        read = np.fromfile(self.path, dtype="<f4", count=count * channels, offset=start * channels * 4)
        return read.reshape(-1, channels)


class ScratchWriter:
    """Append blocks of float32 samples to a raw file, replace invalid values by 0, and keep a digest.

    `bad_values` counts the replaced values: NaN, infinity and anything above `MAX_MAGNITUDE`.
    """

    def __init__(self, path: Path, channels: int) -> None:
        self.path, self.channels = path, channels
        self.frames = self.bad_values = 0
        self._file = path.open("wb")
        self._digest = hashlib.sha256()

    def __enter__(self) -> ScratchWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, block: Samples) -> None:
        """Append `block`, float32, shape (frames, channels)."""
        valid = np.abs(block) < MAX_MAGNITUDE  # false for NaN as well
        if not valid.all():
            self.bad_values += int(block.size - np.count_nonzero(valid))
            block = np.where(valid, block, np.float32(0))
        data = np.ascontiguousarray(block, dtype="<f4").tobytes()
        self._digest.update(data)
        self._file.write(data)
        self.frames += len(block)

    def sha256(self) -> str:
        """Return the SHA-256 of the samples written so far, in hexadecimal."""
        return self._digest.hexdigest()

    def recording(self) -> Recording:
        """Return the samples written so far for reading."""
        self._file.flush()
        return Recording(self.path, self.frames, self.channels)


def content_sha256(sample_rate: int, channels: int, samples_sha256: str) -> str:
    """Return the digest that identifies a sound whatever its container: of rate, channels and samples.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    channels : int
    samples_sha256 : str
        SHA-256 of the samples as little-endian float32, in hexadecimal.
    """
    return hashlib.sha256(f"{sample_rate}:{channels}:{samples_sha256}".encode()).hexdigest()


def iter_blocks(sound: SampleSource, frames: int | None = None) -> Iterator[Samples]:
    """Yield consecutive blocks of a sound, each of at most `BLOCK_VALUES` values.

    Parameters
    ----------
    sound : SampleSource
        Shape (any, channels).
    frames : int, optional
        How many frames from the start to read; all by default.

    Yields
    ------
    ndarray of float32, shape (n, channels)
    """
    size, end = max(BLOCK_VALUES // sound.shape[1], 1), len(sound) if frames is None else frames
    for start in range(0, end, size):
        yield sound[start : min(start + size, end)]
