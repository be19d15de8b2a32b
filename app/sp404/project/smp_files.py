"""Read and write SMP, the sound files inside a project of the SP-404MKII.

A header of 512 bytes and 16-bit big-endian PCM. Source of the layout: device-made files of firmware 5.0x.
"""

from __future__ import annotations

import hashlib
import struct
import wave
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.audio.unit_format import MAX_FRAMES, RATE_HZ
from app.sp404.errors import UnitFileError

HEADER_BYTES = 512
SAMPLE_BYTES = 2
MAX_SMP_BYTES = HEADER_BYTES + MAX_FRAMES * 2 * SAMPLE_BYTES
MAGIC = b"RFWV"
HEADER = struct.Struct(">4sIIII12s16s464s")
HASHED = slice(0x04, 0x14)
FILLER_BYTES = 464
COPY_FRAMES = 1 << 15


@dataclass(frozen=True)
class SmpHeader:
    """What the header of an SMP says.

    Attributes
    ----------
    size_bytes : int
        Of the whole file, as it is.
    channels : int
        1 or 2.
    faults : tuple of str
        Sentences about what the unit may refuse: a wrong checksum, a length other than the file's.
    """

    size_bytes: int
    channels: int
    faults: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """Return the number of whole frames of sound in the file."""
        return (self.size_bytes - HEADER_BYTES) // (SAMPLE_BYTES * self.channels)


def read_smp_header(head: bytes, size_bytes: int) -> SmpHeader:
    """Return what the header of an SMP says.

    Parameters
    ----------
    head : bytes
        The first 512 bytes of the file; more are ignored.
    size_bytes : int
        Size of the whole file.

    Raises
    ------
    UnitFileError
        The file is not an SMP, or of a format that the unit does not write.
    """
    if len(head) < HEADER_BYTES or size_bytes < HEADER_BYTES:
        raise UnitFileError("The sound is cut off inside its header.")
    magic, length, rate, channels, bits, _zeros, digest, _filler = HEADER.unpack(head[:HEADER_BYTES])
    if magic != MAGIC:
        raise UnitFileError("The sound does not begin like an SMP file of the SP-404MKII.")
    if (rate, bits) != (RATE_HZ, 16) or channels not in (1, 2):
        raise UnitFileError(
            f"The sound is said to have {rate:,} Hz, {bits} bits and {channels:,} channels; "
            "the unit uses 48,000 Hz, 16 bits and 1 or 2 channels."
        )
    if size_bytes > MAX_SMP_BYTES:
        raise UnitFileError("The sound is longer than the 16 minutes that a pad holds.")
    faults = []
    if length + 8 != size_bytes:
        faults.append(f"The header counts {length + 8:,} bytes, but the file has {size_bytes:,}.")
    if digest != hashlib.md5(head[HASHED], usedforsecurity=False).digest():
        faults.append("The checksum in the header is wrong; the unit may answer “Hash Check Error”.")
    return SmpHeader(size_bytes, channels, tuple(faults))


def make_smp_header(frames: int, channels: int) -> bytes:
    """Return the 512 bytes before the sound of an SMP.

    Parameters
    ----------
    frames : int
        Length of the sound at 48 kHz, at most 46,080,000.
    channels : int
        1 or 2.

    Returns
    -------
    bytes
        The same for the same arguments. The unit fills bytes 0x30 to 0x1FF with random values; here they
        are SHAKE-128 of the fields.

    Raises
    ------
    UnitFileError
        The sound is empty or too long, or has more than two channels.
    """
    if channels not in (1, 2):
        raise UnitFileError(f"A pad's sound has 1 or 2 channels, not {channels:,}.")
    if not 0 < frames <= MAX_FRAMES:
        raise UnitFileError(f"A pad's sound has 1 to {MAX_FRAMES:,} frames, not {frames:,}.")
    length = HEADER_BYTES + frames * channels * SAMPLE_BYTES - 8
    fields = struct.pack(">IIII", length, RATE_HZ, channels, 16)
    digest = hashlib.md5(fields, usedforsecurity=False).digest()
    filler = hashlib.shake_128(fields).digest(FILLER_BYTES)
    return MAGIC + fields + bytes(12) + digest + filler


def smp_to_wav(smp: BinaryIO, size_bytes: int, wav: BinaryIO) -> int:
    """Write the sound of an SMP as a WAV with a header of 44 bytes.

    Parameters
    ----------
    smp : binary file
        At its first byte.
    size_bytes : int
        Size of the SMP.
    wav : binary file
        Need not be seekable.

    Returns
    -------
    int
        The number of frames.

    Raises
    ------
    UnitFileError
        The file is not an SMP, or ends early.
    """
    header = read_smp_header(smp.read(HEADER_BYTES), size_bytes)
    with wave.open(wav, "wb") as writer:
        writer.setnchannels(header.channels)
        writer.setsampwidth(SAMPLE_BYTES)
        writer.setframerate(RATE_HZ)
        writer.setnframes(header.frames)
        frame_bytes = SAMPLE_BYTES * header.channels
        for pcm in smp_blocks(smp, header.frames * frame_bytes):
            writer.writeframesraw(swap_bytes(pcm))
    return header.frames


def smp_blocks(stream: BinaryIO, size_bytes: int) -> Iterator[bytes]:
    """Yield exactly so many bytes, a few at a time."""
    left = size_bytes
    while left:
        block = stream.read(min(left, COPY_FRAMES * SAMPLE_BYTES))
        if not block or len(block) % SAMPLE_BYTES:
            raise UnitFileError("The sound ends early.")
        left -= len(block)
        yield block


def swap_bytes(pcm: bytes) -> bytes:
    """Return 16-bit samples with their bytes exchanged."""
    samples = array("h", pcm)
    samples.byteswap()
    return samples.tobytes()
