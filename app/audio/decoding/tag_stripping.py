"""Leave out the tags of compressed files by their declared length, before any parser sees them.

100,000 ID3 frames in 2 MB keep a tag parser busy for a minute, and we need nothing that is in a tag.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from app.audio.decoding.file_region import FileRegion

_MAX_TRAILING_TAGS = 10
_ID3V1_BYTES, _ID3V1_LONG_BYTES, _APE_BYTES, _LYRICS_END_BYTES = 128, 227, 32, 15
_APE_HAS_HEADER = 0x8000_0000


def strip_trailing_tags(file: BinaryIO, size_bytes: int) -> FileRegion:
    """Return a file without the tags at its end: ID3v1, Lyrics3 and APEv2, in any order.

    Parameters
    ----------
    file : BinaryIO
        The open file, which starts with its audio; its position is changed.
    size_bytes : int
        Its size.
    """
    end = size_bytes
    for _ in range(_MAX_TRAILING_TAGS):
        size = _trailing_tag_size(file, end)
        if not 0 < size < end:
            break
        end -= size
    return FileRegion(file, 0, end)


def _trailing_tag_size(file: BinaryIO, end: int) -> int:
    """Return the length in bytes of the tag that ends at an offset, 0 when none does."""
    first = max(end - _ID3V1_LONG_BYTES - _ID3V1_BYTES, 0)
    file.seek(first)
    tail = file.read(end - first)
    if tail[-_ID3V1_BYTES:][:3] == b"TAG":
        is_long = tail[:-_ID3V1_BYTES][-_ID3V1_LONG_BYTES:][:4] == b"TAG+"
        return _ID3V1_BYTES + (_ID3V1_LONG_BYTES if is_long else 0)
    if tail[-9:] == b"LYRICS200" and tail[-_LYRICS_END_BYTES:-9].isdigit():
        return int(tail[-_LYRICS_END_BYTES:-9]) + _LYRICS_END_BYTES
    footer = tail[-_APE_BYTES:]
    if footer[:8] != b"APETAGEX" or len(footer) < _APE_BYTES:
        return 0
    size, flags = struct.unpack_from("<I4xI", footer, 12)
    return int(size + (_APE_BYTES if flags & _APE_HAS_HEADER else 0))
