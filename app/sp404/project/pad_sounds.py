"""The sound of a pad, wherever it lies: an SMP in a project or a WAV on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from app.audio.unit_format import MAX_FRAMES, RATE_HZ
from app.sp404.project.file_trees import read_errors_named
from app.sp404.project.pcm_files import PcmShape, make_wav_header, pcm_blocks, read_pcm_shape
from app.sp404.project.smp_files import HEADER_BYTES, SmpHeader, make_smp_header, smp_to_wav, swap_bytes

COPY_BYTES = 1 << 18


class PadSound(Protocol):
    """A sound that can be written as the unit's SMP or as a WAV, a block at a time."""

    @property
    def header(self) -> SmpHeader:
        """Return size and channels of the SMP."""

    def write_smp(self, smp: BinaryIO) -> None:
        """Write the sound as an SMP."""

    def write_wav(self, wav: BinaryIO) -> None:
        """Write the sound as a WAV of 48 kHz and 16 bits with a header of 44 bytes."""


@dataclass(frozen=True)
class SmpSound:
    """A sound that is an SMP already. It is copied byte by byte, with whatever the unit put in its header.

    Attributes
    ----------
    header : SmpHeader
        Of the file.
    open_file : callable
        Returns the file at its first byte; it is closed after each use.
    """

    header: SmpHeader
    open_file: Callable[[], BinaryIO] = field(compare=False)

    def write_smp(self, smp: BinaryIO) -> None:
        """Write the sound as an SMP.

        Raises
        ------
        UnitFileError
            The file can no longer be read.
        """
        with read_errors_named("The sound can't be read."), self.open_file() as file:
            shutil.copyfileobj(file, smp, COPY_BYTES)

    def write_wav(self, wav: BinaryIO) -> None:
        """Write the sound as a WAV of 48 kHz and 16 bits with a header of 44 bytes.

        Raises
        ------
        UnitFileError
            The file can no longer be read, or ends early.
        """
        with read_errors_named("The sound can't be read."), self.open_file() as file:
            smp_to_wav(file, self.header.size_bytes, wav)


@dataclass(frozen=True)
class WavSound:
    """A sound that is a WAV on disk, as the unit plays it.

    Attributes
    ----------
    path : Path
        48 kHz, 16-bit PCM, mono or stereo.
    header : SmpHeader
        Of the SMP that it becomes.
    padding : int
        Frames of silence that are written after it; the header counts them.
    """

    path: Path
    header: SmpHeader
    padding: int = 0

    def write_smp(self, smp: BinaryIO) -> None:
        """Write the sound as an SMP.

        Raises
        ------
        UnitFileError
            The file can no longer be read.
        """
        smp.write(make_smp_header(self.header.frames, self.header.channels))
        for block in self._blocks():
            smp.write(swap_bytes(block))

    def write_wav(self, wav: BinaryIO) -> None:
        """Write the sound as a WAV with a header of 44 bytes, whatever other chunks the file has.

        Raises
        ------
        UnitFileError
            The file can no longer be read.
        """
        wav.write(make_wav_header(self.header.frames, self.header.channels, RATE_HZ))
        for block in self._blocks():
            wav.write(block)

    def _blocks(self) -> Iterator[bytes]:
        shape = PcmShape(self.header.frames - self.padding, self.header.channels)
        return pcm_blocks(self.path, shape, self.padding)


def wav_sound(path: Path, min_frames: int = 0) -> WavSound:
    """Return the sound of a WAV on disk.

    Parameters
    ----------
    path : Path
    min_frames : int
        A shorter sound gets silence at its end.

    Raises
    ------
    UnitFileError
        It is no WAV that the unit plays, or it is empty or too long.
    """
    shape = read_pcm_shape(path, RATE_HZ, MAX_FRAMES)
    padding = max(min_frames - shape.frames, 0)
    size = HEADER_BYTES + (shape.frames + padding) * shape.frame_bytes
    return WavSound(path, SmpHeader(size, shape.channels), padding)
