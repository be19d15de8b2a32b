"""PTN files as short texts: compressed, in Base64, for `kit.json` and for tables."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable

from app.sp404.errors import UnitFileError
from app.sp404.project.pattern_files import MAX_PATTERN_BYTES, Pattern, count_bars, read_pattern

MAX_PACKED_CHARACTERS = 400_000
"""Base64 of the longest pattern, even if compressing gains nothing."""
MAX_PATTERNS_BYTES = 4 << 20
"""Of all patterns of a kit together, as PTN files. 160 patterns of 3,000 notes each are just under it."""
LEVEL = 9


def pack_pattern(data: bytes) -> str:
    """Return a PTN file as a text.

    Parameters
    ----------
    data : bytes
        The whole file.
    """
    return base64.b64encode(zlib.compress(data, LEVEL)).decode("ascii")


def unpack_pattern(text: str) -> bytes:
    """Return the PTN file of a text that `pack_pattern` made.

    Raises
    ------
    UnitFileError
        It is no such text, or its file is longer than a pattern can be.
    """
    try:
        packed = base64.b64decode(text, validate=True)
        reader = zlib.decompressobj()
        data = reader.decompress(packed, MAX_PATTERN_BYTES + 1)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise UnitFileError("A pattern is a PTN file, compressed with zlib, in Base64.") from error
    if len(data) > MAX_PATTERN_BYTES or not reader.eof or reader.unused_data:
        raise UnitFileError("A pattern is cut off, or longer than the unit's patterns can be.")
    return data


def read_packed(text: str) -> Pattern:
    """Return the pattern of a text that `pack_pattern` made.

    Raises
    ------
    UnitFileError
        It is no such text, or no pattern.
    """
    return read_pattern(unpack_pattern(text))


def count_packed_bars(text: str) -> int:
    """Return the bars of a pattern, 1 to 64.

    Raises
    ------
    UnitFileError
        It is no such text, or no pattern.
    """
    return count_bars(unpack_pattern(text))


def check_room(texts: Iterable[str]) -> None:
    """Refuse more patterns than a kit can have.

    Parameters
    ----------
    texts : iterable of str
        All patterns of a kit, as `pack_pattern` made them.

    Raises
    ------
    UnitFileError
        Their files have more than `MAX_PATTERNS_BYTES` together.
    """
    if sum(len(unpack_pattern(text)) for text in texts) > MAX_PATTERNS_BYTES:
        raise UnitFileError(
            f"The patterns of a kit have at most {MAX_PATTERNS_BYTES >> 20} MB together. Delete some, or "
            "keep shorter ones."
        )
