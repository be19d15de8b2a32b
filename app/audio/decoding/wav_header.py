"""Find the audio of a WAV by its header, and resolve contradictions in it.

The rule: what sox and ffmpeg agree on is read, with a warning, and what they read differently is refused.
`python -m benchmarks.header_agreement` compares both with this module.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from app.audio.decoding.chunks import Chunk, find_trailing_chunks, iter_chunks, read_body
from app.audio.decoding.decode_limits import DecodeLimits
from app.audio.decoding.pcm_layout import PcmLayout
from app.audio.decoding.wav_format import WavFormat, parse_wav_format
from app.audio.errors import EXPORT_AGAIN, UnreadableAudio

# Writers that can't go back declare the largest possible length, some of them minus the bytes of the header.
_OPEN_SIZES = (0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_F000, 0xFFFF_FFFF)
_OPEN_SLACK_BYTES = 256
_MAX_CHUNKS_BEHIND = 100
# More than a tag or padding; less is not worth a warning.
_REST_MIN_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class WavChunks:
    """The chunks of a WAV that say where its audio is; `long_size` is the size in `ds64`."""

    format: WavFormat
    data: Chunk
    long_size: int | None


@dataclass(frozen=True, slots=True)
class _Length:
    """Where the audio ends, what length was declared (None when it is open), and a warning or nothing."""

    end: int
    declared: int | None
    warning: str = ""


def read_wav_chunks(file: BinaryIO, size_bytes: int, limits: DecodeLimits) -> WavChunks:
    """Find format and audio of a RIFF, RF64 or BW64 file.

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
        The header is cut short or holds no format.
    """
    fmt: bytes | None = None
    long_size: int | None = None
    for chunk in iter_chunks(file, size_bytes, "<", limits):
        if chunk.name == b"ds64":
            long_size = struct.unpack_from("<Q", read_body(file, chunk, 24).ljust(24, b"\0"), 8)[0]
        elif chunk.name == b"fmt ":
            fmt = read_body(file, chunk, 40)
        elif chunk.name == b"data":
            return WavChunks(parse_wav_format(fmt), chunk, long_size)
    raise UnreadableAudio(f"This WAV is cut short: it ends before its audio begins. {EXPORT_AGAIN}")


def read_wav_layout(file: BinaryIO, size_bytes: int, found: WavChunks, limits: DecodeLimits) -> PcmLayout:
    """Return where the audio of a WAV lies and how to read it.

    Parameters
    ----------
    file : BinaryIO
        The open file; its position is changed.
    size_bytes : int
        Its size.
    found : WavChunks
        From `read_wav_chunks`.
    limits : DecodeLimits
        Limits the number of chunks.

    Raises
    ------
    UnreadableAudio
        The header is impossible, names a compression we do not read, or contradicts itself so that programs
        read it differently.
    """
    data = found.data
    length = _find_length(file, size_bytes, data, found.long_size)
    if not data.size and length.end == data.start:
        data = _find_real_audio(file, size_bytes, data, limits)
        length = _find_length(file, size_bytes, data, found.long_size)
    _refuse_second_audio(file, size_bytes, data, limits)
    file.seek(data.start)
    subtype, width, warnings = found.format.choose_width(file.read(1 << 16))
    said = (*warnings, length.warning) if length.warning else warnings
    channels, rate = found.format.channels, found.format.sample_rate
    return PcmLayout(
        channels, rate, subtype, "LITTLE", width * channels, data.start, length.end, length.declared, said
    )


def _find_length(file: BinaryIO, size_bytes: int, data: Chunk, long_size: int | None) -> _Length:
    present, size = size_bytes - data.start, _settle_size(data.size, long_size, size_bytes - data.start)
    if 0 < size <= present:
        return _Length(data.start + size, size, _warn_of_rest(file, data.start + size, size_bytes))
    end = find_trailing_chunks(file, data.start, size_bytes, "<")
    is_open = size == 0 or _is_open(size)
    if end == size_bytes:
        return _Length(end, None if is_open else size)
    if is_open and size:
        return _Length(end, None)
    said = "that it has no audio" if size == 0 else "that its audio is longer than the file"
    return _Length(
        end, None, f"This WAV's header says {said}. We used everything up to the tags behind the audio."
    )


def _settle_size(size: int, long_size: int | None, present: int) -> int:
    """Return the declared length of the audio; an RF64 declares it twice, usually once as unknown."""
    if not long_size:
        return size
    if size in (0, 0xFFFF_FFFF):
        return long_size
    if min(size, present) != min(long_size, present):
        raise UnreadableAudio(
            f"This WAV's header gives two different lengths, and programs read different ones. {EXPORT_AGAIN}"
        )
    return size


def _is_open(size: int) -> bool:
    return any(0 <= limit - size <= _OPEN_SLACK_BYTES for limit in _OPEN_SIZES)


def _warn_of_rest(file: BinaryIO, end: int, size_bytes: int) -> str:
    """Return a warning when more than padding or a chunk follows the declared end of the audio."""
    if size_bytes - end < _REST_MIN_BYTES:
        return ""
    file.seek(end)
    rest = file.read(_REST_MIN_BYTES)
    # An odd length may or may not be followed by a padding byte.
    names = (rest[:4], rest[1:5])
    if any(name.isascii() and name.decode().isprintable() for name in names) or not rest.strip(b"\0"):
        return ""
    return (
        "This WAV's header says that the audio ends earlier than the file does. "
        "We used what it says, as other programs do; export it again if a part is missing."
    )


def _find_real_audio(file: BinaryIO, size_bytes: int, empty: Chunk, limits: DecodeLimits) -> Chunk:
    """Return the first audio chunk with content after an empty one, or the empty one if there is none."""
    behind = iter_chunks(file, size_bytes, "<", limits, position=empty.start)
    return next((chunk for chunk in behind if chunk.name == b"data" and chunk.size), empty)


def _refuse_second_audio(file: BinaryIO, size_bytes: int, data: Chunk, limits: DecodeLimits) -> None:
    """Refuse a WAV with two different audio chunks: sox plays the first and ffmpeg the last."""
    chunks = islice(
        iter_chunks(file, size_bytes, "<", limits, position=data.start - 8), 1, _MAX_CHUNKS_BEHIND
    )
    for chunk in chunks:
        if not chunk.name.isascii() or not chunk.name.decode().isprintable():
            return
        if chunk.name == b"data" and chunk.size and not _are_equal(file, data, chunk):
            raise UnreadableAudio(
                "This WAV holds two sounds, and different programs play different ones. "
                "Open it in the program that made it and export each sound on its own."
            )


def _are_equal(file: BinaryIO, one: Chunk, two: Chunk) -> bool:
    block = 1 << 20
    if one.size != two.size:
        return False
    for offset in range(0, one.size, block):
        size = min(block, one.size - offset)
        file.seek(one.start + offset)
        first = file.read(size)
        file.seek(two.start + offset)
        if file.read(size) != first:
            return False
    return True
