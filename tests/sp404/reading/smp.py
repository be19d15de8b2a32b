"""SMP files, the samples of the SP-404MKII: a header of 512 bytes and big-endian 16-bit PCM."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import numpy.typing as npt

from tests.sp404.reading.checks import require

HEADER_BYTES = 512
RATE_HZ = 48_000
MOST_FRAMES = 46_080_000
TOO_SHORT_FRAMES = RATE_HZ // 10  # the unit wants samples longer than 100 ms

PCM = npt.NDArray[np.int16]


def read_smp_header(header: bytes, size_bytes: int, name: str) -> int:
    """Return the number of channels, after checking the first 512 bytes of a file of that size."""
    require(len(header) == HEADER_BYTES, f"{name} has {len(header)} bytes of header, not {HEADER_BYTES}.")
    magic, size, rate, channels, bits = struct.unpack_from(">4s4I", header)
    require(magic == b"RFWV", f"{name} starts with {magic!r}, not RFWV.")
    require(size == size_bytes - 8, f"{name} says {size} bytes follow its size, there are {size_bytes - 8}.")
    require(rate == RATE_HZ, f"{name} has {rate} Hz, not {RATE_HZ}.")
    require(channels in (1, 2), f"{name} has {channels} channels, not 1 or 2.")
    require(bits == 16, f"{name} has {bits} bits, not 16.")
    require(header[0x14:0x20] == bytes(12), f"{name}: bytes 0x14 to 0x1F are not zero.")
    checksum = hashlib.md5(header[0x04:0x14]).digest()
    require(header[0x20:0x30] == checksum, f"{name}: the MD5 at 0x20 is not that of bytes 0x04 to 0x13.")
    return int(channels)


def read_smp(data: bytes, name: str) -> PCM:
    """Return the samples as int16 of shape (frames, channels)."""
    channels = read_smp_header(data[:HEADER_BYTES], len(data), name)
    audio = data[HEADER_BYTES:]
    require(len(audio) % (2 * channels) == 0, f"{name} ends inside a frame.")
    frames = len(audio) // (2 * channels)
    require(frames > TOO_SHORT_FRAMES, f"{name} has {frames} frames, the unit wants over {TOO_SHORT_FRAMES}.")
    require(frames <= MOST_FRAMES, f"{name} has {frames} frames, the unit takes {MOST_FRAMES}.")
    return np.frombuffer(audio, ">i2").astype(np.int16).reshape(frames, channels)
