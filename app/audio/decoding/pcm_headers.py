"""Find the audio in a WAV or AIFF file by reading only as much of its header as that takes.

A declared length is never trusted beyond the bytes that are there, and the number of chunks is limited.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.audio.decoding.decode_limits import DecodeLimits
from app.audio.errors import UnreadableAudio

EXPORT_AGAIN = "Export it again and upload the new file."

_UNKNOWN_SIZES = (0, 0x7FFF_FFFF, 0x7FFF_FF00, 0xFFFF_FFFF, 0xFFFF_FF00)
_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


@dataclass(frozen=True, slots=True)
class PcmLayout:
    """Where uncompressed audio lies in a file and how to read it.

    Attributes
    ----------
    channels, sample_rate
        As declared, the rate in Hz; not checked yet.
    subtype, endian
        In the words of libsndfile, such as "PCM_24" and "LITTLE".
    frame_bytes
        Bytes of one sample of all channels.
    start
        Offset of the first frame in bytes.
    declared_bytes
        Length of the audio in bytes, None when the header leaves it open, as for a stream.
    """

    channels: int
    sample_rate: int
    subtype: str
    endian: str
    frame_bytes: int
    start: int
    declared_bytes: int | None


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk of a RIFF or IFF file: its name, the offset of its body, and the declared size in bytes."""

    name: bytes
    start: int
    size: int


def read_wav_header(file: BinaryIO, size_bytes: int, limits: DecodeLimits) -> PcmLayout:
    """Find the audio of a RIFF, RF64 or BW64 file.

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
    fmt: bytes | None = None
    long_size: int | None = None
    for chunk in _iter_chunks(file, size_bytes, "<", limits):
        if chunk.name == b"ds64":
            long_size = struct.unpack_from("<Q", _read_body(file, chunk, 24).ljust(24, b"\0"), 8)[0]
        elif chunk.name == b"fmt ":
            fmt = _read_body(file, chunk, 40)
        elif chunk.name == b"data":
            return _make_wav_layout(fmt, chunk, long_size)
    raise UnreadableAudio(f"This WAV is cut short: it ends before its audio begins. {EXPORT_AGAIN}")


def read_aiff_header(file: BinaryIO, size_bytes: int, limits: DecodeLimits) -> PcmLayout:
    """Find the audio of an AIFF or AIFC file.

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
    common: bytes | None = None
    sound: _Chunk | None = None
    for chunk in _iter_chunks(file, size_bytes, ">", limits):
        if chunk.name == b"COMM":
            common = _read_body(file, chunk, 22)
        elif chunk.name == b"SSND":
            sound = chunk
        if common is not None and sound is not None:
            return _make_aiff_layout(file, common, sound)
    raise UnreadableAudio(f"This AIFF is cut short: it ends before its audio begins. {EXPORT_AGAIN}")


def _iter_chunks(file: BinaryIO, size_bytes: int, order: str, limits: DecodeLimits) -> Iterator[_Chunk]:
    position = 12
    for _ in range(limits.chunks_max):
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack(f"{order}4sI", head)
        yield _Chunk(name, position + 8, size)
        position += 8 + size
        if position >= size_bytes:
            return
        # Chunks are padded to even lengths. Some writers forget; then the next name starts at the odd byte.
        position += size % 2 if not _has_chunk_name(file, position) or position % 2 == 0 else 0
    raise UnreadableAudio(f"This file has more than {limits.chunks_max} header chunks. {EXPORT_AGAIN}")


def _has_chunk_name(file: BinaryIO, position: int) -> bool:
    file.seek(position)
    name = file.read(4)
    return len(name) == 4 and all(32 <= byte < 127 for byte in name)


def _read_body(file: BinaryIO, chunk: _Chunk, max_bytes: int) -> bytes:
    file.seek(chunk.start)
    return file.read(min(chunk.size, max_bytes))


def _make_wav_layout(fmt: bytes | None, data: _Chunk, long_size: int | None) -> PcmLayout:
    if fmt is None or len(fmt) < 16:
        raise UnreadableAudio(f"This WAV's audio header is missing or incomplete (fmt chunk). {EXPORT_AGAIN}")
    tag, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == _EXTENSIBLE and len(fmt) >= 40 and fmt[26:40] == _GUID_TAIL:
        tag = struct.unpack_from("<H", fmt, 24)[0]
    subtype, width = _wav_subtype(tag, align // channels if channels else 0, bits)
    declared = long_size if data.size == 0xFFFF_FFFF and long_size else data.size
    open_ended = declared in _UNKNOWN_SIZES
    return PcmLayout(
        channels, rate, subtype, "LITTLE", width * channels, data.start, None if open_ended else declared
    )


def _wav_subtype(tag: int, container_bytes: int, bits: int) -> tuple[str, int]:
    # 12 bits may be stored in 16 and 24 in 32. The block align says in which, when it is plausible.
    width = max(container_bytes, (bits + 7) // 8)
    known = {
        _PCM: {1: "PCM_U8", 2: "PCM_16", 3: "PCM_24", 4: "PCM_32"},
        _FLOAT: {4: "FLOAT", 8: "DOUBLE"},
        _ALAW: {1: "ALAW"},
        _ULAW: {1: "ULAW"},
    }
    if tag not in known:
        raise UnreadableAudio(
            f"This WAV uses a compression we do not read (type {tag}). Export it as 16- or 24-bit PCM."
        )
    if width not in known[tag]:
        width = (bits + 7) // 8
    if width not in known[tag]:
        raise UnreadableAudio(
            f"This WAV's header says {bits}-bit audio, which does not exist. {EXPORT_AGAIN}"
        )
    return known[tag][width], width


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


def _make_aiff_layout(file: BinaryIO, common: bytes, sound: _Chunk) -> PcmLayout:
    if len(common) < 18:
        raise UnreadableAudio(f"This AIFF's audio header is incomplete. {EXPORT_AGAIN}")
    channels, frames, bits = struct.unpack_from(">HIH", common)
    subtype, endian = _aifc_type(common[18:22])
    subtype = subtype or {1: "PCM_S8", 2: "PCM_16", 3: "PCM_24", 4: "PCM_32"}.get((bits + 7) // 8, "")
    if not subtype:
        raise UnreadableAudio(
            f"This AIFF's header says {bits}-bit audio, which does not exist. {EXPORT_AGAIN}"
        )
    offset = struct.unpack(">I", _read_body(file, sound, 4).ljust(4, b"\0"))[0]
    frame_bytes = _WIDTHS[subtype] * channels
    declared = frames * frame_bytes or None
    return PcmLayout(
        channels,
        _parse_extended(common[8:18]),
        subtype,
        endian,
        frame_bytes,
        sound.start + 8 + offset,
        declared,
    )


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
