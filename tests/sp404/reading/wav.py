"""WAV files: the canonical one with a header of 44 bytes, and that of an SP-404SX card with 512."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from tests.sp404.reading.checks import require
from tests.sp404.reading.smp import PCM

SX_RATE_HZ = 44_100
SX_AUDIO_AT = 512


def check_wav(path: Path, rate: int) -> dict[str, Any]:
    """Return channels, frames and pcm (int16 of shape (frames, channels)) of a canonical 16-bit WAV."""
    data, name = path.read_bytes(), path.name
    require(len(data) > 44, f"{name} has {len(data)} bytes, too few for a WAV with sound.")
    _check_riff(data, name)
    require(data[12:20] == b"fmt \x10\0\0\0", f"{name}: the first chunk is not a fmt of 16 bytes.")
    channels = _read_format(data[20:36], rate, name)
    pcm = _read_data(data, 44, channels, name)
    return {"channels": channels, "frames": len(pcm), "pcm": pcm}


def read_sx_wav(data: bytes, index: int, name: str) -> PCM:
    """Return the sound of a card's pad (its index counted from 0) as int16 of shape (frames, channels)."""
    require(len(data) > SX_AUDIO_AT, f"{name} has {len(data)} bytes, its sound starts at {SX_AUDIO_AT}.")
    _check_riff(data, name)
    require(data[12:20] == b"fmt \x12\0\0\0", f"{name}: the first chunk is not a fmt of 18 bytes.")
    channels = _read_format(data[20:36], SX_RATE_HZ, name)
    require(data[36:38] == bytes(2), f"{name}: the last two bytes of fmt are not 0.")
    require(data[38:46] == b"RLND\xca\x01\0\0", f"{name}: the second chunk is not a RLND of 458 bytes.")
    payload = b"roifspsx\x04\0\0\0" + bytes([index]) + bytes(445)
    require(data[46:504] == payload, f"{name}: the RLND chunk is not that of pad index {index}.")
    return _read_data(data, SX_AUDIO_AT, channels, name)


def _check_riff(data: bytes, name: str) -> None:
    magic, size, form = struct.unpack_from("<4sI4s", data)
    require((magic, form) == (b"RIFF", b"WAVE"), f"{name} is no WAV.")
    require(size == len(data) - 8, f"{name}: the RIFF chunk says {size} bytes, there are {len(data) - 8}.")


def _read_format(chunk: bytes, rate: int, name: str) -> int:
    code, channels, found_rate, byte_rate, block, bits = struct.unpack("<HHIIHH", chunk)
    require(code == 1, f"{name} has format {code}, not 1 for PCM.")
    require(channels in (1, 2), f"{name} has {channels} channels, not 1 or 2.")
    require(found_rate == rate, f"{name} has {found_rate} Hz, not {rate}.")
    require(bits == 16, f"{name} has {bits} bits, not 16.")
    require(block == 2 * channels, f"{name} says a frame has {block} bytes, not {2 * channels}.")
    require(byte_rate == rate * block, f"{name} says {byte_rate} bytes a second, not {rate * block}.")
    return int(channels)


def _read_data(data: bytes, start: int, channels: int, name: str) -> PCM:
    chunk, size = struct.unpack_from("<4sI", data, start - 8)
    require(chunk == b"data", f"{name} has {chunk!r} where the data chunk belongs.")
    held = len(data) - start
    require(size == held, f"{name}: the data chunk says {size} bytes, {held} are left in the file.")
    require(size % (2 * channels) == 0, f"{name} ends inside a frame.")
    return np.frombuffer(data, "<i2", offset=start).astype(np.int16).reshape(-1, channels)
