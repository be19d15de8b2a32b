"""AIFF files whose headers contradict themselves, all of one known sound."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.audio.decoding.pcm_packing import Coding, chunk, pack, tone
from tests.audio.signals import RATE_HZ

NAME = chunk(b"NAME", b"a name", order=">")


def form(*chunks: bytes, kind: bytes = b"AIFF", size: int | None = None) -> bytes:
    """Return a FORM file of chunks."""
    body = kind + b"".join(chunks)
    return b"FORM" + struct.pack(">I", len(body) if size is None else size) + body


def comm(channels: int, coding: Coding, frames: int, *, bits: int | None = None, kind: bytes = b"") -> bytes:
    """Return a COMM chunk; `kind` is the compression of an AIFC."""
    exponent = RATE_HZ.bit_length() - 1
    rate = struct.pack(">HQ", 16_383 + exponent, RATE_HZ << (63 - exponent))
    fields = struct.pack(">HIH", channels, frames, coding.bits if bits is None else bits)
    return chunk(b"COMM", fields + rate + kind, order=">")


def ssnd(data: bytes, *, offset: int = 0, block: int = 0, size: int | None = None) -> bytes:
    """Return an SSND chunk."""
    return chunk(b"SSND", struct.pack(">II", offset, block) + data, order=">", size=size)


FALSE_FRAMES = (0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF)  # whatever the sound


def aiff_family(channels: int, coding: Coding) -> Iterator[tuple[str, bytes]]:
    """Yield names and files, each of which contradicts itself in one way."""
    yield from _false_lengths(channels, coding)
    yield from _false_layouts(channels, coding)


def _false_lengths(channels: int, coding: Coding) -> Iterator[tuple[str, bytes]]:
    """Yield a healthy file, and those whose frames or sizes are not those of the sound."""
    sound = tone(channels)
    frames, data = len(sound), pack(sound, coding, ">")
    kind, extra = _kind_of(coding)
    good = comm(channels, coding, frames, kind=extra)
    yield "healthy", form(good, ssnd(data), kind=kind)
    for count in (*FALSE_FRAMES, frames // 2, frames - 1, frames + 1, 2 * frames, 4 * frames):
        false = comm(channels, coding, count, kind=extra)
        yield f"frames-{count}", form(false, ssnd(data), kind=kind)
        yield f"frames-{count}-name", form(false, ssnd(data), NAME, kind=kind)
        yield f"frames-{count}-ssnd-0", form(false, ssnd(data, size=0), kind=kind)
    near = len(data) // 2 + 8, len(data), len(data) + 16, 2 * len(data)
    for size in (0, 8, *near, 0x7FFF_FFFF, 0xFFFF_FFFF):
        yield f"ssnd-{size}", form(good, ssnd(data, size=size), kind=kind)
        yield f"ssnd-{size}-name", form(good, ssnd(data, size=size), NAME, kind=kind)
    for size in (0, 30, 10**6, 0xFFFF_FFFF):
        yield f"form-{size}", form(good, ssnd(data), kind=kind, size=size)


def _false_layouts(channels: int, coding: Coding) -> Iterator[tuple[str, bytes]]:
    """Yield files with other bits, offsets, chunks or kinds than the sound has."""
    sound = tone(channels)
    frames, data = len(sound), pack(sound, coding, ">")
    kind, extra = _kind_of(coding)
    good = comm(channels, coding, frames, kind=extra)
    for bits in (0, 1, 8, 12, 16, 20, 24, 32, 64):
        false = comm(channels, coding, frames, bits=bits, kind=extra)
        yield f"bits-{bits}", form(false, ssnd(data), kind=kind)
    for offset in (1, 64, 10**6, 0xFFFF_FFFF):
        yield f"offset-{offset}", form(good, ssnd(data, offset=offset), kind=kind)
    yield "offset-true", form(good, ssnd(bytes(64) + data, offset=64, block=512), kind=kind)
    yield "block-1", form(good, ssnd(data, block=1), kind=kind)
    yield "ssnd-first", form(ssnd(data), good, kind=kind)
    yield "two-ssnd", form(good, ssnd(data), ssnd(data), kind=kind)
    yield "aiff-says-aifc", form(good, ssnd(data), kind=b"AIFC")
    for name in (b"NONE", b"twos", b"sowt", bytes(4)):
        named = comm(channels, coding, frames, kind=name + b"\0\0")
        yield f"aifc-{name!r}", form(named, ssnd(data), kind=b"AIFC")


def _kind_of(coding: Coding) -> tuple[bytes, bytes]:
    """Return the form that holds a coding, and what its COMM chunk says of the compression."""
    return (b"AIFC", b"FL32\0\0") if coding.is_float else (b"AIFF", b"")
