"""The scratch file of decoded samples: written block by block, read back block by block."""

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
# 120 dB over full scale is no sound but a fault, and would overflow what is computed from it.
MAX_MAGNITUDE = 1e6


class SampleSource(Protocol):
    """What can be cut into blocks: an array or a `Recording` of shape (frames, channels), float32."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, span: slice, /) -> Samples: ...


class Recording:
    """Samples on disk, shape (frames, channels), sliced like an array.

    Every slice is read when it is asked for. A memory map would be shorter, but each page it touches counts
    as memory of the process, and the kernel maps whole neighbourhoods of a page that was asked for.
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
    """Appends blocks of float32 samples to a raw file, cleans NaN and infinity, keeps a digest."""

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
        """Append `block`, shape (frames, channels)."""
        finite = np.abs(block) < MAX_MAGNITUDE  # false for NaN as well
        if not finite.all():
            self.bad_values += int(block.size - np.count_nonzero(finite))
            block = np.where(finite, block, np.float32(0))
        data = np.ascontiguousarray(block, dtype="<f4").tobytes()
        self._digest.update(data)
        self._file.write(data)
        self.frames += len(block)

    def sha256(self) -> str:
        """Return the digest of the samples written so far."""
        return self._digest.hexdigest()

    def recording(self) -> Recording:
        """Return the samples written so far, to be read."""
        self._file.flush()
        return Recording(self.path, self.frames, self.channels)


def content_sha256(sample_rate: int, channels: int, samples_sha256: str) -> str:
    """Return one digest of a sound: rate, channels and the digest of its float32 samples."""
    return hashlib.sha256(f"{sample_rate}:{channels}:{samples_sha256}".encode()).hexdigest()


def iter_blocks(sound: SampleSource, frames: int | None = None) -> Iterator[Samples]:
    """Yield consecutive blocks of the first `frames` (or all) of a sound, in bounded memory."""
    size, end = max(BLOCK_VALUES // sound.shape[1], 1), len(sound) if frames is None else frames
    for start in range(0, end, size):
        yield sound[start : min(start + size, end)]
