"""PADCONF.BIN, the settings of a project: version 3 with name and chops, version 2 without."""

from __future__ import annotations

import struct
from typing import Any

from tests.sp404.reading.checks import BANKS, read_name, require, require_between
from tests.sp404.reading.pad_records import CHOP_BYTES, NAME_BYTES, RECORD_BYTES, read_chops, read_pad

PAD_LABELS = [f"{bank}{number}" for bank in BANKS for number in range(1, 17)]
SIZES = {3: 52_000, 2: 31_488}
RECORDS_AT = {3: 0xA0, 2: 0x80}
NAMES_AT = {3: 0x6C20, 2: 0x6C00}
CHOPS_AT = 0x7B20
HEADER_WORDS = (0, 0, 64, 64, 64, 0, 32, 32, 32, 32, 32)


def read_padconf(data: bytes) -> dict[str, Any]:
    """Return version, name, tempo, mode, banks and used pads.

    Positions of pads stay in bytes of their SMP here, because only the SMP says how many channels it has.
    """
    version = _read_version(data)
    (first, *others) = struct.unpack_from(">12I", data, 0x10)
    require(tuple(others) == HEADER_WORDS, "PADCONF.BIN: words 1 to 11 of the header are not the usual ones.")
    require(first >> 17 == 0, f"PADCONF.BIN: unknown bits beside the project tempo: {first:#x}.")
    tempo = (first & 0xFFFF) / 100
    require_between(tempo, 40, 200, "The project tempo")
    return {
        "version": version,
        "name": _read_project_name(data[0x80:0xA0]) if version == 3 else None,
        "tempo": tempo,
        "mode": "project" if first >> 16 else "bank",
        "banks": _read_banks(data),
        "pads": _read_pads(data, version),
    }


def _read_version(data: bytes) -> int:
    require(len(data) >= 16, f"PADCONF.BIN has {len(data)} bytes only.")
    magic, head, version, block = struct.unpack_from(">4sI4sI", data)
    require(magic == b"RFPD", f"PADCONF.BIN starts with {magic!r}, not RFPD.")
    known = version[1:] == bytes(3) and version[0] in SIZES
    require(known, f"PADCONF.BIN has version {version.hex(' ')}, not 2 or 3.")
    size = SIZES[version[0]]
    require(len(data) == size, f"PADCONF.BIN has {len(data)} bytes, version {version[0]} has {size}.")
    require(head == 0xA0, f"PADCONF.BIN: word 0x04 is {head:#x}, not 0xA0.")
    require(block == 0x7A80, f"PADCONF.BIN: word 0x0C is {block:#x}, not 0x7A80.")
    return int(version[0])


def _read_project_name(raw: bytes) -> str:
    name = raw.rstrip(b"\0 ")
    require(b"\0" not in name, "The project's name goes on after a NUL.")
    return read_name(name, "the project")


def _read_banks(data: bytes) -> dict[str, dict[str, Any]]:
    words = struct.unpack_from(">10I", data, 0x40)
    require(data[0x68:0x6C] == bytes(4), "PADCONF.BIN: word 0x68 is not 0.")
    halves = struct.unpack_from(">10H", data, 0x6C)  # B, A, D, C …: the even bank is the low half
    banks: dict[str, dict[str, Any]] = {}
    for index, (bank, word) in enumerate(zip(BANKS, words, strict=True)):
        tempo, volume = (word >> 1) / 100, 127 - halves[index ^ 1]
        require_between(tempo, 40, 200, f"The tempo of bank {bank}")
        require_between(volume, 0, 127, f"The volume of bank {bank}")
        banks[bank] = {"tempo": tempo, "volume": volume, "protect": bool(word & 1)}
    return banks


def _read_pads(data: bytes, version: int) -> dict[str, dict[str, Any]]:
    pads: dict[str, dict[str, Any]] = {}
    for index, label in enumerate(PAD_LABELS):
        record = _nth(data, RECORDS_AT[version], index, RECORD_BYTES)
        pad = read_pad(record, _nth(data, NAMES_AT[version], index, NAME_BYTES), label)
        chops = read_chops(_nth(data, CHOPS_AT, index, CHOP_BYTES), label) if version == 3 else []
        require(pad is not None or not chops, f"Pad {label} is empty, but has chops.")
        if pad is not None:
            pads[label] = pad | {"chops": chops}
    return pads


def _nth(data: bytes, start: int, index: int, size: int) -> bytes:
    return data[start + index * size : start + (index + 1) * size]
