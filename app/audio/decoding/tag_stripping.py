"""Skip the tags of compressed files by their declared length, before any parser sees them.

100,000 ID3 frames in 2 MB keep a tag parser busy for a minute, and we need nothing that is in a tag.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from app.audio.decoding.file_region import FileRegion
from app.audio.decoding.format_sniffer import id3v2_size
from app.audio.decoding.pcm_headers import EXPORT_AGAIN
from app.audio.errors import UnreadableAudio

_MAX_FLAC_BLOCKS = 1_000
_MAX_ID3_TAGS = 50


def end_of_id3v2(file: BinaryIO, size_bytes: int) -> int:
    """Return the offset in bytes at which the leading ID3v2 tags end, 0 when there is none.

    Parameters
    ----------
    file : BinaryIO
        The open file; its position is changed.
    size_bytes : int
        Its size.

    Raises
    ------
    UnreadableAudio
        The file has nothing behind its tags, or more tags than any program writes.
    """
    position = 0
    for _ in range(_MAX_ID3_TAGS):
        file.seek(position)
        size = id3v2_size(file.read(10))
        if not size:
            return position
        position += size
        if position >= size_bytes:
            break
    raise UnreadableAudio(f"This file holds only tags and no audio. {EXPORT_AGAIN}")


def strip_mp3_tags(file: BinaryIO, size_bytes: int) -> FileRegion:
    """Return the MPEG frames of an MP3: without leading ID3v2 and trailing ID3v1 and APEv2 tags.

    Parameters
    ----------
    file : BinaryIO
        The open file; its position is changed.
    size_bytes : int
        Its size.

    Raises
    ------
    UnreadableAudio
        The file holds only tags.
    """
    start = end_of_id3v2(file, size_bytes)
    end = _start_of_ape(file, start, _start_of_id3v1(file, start, size_bytes))
    return FileRegion(file, start, end - start)


def strip_flac_metadata(file: BinaryIO, size_bytes: int) -> tuple[FileRegion, bytes]:
    """Return a FLAC stream whose only metadata is STREAMINFO, and that STREAMINFO (34 bytes).

    Parameters
    ----------
    file : BinaryIO
        The open file; its position is changed.
    size_bytes : int
        Its size.

    Raises
    ------
    UnreadableAudio
        There is no FLAC header, or the file ends inside it.
    """
    start = end_of_id3v2(file, size_bytes)
    file.seek(start)
    if file.read(4) != b"fLaC":
        raise UnreadableAudio(f"This FLAC does not begin with a FLAC header. {EXPORT_AGAIN}")
    info, audio = _find_flac_audio(file, start + 4)
    head = b"fLaC" + struct.pack(">I", 0x8000_0000 | len(info)) + info
    return FileRegion(file, audio, size_bytes - audio, head), info


def _find_flac_audio(file: BinaryIO, position: int) -> tuple[bytes, int]:
    info = b""
    for _ in range(_MAX_FLAC_BLOCKS):
        file.seek(position)
        head = file.read(4)
        if len(head) < 4:
            break
        kind, size = head[0] & 0x7F, int.from_bytes(head[1:4], "big")
        if kind == 0 and not info:
            info = file.read(min(size, 34))
        position += 4 + size
        if head[0] & 0x80 and len(info) == 34:
            return info, position
    raise UnreadableAudio(f"This FLAC is cut short: it ends inside its header. {EXPORT_AGAIN}")


def _start_of_id3v1(file: BinaryIO, start: int, end: int) -> int:
    file.seek(max(end - 128, start))
    return end - 128 if end - 128 > start and file.read(3) == b"TAG" else end


def _start_of_ape(file: BinaryIO, start: int, end: int) -> int:
    if end - 32 <= start:
        return end
    file.seek(end - 32)
    footer = file.read(32)
    if footer[:8] != b"APETAGEX":
        return end
    size, flags = struct.unpack_from("<I4xI", footer, 12)
    first = end - size - (32 if flags & 0x8000_0000 else 0)
    return first if start < first < end else end
