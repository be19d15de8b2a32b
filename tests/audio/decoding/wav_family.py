"""WAV files whose headers contradict themselves, all of one known sound.

`benchmarks/header_agreement.py` asks sox, ffmpeg and libsndfile what each file holds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.audio.decoding.pcm_packing import Coding, chunk, pack, tone
from tests.audio.signals import RATE_HZ

LIST = chunk(b"LIST", b"INFOISFT\x0e\0\0\0Some program\0\0")
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
AMBISONIC_TAIL = bytes.fromhex("00002107d3118644c8c1ca000000")
OPEN_SIZES = (
    0x7FFF_F000, 0x7FFF_FFDB, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FF00, 0xFFFF_FFDB, 0xFFFF_FFFE, 0xFFFF_FFFF,
)  # fmt: skip

_EXTENSIBLE_FIELDS: dict[str, dict[str, int]] = {
    "right": {}, "valid-0": {"valid": 0}, "mask-0": {"mask": 0}, "mask-1": {"mask": 1},
    "mask-many": {"mask": 0xFFFF}, "subtype-0": {"subtype": 0}, "subtype-1": {"subtype": 1},
    "subtype-3": {"subtype": 3}, "tag-1": {"tag": 1}, "bits-0": {"bits": 0}, "bits-32": {"bits": 32},
}  # fmt: skip


def fmt(channels: int, coding: Coding, **false: int) -> bytes:
    """Return the body of a format chunk; `false` overrides its fields."""
    frame = channels * coding.width
    right = {
        "tag": 3 if coding.is_float else 1, "channels": channels, "rate": RATE_HZ,
        "byte_rate": RATE_HZ * frame, "align": frame, "bits": coding.bits,
    }  # fmt: skip
    return struct.pack("<HHIIHH", *(right | false).values())


def extensible(channels: int, coding: Coding, guid_tail: bytes = GUID_TAIL, /, **false: int) -> bytes:
    """Return the body of an extensible format chunk; `valid`, `mask`, `subtype` and others may be false."""
    plain = {name: false[name] for name in false if name not in ("valid", "mask", "subtype")}
    valid, mask = false.get("valid", coding.bits), false.get("mask", {1: 4, 2: 3, 6: 0x3F}[channels])
    subtype = false.get("subtype", 3 if coding.is_float else 1)
    head = fmt(channels, coding, **({"tag": 0xFFFE} | plain))
    return head + struct.pack("<HHIH", 22, valid, mask, subtype) + guid_tail


def riff(*chunks: bytes, size: int | None = None) -> bytes:
    """Return a RIFF file of chunks."""
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def rf64(*chunks: bytes, data_bytes: int, frames: int = 0) -> bytes:
    """Return an RF64 file of chunks whose ds64 declares a length."""
    ds64 = chunk(b"ds64", struct.pack("<QQQI", data_bytes + 100, data_bytes, frames, 0))
    return b"RF64\xff\xff\xff\xffWAVE" + ds64 + b"".join(chunks)


def wav_family(channels: int, coding: Coding) -> Iterator[tuple[str, bytes]]:
    """Yield names and files, each of which contradicts itself in one way."""
    data = pack(tone(channels), coding)
    body = chunk(b"data", data)
    yield "healthy", riff(chunk(b"fmt ", fmt(channels, coding)), body)
    for name, head in (*_false_formats(channels, coding), *_false_extensible(channels, coding)):
        yield name, riff(chunk(b"fmt ", head), body)
    for name, size in _false_lengths(data, channels * coding.width).items():
        good, false = chunk(b"fmt ", fmt(channels, coding)), chunk(b"data", data, size=size)
        yield f"data-{name}", riff(good, false)
        yield f"data-{name}-list", riff(good, false, LIST)
    yield from _false_orders(data, chunk(b"fmt ", fmt(channels, coding)), channels * coding.width)


def _false_formats(channels: int, coding: Coding) -> Iterator[tuple[str, bytes]]:
    frame = channels * coding.width
    for align in sorted({0, 1, 3, frame // 2, frame + 1, 2 * frame, 4 * frame, 4 * channels, 0xFFFF}):
        yield f"align-{align}", fmt(channels, coding, align=align)
    for rate in (0, RATE_HZ, RATE_HZ * frame // 2, RATE_HZ * frame * 2, 0xFFFF_FFFF):
        yield f"byterate-{rate}", fmt(channels, coding, byte_rate=rate)
        yield f"byterate-{rate}-align-twice", fmt(channels, coding, byte_rate=rate, align=2 * frame)
    for bits in (0, 1, 4, 8, 12, 16, 20, 24, 32, 40, 64, 255):
        yield f"bits-{bits}", fmt(channels, coding, bits=bits)
        yield f"bits-{bits}-align-0", fmt(channels, coding, bits=bits, align=0)
    for tag in (0, 1, 3, 0x55, 0xFFFE):
        yield f"tag-{tag}", fmt(channels, coding, tag=tag)
    for size in (14, 15, 17, 18, 20, 28, 40, 50):
        yield f"fmt-size-{size}", fmt(channels, coding).ljust(size, b"\0")[:size]


def _false_extensible(channels: int, coding: Coding) -> Iterator[tuple[str, bytes]]:
    for name, false in _EXTENSIBLE_FIELDS.items():
        yield f"ext-{name}", extensible(channels, coding, **false)
    yield "ext-valid-less", extensible(channels, coding, valid=coding.bits - 4)
    yield "ext-valid-more", extensible(channels, coding, valid=coding.bits + 8)
    yield "ext-align-twice", extensible(channels, coding, align=2 * channels * coding.width)
    yield "ext-guid-zeros", extensible(channels, coding, bytes(14))
    yield "ext-ambisonic", extensible(channels, coding, AMBISONIC_TAIL)
    yield "ext-cut-26", extensible(channels, coding)[:26]


def _false_lengths(data: bytes, frame: int) -> dict[str, int]:
    size = len(data)
    around = {"half": size // 2 // frame * frame, "minus1": size - 1, "plus1": size + 1, "plus8": size + 8}
    small = {str(number): number for number in (0, 1, 2, 10, 100)}
    return small | around | {"x4": 4 * size} | {f"{number:x}": number for number in OPEN_SIZES}


def _false_orders(data: bytes, good: bytes, frame: int) -> Iterator[tuple[str, bytes]]:
    body, odd = chunk(b"data", data), data[:-1] if len(data) % 2 == 0 else data
    yield "odd-padded", riff(good, chunk(b"data", odd), LIST)
    yield "odd-unpadded", riff(good, chunk(b"data", odd, pad=False), LIST)
    yield "two-data", riff(good, body, chunk(b"data", data[: len(data) // 2 // frame * frame]))
    yield "two-data-same", riff(good, body, body)
    yield "two-data-list-between", riff(good, body, LIST, body)
    yield "empty-data-first", riff(good, chunk(b"data", b""), body)
    yield "empty-data-first-list", riff(good, chunk(b"data", b""), LIST, body)
    yield "fmt-after", riff(body, good)
    yield "two-fmt", riff(good, good, body)
    yield "fact-false", riff(good, chunk(b"fact", struct.pack("<I", 7)), body)
    for name, behind in (("junk", b"\x17junk" * 11), ("zeros", bytes(512)), ("id3v1", b"TAG" + bytes(125))):
        yield f"{name}-behind", riff(good, body) + behind
    for size in (0, 36, 4_097, 10**6, 0xFFFF_FFFF):
        yield f"riff-{size}", riff(good, body, LIST, size=size)
    for name, declared in (("right", len(data)), ("half", len(data) // 2), ("twice", 2 * len(data))):
        for size in (0, len(data), 0xFFFF_FFFF):
            yield f"rf64-{name}-{size:x}", rf64(good, chunk(b"data", data, size=size), data_bytes=declared)
