"""What an SMP of the unit has beside its sound, so that a sound that did not change is the same SMP again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.audio.unit_format import MIN_FRAMES, RATE_HZ
from app.sp404.errors import UnitFileError
from app.sp404.project.file_trees import read_errors_named
from app.sp404.project.pad_sounds import PadSound, SmpSound, WavSound
from app.sp404.project.pcm_files import PcmShape, make_wav_header, pcm_blocks
from app.sp404.project.smp_files import HEADER_BYTES, SAMPLE_BYTES, SmpHeader, smp_blocks, swap_bytes


@dataclass(frozen=True)
class KeptSmp:
    """What an SMP has beside its sound.

    Attributes
    ----------
    header : bytes
        Its first 512 bytes.
    tail : bytes
        What follows its last whole frame; mostly nothing.
    pcm_sha256 : str
        Digest of the little-endian samples, as a WAV has them.
    frames, channels : int
        Of the sound.
    """

    header: bytes
    tail: bytes
    pcm_sha256: str
    frames: int
    channels: int

    def restore(self, sound: PadSound) -> PadSound:
        """Return a sound that is written as this SMP, if it is the same audio; else the sound itself."""
        shape = PcmShape(self.frames, self.channels)
        if isinstance(sound, WavSound) and plays_same(sound.path, _shape_of(sound), shape, self.pcm_sha256):
            return RestoredSmp(self, sound)
        return sound


@dataclass(frozen=True)
class RestoredSmp:
    """A WAV of a library that is written as the SMP that it came from."""

    kept: KeptSmp
    wav: WavSound

    @property
    def header(self) -> SmpHeader:
        """Return size and channels of the SMP."""
        pcm = self.kept.frames * self.kept.channels * SAMPLE_BYTES
        return SmpHeader(HEADER_BYTES + pcm + len(self.kept.tail), self.kept.channels)

    def write_smp(self, smp: BinaryIO) -> None:
        """Write the SMP as it was.

        Raises
        ------
        UnitFileError
            The WAV can no longer be read.
        """
        smp.write(self.kept.header)
        for block in pcm_blocks(self.wav.path, PcmShape(self.kept.frames, self.kept.channels)):
            smp.write(swap_bytes(block))
        smp.write(self.kept.tail)

    def write_wav(self, wav: BinaryIO) -> None:
        """Write the sound as a WAV of 48 kHz and 16 bits with a header of 44 bytes."""
        self.wav.write_wav(wav)


def take_sound(sound: SmpSound, target: Path) -> KeptSmp:
    """Write the sound of an SMP as a WAV, and return what the SMP has beside it.

    Parameters
    ----------
    sound : SmpSound
    target : Path
        Of the WAV, with a header of 44 bytes.

    Raises
    ------
    UnitFileError
        The SMP has no sound, ends early or can't be read.
    """
    frames, channels = sound.header.frames, sound.header.channels
    if not frames:
        raise UnitFileError("Its sound is empty.")
    digest = hashlib.sha256()
    with (
        read_errors_named("Its sound can't be read."),
        sound.open_file() as smp,
        target.open("wb") as wav,
    ):
        header = smp.read(HEADER_BYTES)
        wav.write(make_wav_header(frames, channels, RATE_HZ))
        for block in smp_blocks(smp, frames * channels * SAMPLE_BYTES):
            pcm = swap_bytes(block)
            digest.update(pcm)
            wav.write(pcm)
        return KeptSmp(header, smp.read(SAMPLE_BYTES * channels), digest.hexdigest(), frames, channels)


def plays_same(path: Path, shape: PcmShape, wanted: PcmShape, pcm_sha256: str) -> bool:
    """Return whether a WAV has these samples; one that was too short for a pad may have silence after them.

    Parameters
    ----------
    path : Path
        Of a 16-bit WAV.
    shape : PcmShape
        Of this WAV.
    wanted : PcmShape
        Of the samples.
    pcm_sha256 : str
        Digest of the samples.

    Raises
    ------
    UnitFileError
        The WAV can't be read.
    """
    longest = max(wanted.frames, MIN_FRAMES)
    if shape.channels != wanted.channels or not wanted.frames <= shape.frames <= longest:
        return False
    digest, left = hashlib.sha256(), wanted.frames * wanted.frame_bytes
    for block in pcm_blocks(path, shape):
        digest.update(block[:left])
        if any(block[left:]):
            return False
        left = max(left - len(block), 0)
    return digest.hexdigest() == pcm_sha256


def digest_wav(path: Path, shape: PcmShape) -> str:
    """Return the SHA-256 of the samples of a 16-bit WAV.

    Raises
    ------
    UnitFileError
        The WAV can't be read.
    """
    digest = hashlib.sha256()
    for block in pcm_blocks(path, shape):
        digest.update(block)
    return digest.hexdigest()


def _shape_of(sound: WavSound) -> PcmShape:
    """Return the shape of the WAV itself, without the silence that is written after it."""
    return PcmShape(sound.header.frames - sound.padding, sound.header.channels)
