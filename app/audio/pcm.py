"""The scratch file of decoded samples: written block by block, read back as a memory map."""

from __future__ import annotations

import hashlib
import mmap
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

BLOCK_VALUES = 1 << 18
# 120 dB over full scale is no sound but a fault, and would overflow what is computed from it.
LOUDEST = 1e6


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
        finite = np.abs(block) < LOUDEST  # false for NaN as well
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

    def open_map(self) -> np.memmap[tuple[int, ...], np.dtype[np.float32]]:
        """Return the samples as a read-only map of shape (frames, channels)."""
        self._file.flush()
        return np.memmap(self.path, dtype=np.float32, mode="r", shape=(self.frames, self.channels))


def content_sha256(sample_rate: int, channels: int, samples_sha256: str) -> str:
    """Return one digest of a sound: rate, channels and the digest of its float32 samples."""
    return hashlib.sha256(f"{sample_rate}:{channels}:{samples_sha256}".encode()).hexdigest()


def blocks(samples: Samples, block_frames: int | None = None) -> Iterator[Samples]:
    """Yield consecutive blocks of `samples`, shape (frames, channels), in bounded memory.

    Pages of a read-only map are given back after every block; otherwise a long file would count
    with its whole size as memory in use.
    """
    size = block_frames or max(BLOCK_VALUES // samples.shape[1], 1)
    for start in range(0, len(samples), size):
        yield samples[start : start + size]
        _give_back(samples)


def _give_back(samples: Samples) -> None:
    pages = samples.base
    if isinstance(pages, mmap.mmap) and not samples.flags.writeable and sys.platform != "win32":
        pages.madvise(mmap.MADV_DONTNEED)
