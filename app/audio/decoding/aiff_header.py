"""Find the audio of an AIFF or AIFC file, and resolve contradictions in its header.

sox, ffmpeg and libsndfile go by the size of the sound chunk (SSND) and not by the number of frames in COMM.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import BinaryIO

from app.audio.decoding.chunks import Chunk, find_trailing_chunks, iter_chunks, read_body
from app.audio.decoding.decode_limits import DecodeLimits
from app.audio.decoding.pcm_layout import PcmLayout
from app.audio.errors import EXPORT_AGAIN, UnreadableAudio

# An SSND chunk begins with an offset and a block size of four bytes each.
_SSND_HEADER_BYTES = 8
_MAX_FRAMES = 0x7FFF_FFFF
_AIFC_TYPES = {
    b"NONE": ("", "BIG"), b"twos": ("", "BIG"), b"sowt": ("", "LITTLE"), b"raw ": ("PCM_U8", "BIG"),
    b"in24": ("PCM_24", "BIG"), b"in32": ("PCM_32", "BIG"), b"fl32": ("FLOAT", "BIG"),
    b"FL32": ("FLOAT", "BIG"), b"fl64": ("DOUBLE", "BIG"), b"FL64": ("DOUBLE", "BIG"),
    b"alaw": ("ALAW", "BIG"), b"ALAW": ("ALAW", "BIG"), b"ulaw": ("ULAW", "BIG"), b"ULAW": ("ULAW", "BIG"),
}  # fmt: skip
_WIDTHS = {
    "PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4,
    "FLOAT": 4, "DOUBLE": 8, "ALAW": 1, "ULAW": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Common:
    """The fields of a COMM chunk, and how one sample is stored."""

    channels: int
    sample_rate: int
    frames: int
    bits: int
    subtype: str
    endian: str

    @property
    def frame_bytes(self) -> int:
        """Return the bytes of one sample of all channels."""
        return _WIDTHS[self.subtype] * self.channels

    @property
    def audio_bytes(self) -> int:
        """Return the bytes that the number of frames takes."""
        return self.frames * self.frame_bytes


def read_aiff_layout(file: BinaryIO, size_bytes: int, limits: DecodeLimits) -> PcmLayout:
    """Return where the audio of an AIFF or AIFC file lies and how to read it.

    Parameters
    ----------
    file : BinaryIO
        The open file; its position is changed.
    size_bytes : int
        Its size.
    limits : DecodeLimits
        Limits the number of chunks.

    Raises
    ------
    UnreadableAudio
        The header is cut short, impossible, or names a compression we do not read.
    """
    body: bytes | None = None
    sound: Chunk | None = None
    for chunk in iter_chunks(file, size_bytes, ">", limits):
        if chunk.name == b"COMM":
            body = read_body(file, chunk, 22)
        elif chunk.name == b"SSND":
            sound = chunk
        if body is not None and sound is not None:
            return _make_layout(file, size_bytes, _parse_common(body), sound)
    raise UnreadableAudio(f"This AIFF is cut short: it ends before its audio begins. {EXPORT_AGAIN}")


def _make_layout(file: BinaryIO, size_bytes: int, common: _Common, sound: Chunk) -> PcmLayout:
    offset = struct.unpack(">I", read_body(file, sound, 4).ljust(4, b"\0"))[0]
    start = sound.start + _SSND_HEADER_BYTES + offset
    size = sound.size - _SSND_HEADER_BYTES - offset
    is_odd = not common.bits and common.subtype == "PCM_S8"
    warnings = ("This AIFF's header says 0-bit audio. We read it as 8-bit, as other programs do.",) * is_odd
    if sound.size <= _SSND_HEADER_BYTES:
        end, declared = _find_end_without_size(file, size_bytes, start, common)
    elif size <= 0:
        end, declared = start, common.audio_bytes
    elif start + size <= size_bytes:
        end, declared = start + size, size
        warnings += _warn_of_frames(common, size)
    else:
        end = find_trailing_chunks(file, start, size_bytes, ">")
        declared = min(size, common.audio_bytes or size) if end == size_bytes else None
    return PcmLayout(
        common.channels, common.sample_rate, common.subtype, common.endian, common.frame_bytes,
        start, end, declared, warnings,
    )  # fmt: skip


def _find_end_without_size(
    file: BinaryIO, size_bytes: int, start: int, common: _Common
) -> tuple[int, int | None]:
    """Return the end of the audio and its declared bytes when the sound chunk's size was never filled in."""
    if common.audio_bytes:
        return min(start + common.audio_bytes, size_bytes), common.audio_bytes
    return find_trailing_chunks(file, start, size_bytes, ">"), None


def _warn_of_frames(common: _Common, size: int) -> tuple[str, ...]:
    # A stream declares zero frames; a padding byte may be counted.
    if not common.frames or abs(common.audio_bytes - size) < max(common.frame_bytes, 2):
        return ()
    return (
        "This AIFF's header gives two different lengths. "
        "We used all of the audio that is there, as other programs do.",
    )


def _parse_common(body: bytes) -> _Common:
    if len(body) < 18:
        raise UnreadableAudio(f"This AIFF's audio header is incomplete. {EXPORT_AGAIN}")
    channels, frames, bits = struct.unpack_from(">HIH", body)
    if frames > _MAX_FRAMES:
        raise UnreadableAudio(f"This AIFF's header gives an impossible length. {EXPORT_AGAIN}")
    subtype, endian = _aifc_type(body[18:22])
    # sox and ffmpeg read 0 bits as 8.
    width = max((bits + 7) // 8, 1)
    subtype = subtype or {1: "PCM_S8", 2: "PCM_16", 3: "PCM_24", 4: "PCM_32"}.get(width, "")
    if not subtype:
        raise UnreadableAudio(
            f"This AIFF's header says {bits}-bit audio, which does not exist. {EXPORT_AGAIN}"
        )
    return _Common(channels, _parse_extended(body[8:18]), frames, bits, subtype, endian)


def _aifc_type(compression: bytes) -> tuple[str, str]:
    if not compression:
        return "", "BIG"
    if compression not in _AIFC_TYPES:
        raise UnreadableAudio("This AIFC uses a compression we do not read. Export it as 16- or 24-bit PCM.")
    return _AIFC_TYPES[compression]


def _parse_extended(data: bytes) -> int:
    """Return a sample rate in Hz from an 80-bit IEEE 754 number; 0 for infinity, NaN and huge numbers."""
    exponent, mantissa = struct.unpack(">HQ", data)
    if exponent >= 0x7FFF or exponent > 16_383 + 63:
        return 0
    return round(math.ldexp(mantissa, exponent - 16_383 - 63))
