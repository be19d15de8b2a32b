"""Read and write the pictures of a project: BMP files of 128 x 64 pixels, lit or dark.

One bit a pixel, 16 bytes a row, the bottom row first, a header of 62 bytes without a colour space; a set bit
is lit. Source: device-made files.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from app.sp404.errors import UnitFileError

WIDTH, HEIGHT = 128, 64
ROW_BYTES = WIDTH // 8
PIXEL_BYTES = ROW_BYTES * HEIGHT
HEADER = struct.Struct("<2sIHHIIiiHHIIiiII8s")
HEADER_BYTES = HEADER.size
PICTURE_BYTES = HEADER_BYTES + PIXEL_BYTES
BLACK_AND_WHITE = bytes([0, 0, 0, 0, 255, 255, 255, 0])
PICTURE_FILES = tuple(f"PICTURE/startup_{number}.bmp" for number in range(1, 3)) + tuple(
    f"PICTURE/screen_saver_{number}.bmp" for number in range(1, 17)
)
"""Paths inside a project. The unit itself writes two of the first kind and four of the second."""


@dataclass(frozen=True)
class UnitPicture:
    """A picture for the unit's screen.

    Attributes
    ----------
    rows : tuple of bytes
        64 rows from the top, 16 bytes each, the leftmost pixel in the highest bit; a set bit is lit.
    header : bytes
        The 62 bytes before the pixels, as they were in the file.
    """

    rows: tuple[bytes, ...]
    header: bytes

    def to_bytes(self) -> bytes:
        """Return the file, 1,086 bytes."""
        return self.header + b"".join(reversed(self.rows))

    def is_lit(self, row: int, column: int) -> bool:
        """Return whether a pixel is lit, counted from 0 at the top left."""
        return bool(self.rows[row][column // 8] & (0x80 >> column % 8))


def make_picture(pixels: list[list[bool]]) -> UnitPicture:
    """Return the picture of these pixels.

    Parameters
    ----------
    pixels : list of list of bool
        64 rows from the top of 128 pixels each, lit where True.

    Raises
    ------
    UnitFileError
        The picture has another size.
    """
    if len(pixels) != HEIGHT or any(len(row) != WIDTH for row in pixels):
        raise UnitFileError(f"A picture for the unit has {WIDTH} x {HEIGHT} pixels.")
    rows = tuple(int("".join("01"[lit] for lit in row), 2).to_bytes(ROW_BYTES, "big") for row in pixels)
    return UnitPicture(rows, _fresh_header())


def read_picture(data: bytes) -> UnitPicture:
    """Return the picture of a BMP file as the unit writes it.

    Raises
    ------
    UnitFileError
        It is no such file.
    """
    if len(data) != PICTURE_BYTES or data[:2] != b"BM":
        raise UnitFileError(
            f"A picture of the unit is a BMP file of {PICTURE_BYTES:,} bytes; this has {len(data):,}."
        )
    fields = HEADER.unpack(data[:HEADER_BYTES])
    offset, width, height, bits, compression = fields[4], fields[6], fields[7], fields[9], fields[10]
    if (offset, width, height, bits, compression) != (HEADER_BYTES, WIDTH, HEIGHT, 1, 0):
        raise UnitFileError(
            f"A picture of the unit has {WIDTH} x {HEIGHT} pixels of one bit; "
            f"this has {width:,} x {height:,} of {bits:,}."
        )
    pixels = data[HEADER_BYTES:]
    rows = [pixels[start : start + ROW_BYTES] for start in range(0, PIXEL_BYTES, ROW_BYTES)]
    return UnitPicture(tuple(reversed(rows)), data[:HEADER_BYTES])


def _fresh_header() -> bytes:
    return HEADER.pack(
        b"BM",
        PICTURE_BYTES,
        0,
        0,
        HEADER_BYTES,
        40,
        WIDTH,
        HEIGHT,
        1,
        1,
        0,
        PIXEL_BYTES,
        0,
        0,
        2,
        2,
        BLACK_AND_WHITE,
    )
