"""Walk the chunks of a RIFF or IFF file, within limits on the chunks and bytes that are read."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.audio.decoding.decode_limits import DecodeLimits
from app.audio.errors import EXPORT_AGAIN, UnreadableAudio

_HEADER_BYTES = 8
# Names of chunks that programs write after the audio of a WAV or AIFF.
_TRAILING = re.compile(
    rb"LIST|id3 |ID3 |bext|cue |smpl|inst|acid|JUNK|junk|PAD |FLLR|iXML|_PMX|fact|PEAK|afsp|note|labl|ltxt"
    rb"|plst|DISP|strc|LGWV|minf|elm1|regn|umid|axml|chna|cart|ResU|SMED|levl|aXML|CDif|tlst|SNDM|fmt |data"
    rb"|wavl|APPL|MARK|COMT|COMM|SSND|INST|MIDI|AESD|NAME|AUTH|ANNO|FVER|CHAN|\(c\) |basc|trns|cate"
)
_TAIL_BYTES = 8 << 20
_MAX_STEPS = 2_000


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: its name, the offset of its body, and the declared size of its body in bytes."""

    name: bytes
    start: int
    size: int


def iter_chunks(
    file: BinaryIO, size_bytes: int, order: str, limits: DecodeLimits, position: int = 12
) -> Iterator[Chunk]:
    """Yield the chunks of a file from an offset on.

    Parameters
    ----------
    file : BinaryIO
        The open file; its position is changed.
    size_bytes : int
        Its size.
    order : str
        Byte order of the sizes, "<" for RIFF and ">" for IFF.
    limits : DecodeLimits
        Limits the number of chunks.
    position : int
        Offset of the first chunk; by default it follows the file's own header.

    Raises
    ------
    UnreadableAudio
        There are more chunks than any program writes.
    """
    for _ in range(limits.chunks_max):
        file.seek(position)
        head = file.read(_HEADER_BYTES)
        if len(head) < _HEADER_BYTES:
            return
        name, size = struct.unpack(f"{order}4sI", head)
        yield Chunk(name, position + _HEADER_BYTES, size)
        position += _HEADER_BYTES + size
        if position >= size_bytes:
            return
        # Chunks are padded to even lengths. Some writers forget; then the next name starts at the odd byte.
        position += size % 2 if not _has_chunk_name(file, position) or position % 2 == 0 else 0
    raise UnreadableAudio(f"This file has more than {limits.chunks_max} header chunks. {EXPORT_AGAIN}")


def read_body(file: BinaryIO, chunk: Chunk, max_bytes: int) -> bytes:
    """Return the first bytes of a chunk's body, at most `max_bytes`."""
    file.seek(chunk.start)
    return file.read(min(chunk.size, max_bytes))


def find_trailing_chunks(file: BinaryIO, start: int, size_bytes: int, order: str) -> int:
    """Return the offset of the first chunk after audio of unknown length, or the end of the file.

    Audio may contain a chunk's name by chance. So the sizes have to lead from chunk to chunk to the very end
    of the file. Only the last 8 MiB are searched.

    Parameters
    ----------
    file : BinaryIO
        The open file; its position is changed.
    start : int
        Offset of the audio in bytes.
    size_bytes : int
        Size of the file.
    order : str
        Byte order of the sizes, "<" for RIFF and ">" for IFF.
    """
    first = max(start, size_bytes - _TAIL_BYTES)
    file.seek(first)
    tail = file.read(size_bytes - first)
    steps = _MAX_STEPS
    for found in _TRAILING.finditer(tail):
        steps, leads_to_end = _follow_chunks(tail, found.start(), order, steps)
        if leads_to_end:
            return first + found.start()
        if steps <= 0:
            break
    return size_bytes


def _follow_chunks(tail: bytes, position: int, order: str, steps: int) -> tuple[int, bool]:
    """Return the steps left, and whether the chunks from a position on end exactly with `tail`."""
    while steps > 0:
        steps -= 1
        name = tail[position : position + 4]
        if len(tail) - position < _HEADER_BYTES or not _is_chunk_name(name):
            return steps, False
        size = struct.unpack_from(f"{order}I", tail, position + 4)[0]
        position += _HEADER_BYTES + size
        if position in (len(tail), len(tail) - size % 2):
            return steps, True
        position += size % 2
    return steps, False


def _has_chunk_name(file: BinaryIO, position: int) -> bool:
    file.seek(position)
    return _is_chunk_name(file.read(4))


def _is_chunk_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 for byte in name)
