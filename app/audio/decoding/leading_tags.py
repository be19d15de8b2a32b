"""Skip tags in front of a file's audio: ID3v2 and APEv2. Only the standard library, for the web process."""

from __future__ import annotations

import struct
from typing import BinaryIO

from app.audio.errors import EXPORT_AGAIN, UnreadableAudio

MAX_TAGS = 50
_ID3_HEADER_BYTES, _APE_HEADER_BYTES = 10, 32
_APE_IS_HEADER = 0x2000_0000


def leading_tag_size(head: bytes) -> int:
    """Return the length in bytes of the tag that `head` starts with, 0 when it starts with none.

    Parameters
    ----------
    head : bytes
        At least the first 32 bytes, or all of a shorter file.
    """
    return id3v2_size(head) or _ape_size(head)


def id3v2_size(head: bytes) -> int:
    """Return the length in bytes of the ID3v2 tag that `head` starts with, 0 when it starts with none.

    Header, footer and body are counted (ID3v2.4.0, section 3.1: sizes have 7 bits a byte).
    """
    if len(head) < _ID3_HEADER_BYTES or head[:3] != b"ID3" or max(head[6:10]) > 0x7F:
        return 0
    body = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    footer = _ID3_HEADER_BYTES if head[5] & 0x10 else 0
    return _ID3_HEADER_BYTES + body + footer


def skip_leading_tags(file: BinaryIO, size_bytes: int) -> int:
    """Return the offset in bytes at which the leading tags end, 0 when there is none.

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
    for _ in range(MAX_TAGS):
        file.seek(position)
        size = leading_tag_size(file.read(_APE_HEADER_BYTES))
        if not size:
            return position
        position += size
        if position >= size_bytes:
            break
    raise UnreadableAudio(f"This file holds only tags and no audio. {EXPORT_AGAIN}")


def _ape_size(head: bytes) -> int:
    if len(head) < _APE_HEADER_BYTES or head[:8] != b"APETAGEX":
        return 0
    size, flags = struct.unpack_from("<I4xI", head, 12)
    return _APE_HEADER_BYTES + size if flags & _APE_IS_HEADER else 0
