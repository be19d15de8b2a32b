"""One known sound, stored as the bytes of WAV and AIFF files."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.audio.signals import RATE_HZ


@dataclass(frozen=True)
class Coding:
    """How one sample is stored: its bits, and whether it is a float."""

    bits: int
    is_float: bool = False

    @property
    def width(self) -> int:
        """Return the bytes of one sample."""
        return (self.bits + 7) // 8

    @property
    def name(self) -> str:
        """Return a short name, such as "24" or "f32"."""
        return f"{'f' if self.is_float else ''}{self.bits}"


CODINGS = (Coding(8), Coding(16), Coding(24), Coding(32), Coding(32, is_float=True))
CHANNELS = (1, 2, 6)


def tone(channels: int, frames: int = 4_410) -> npt.NDArray[np.float64]:
    """Return a sound that differs in each channel and never repeats, shape (frames, channels)."""
    times = np.arange(frames)[:, None] / RATE_HZ
    hertz = 110 * (1 + np.arange(channels)) + 40 * times
    return np.asarray(0.6 * np.sin(2 * np.pi * hertz * times + 0.3) * np.exp(-3 * times))


def pack(sound: npt.NDArray[np.float64], coding: Coding, order: str = "<") -> bytes:
    """Return samples as bytes; 8 bits are unsigned in a WAV ("<") and signed in an AIFF (">")."""
    if coding.is_float:
        return bytes(sound.astype(f"{order}f4").tobytes())
    whole = np.rint(sound * (2 ** (coding.bits - 1) - 1)).astype(np.int64)
    if coding.bits == 8:
        return bytes((whole + 128 if order == "<" else whole).astype(np.uint8).tobytes())
    table = np.frombuffer(whole.astype(f"{order}i8").tobytes(), np.uint8).reshape(-1, 8)
    used = table[:, : coding.width] if order == "<" else table[:, 8 - coding.width :]
    return bytes(used.tobytes())


def chunk(name: bytes, body: bytes, *, size: int | None = None, order: str = "<", pad: bool = True) -> bytes:
    """Return a chunk, with a false size if one is given."""
    tail = b"\0" * (len(body) % 2) if pad else b""
    return name + struct.pack(f"{order}I", len(body) if size is None else size) + body + tail


def id3v2(body: bytes, version: int = 4, flags: int = 0) -> bytes:
    """Return an ID3v2 tag; flag 0x10 adds a footer."""
    head = b"ID3" + bytes([version, 0, flags]) + bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0))
    return head + body + (b"3DI" + head[3:] if flags & 0x10 else b"")


def apev2(size: int, *, has_header: bool = True) -> bytes:
    """Return an APEv2 tag with one item of a size."""
    item = struct.pack("<II", size, 0) + b"Title\0" + b"x" * size

    def end(flags: int) -> bytes:
        return b"APETAGEX" + struct.pack("<IIII", 2_000, len(item) + 32, 1, flags) + bytes(8)

    return end(0xA000_0000) + item + end(0x8000_0000) if has_header else item + end(0)
