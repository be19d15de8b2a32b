"""The pictures of a project: 1-bit BMP files, 128 pixels wide and 64 high."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from tests.sp404.reading.checks import require

WIDTH, HEIGHT = 128, 64
FILE_BYTES, HEADER_BYTES = 1086, 62


def read_picture(data: bytes, name: str) -> npt.NDArray[np.bool_]:
    """Return the lit pixels in an array of shape (64, 128), top row first."""
    require(len(data) == FILE_BYTES, f"{name} has {len(data)} bytes, not {FILE_BYTES}.")
    magic, size, reserved, offset = struct.unpack_from("<2sIII", data)
    require(magic == b"BM", f"{name} is no BMP.")
    require(size == FILE_BYTES, f"{name} says it has {size} bytes, not {FILE_BYTES}.")
    require(reserved == 0, f"{name}: the reserved bytes are not 0.")
    require(offset == HEADER_BYTES, f"{name}: its pixels start at {offset}, not {HEADER_BYTES}.")
    header, width, height, planes, bits, packing, pixels = struct.unpack_from("<IiiHHII", data, 14)
    require(header == 40, f"{name} has an information header of {header} bytes, not 40.")
    require((width, height) == (WIDTH, HEIGHT), f"{name} is {width} × {height}, not {WIDTH} × {HEIGHT}.")
    require((planes, bits, packing) == (1, 1, 0), f"{name} is not an unpacked picture of 1 bit.")
    require(pixels in (0, FILE_BYTES - HEADER_BYTES), f"{name} says it has {pixels} bytes of pixels.")
    rows = np.frombuffer(data, np.uint8, offset=HEADER_BYTES).reshape(HEIGHT, WIDTH // 8)
    return np.unpackbits(rows, axis=1)[::-1].astype(np.bool_)
