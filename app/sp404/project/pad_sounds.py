"""The sound of a pad, wherever it lies: an SMP in a project or a WAV on disk."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from app.audio.unit_format import MAX_FRAMES
from app.sp404.errors import UnitFileError
from app.sp404.project.file_trees import read_errors_named
from app.sp404.project.smp_files import HEADER_BYTES, SAMPLE_BYTES, SmpHeader, smp_to_wav, wav_to_smp

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
    """

    path: Path
    header: SmpHeader

    def write_smp(self, smp: BinaryIO) -> None:
        """Write the sound as an SMP.

        Raises
        ------
        UnitFileError
            The file can no longer be read.
        """
        with read_errors_named("The sound can't be read."), self.path.open("rb") as file:
            wav_to_smp(file, smp)

    def write_wav(self, wav: BinaryIO) -> None:
        """Copy the WAV.

        Raises
        ------
        UnitFileError
            The file can no longer be read.
        """
        with read_errors_named("The sound can't be read."), self.path.open("rb") as file:
            shutil.copyfileobj(file, wav, COPY_BYTES)


def wav_sound(path: Path) -> WavSound:
    """Return the sound of a WAV on disk.

    Raises
    ------
    UnitFileError
        It is no WAV that the unit plays, or it is empty or too long.
    """
    try:
        with path.open("rb") as file, wave.open(file, "rb") as reader:
            frames, channels = reader.getnframes(), reader.getnchannels()
            plays = (reader.getframerate(), reader.getsampwidth()) == (48_000, SAMPLE_BYTES)
    except (OSError, wave.Error, EOFError) as error:
        raise UnitFileError(f"“{path.name}” can't be read as a WAV.") from error
    if not plays or channels not in (1, 2) or not 0 < frames <= MAX_FRAMES:
        raise UnitFileError(
            f"“{path.name}” is no 48 kHz, 16-bit WAV, mono or stereo, 1 to {MAX_FRAMES:,} frames long."
        )
    return WavSound(path, SmpHeader(HEADER_BYTES + frames * channels * SAMPLE_BYTES, channels))
