"""Make damaged projects, ZIPs, patterns and MIDI files of the unit; a number always gives the same one."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from tests.sp404.project.made_files import ONE_HIT, block, padconf, padconf_2, small_project, smp

EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x200, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
HOSTILE_PATHS = (
    "../../escaped",
    "/tmp/escaped",
    "..\\..\\escaped",
    "C:\\escaped",
    "SMPL/../../../escaped",
    "a\0b",
    "x" * 300,
    "d/" * 40 + "x",
    "PADCONF.BIN/x",
    "smpl/bank1-01.smp",
    "SMPL",
    "SMPL/BANK1-01.SMP/x",
    "PTN/PTN00001.BIN/x",
    "\u202eNIB.FNOCDAP",
    "",
    ".",
    "CON",
)
LONG_SHARE = 0.03
"""Of patterns and MIDI tracks that are as long as any that are read."""
LINK, PIPE = 0o120777, 0o010644


@dataclass(frozen=True)
class UnitMutant:
    """A damaged input: what it is, what was done to it, and either files of a folder or one file.

    Attributes
    ----------
    kind : str
        ``folder``, ``zip``, ``padconf``, ``pattern``, ``midi`` or ``picture``.
    files : dict of str to bytes
        Of a folder, by their paths; empty for the other kinds.
    data : bytes
        Of one file; empty for a folder.
    """

    kind: str
    files: dict[str, bytes]
    data: bytes = b""


def make_mutant(number: int) -> UnitMutant:
    """Return the damaged input of a number."""
    rng = random.Random(number)
    return KINDS[number % len(KINDS)](rng)


def _full_project(rng: random.Random) -> dict[str, bytes]:
    """Return a good project with a few pads and patterns more than the small one, of either version."""
    files, pads = small_project(), {}
    for place in rng.sample(range(2, 160), rng.randrange(6)):
        sound = smp(rng.randbytes(4 * rng.randrange(1, 300)), rng.choice([1, 2]))
        pads[place] = block(len(sound), f"Pad {place}", (0, *range(5, 5 + rng.randrange(15))))
        files[f"SMPL/BANK{place // 16 + 1}-{place % 16 + 1:02d}.SMP"] = sound
        files[f"PTN/PTN{place + 1:05d}.BIN"] = ONE_HIT[:8] * rng.randrange(200) + ONE_HIT
    pads[0] = block(len(files["SMPL/BANK1-01.SMP"]), "Dusty break 92", (0, 50, 120))
    files["PADCONF.BIN"] = padconf(pads) if rng.random() < 0.8 else padconf_2(pads)
    return files


def _damage(data: bytes, rng: random.Random) -> bytes:
    """Return a file with one to four faults: bits, numbers, parts lost, repeated, moved or filled."""
    made = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        start, length = rng.randrange(len(made) + 1), rng.choice([1, 2, 4, 8, 100, 5000])
        match rng.randrange(7):
            case 0 if made:
                made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
            case 1 if len(made) >= 4:
                order = rng.choice("<>")
                struct.pack_into(f"{order}I", made, 4 * rng.randrange(len(made) // 4), rng.choice(EXTREMES))
            case 2:
                del made[start : start + length]
            case 3:
                made[start:start] = made[start : start + length]
            case 4:
                made[start : start + length] = rng.randbytes(len(made[start : start + length]))
            case 5 if rng.random() < 0.5:
                del made[start:]
            case 6:
                made[start:start] = rng.randbytes(length)
    return bytes(made)


def _damage_words(data: bytes, rng: random.Random) -> bytes:
    """Return a PADCONF.BIN of the same length with wrong numbers in its head, pads, names and chops."""
    made = bytearray(data)
    regions = [
        (0x10, 0x80),
        (0xA0, 0xA0 + 172),
        (0x6C20, 0x6C20 + 48),
        (0x7B20, 0x7B20 + 128),
        (0, len(made) - 4),
    ]
    for _ in range(rng.randint(1, 12)):
        low, high = rng.choice(regions)
        place = min(rng.randrange(low, high), len(made) - 4)
        place -= place % 4 if rng.random() < 0.8 else 0
        value = rng.choice([*EXTREMES, rng.randrange(1 << 32), rng.randrange(300)])
        struct.pack_into(">I", made, place, value)
    return bytes(made)


def _folder(rng: random.Random) -> UnitMutant:
    files = _full_project(rng)
    for path in rng.sample(sorted(files), min(len(files), rng.randint(1, 4))):
        if path == "PADCONF.BIN" and rng.random() < 0.8:
            files[path] = _damage_words(files[path], rng)
        elif rng.random() < 0.2 and path != "PADCONF.BIN":
            del files[path]
        else:
            files[path] = _damage(files[path], rng)
    for _ in range(rng.randrange(3)):
        path = rng.choice(
            ["padconf.bin", "SMPL/BANK9-09.SMP", "PTN/PTN00001.bin", "inner/PADCONF.BIN", "._x", "é"]
        )
        files[path] = rng.choice(sorted(files.values()))
    return UnitMutant("folder", files)


def _zip(rng: random.Random) -> UnitMutant:
    """Return a ZIP with hostile entries, or one that is damaged as a whole."""
    files = _full_project(rng)
    prefix = rng.choice(["", "PROJECT_01/", "EXPORT/PROJECT/P16_X/"])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for path, data in files.items():
            archive.writestr(prefix + path, _damage(data, rng) if rng.random() < 0.1 else data)
        if rng.random() < 0.4:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                archive.writestr(_hostile_entry(rng, prefix), bytes(rng.choice([0, 10, 100, 200_000])))
    data = made.getvalue()
    return UnitMutant("zip", {}, data if rng.random() < 0.6 else _damage_zip(data, rng))


def _hostile_entry(rng: random.Random, prefix: str) -> zipfile.ZipInfo:
    path = rng.choice(HOSTILE_PATHS)
    entry = zipfile.ZipInfo("x")
    entry.filename = path if rng.random() < 0.7 else prefix + path
    entry.create_system, entry.external_attr = 3, rng.choice([0, LINK, PIPE, 0o100644]) << 16
    return entry


def _damage_zip(data: bytes, rng: random.Random) -> bytes:
    """Return a ZIP that is damaged anywhere, or only in its list of files and its end."""
    listed = data.find(b"PK\1\2")
    if rng.random() < 0.4 or listed < 0:
        return _damage(data, rng)
    return data[:listed] + _damage(data[listed:], rng)


def _padconf(rng: random.Random) -> UnitMutant:
    data = _full_project(rng)["PADCONF.BIN"]
    return UnitMutant("padconf", {}, _damage(data, rng) if rng.random() < 0.3 else _damage_words(data, rng))


def _pattern(rng: random.Random) -> UnitMutant:
    rows = [
        bytes([rng.randrange(256), rng.randrange(256)]) + rng.randbytes(6) for _ in range(rng.randrange(60))
    ]
    hits = rng.randrange(33_000 if rng.random() < LONG_SHARE else 300)
    good = rng.choice([ONE_HIT, b"".join(rows) + ONE_HIT, ONE_HIT[:8] * hits + ONE_HIT])
    return UnitMutant("pattern", {}, good if rng.random() < 0.2 else _damage(good, rng))


def _midi(rng: random.Random) -> UnitMutant:
    count = rng.randint(1, 4)
    counted = count if rng.random() < 0.9 else rng.randint(0, 5)
    division = rng.choice([96, 480, 1, 0x7FFF, 0xE728]) if rng.random() < 0.3 else 96
    head = struct.pack(">4sIHHH", b"MThd", 6, rng.choice([0, 1, 1, 1, 2]), counted, division)
    good = head + b"".join(_midi_track(rng) for _ in range(count))
    return UnitMutant("midi", {}, good if rng.random() < 0.5 else _damage(good, rng))


def _midi_track(rng: random.Random) -> bytes:
    """Return a track of notes, controllers, system and meta events, with a wrong one now and then."""
    events = bytearray()
    for _ in range(12_000 if rng.random() < LONG_SHARE else rng.choice([3, 30, 300])):
        events += bytes([rng.choice([0, 1, 24])]) if rng.random() < 0.999 else b"\xff\xff\xff\x7f"
        status, note = (
            rng.choice([0x90, 0x90, 0x80, 0x80, 0xB0, 0xC0, 0xE0, 0xF0, 0xFF]),
            rng.randrange(30, 56),
        )
        if status == 0xC0:
            events += bytes([status | rng.randrange(16), note])
        elif status == 0xF0:
            events += b"\xf0\x02\x01\xf7"
        elif status == 0xFF:
            events += _meta_event(rng)
        else:
            events += bytes([status | rng.randrange(16), note, rng.randrange(128)])
    events += b"\x00\xff\x2f\x00"
    return b"MTrk" + struct.pack(">I", len(events)) + bytes(events)


def _meta_event(rng: random.Random) -> bytes:
    """Return a text, tempo or metre, or once in a thousand times anything."""
    if rng.random() < 0.001:
        content = rng.randbytes(rng.randrange(6))
        return (
            bytes([0xFF, rng.choice([0x00, 0x01, 0x20, 0x51, 0x54, 0x58, 0x59, 0x7F]), len(content)])
            + content
        )
    metre = bytes([rng.randrange(1, 13), rng.randrange(5), 24, 8])
    kind, content = rng.choice([(0x03, b"Beat"), (0x51, rng.randbytes(3)), (0x58, metre)])
    return bytes([0xFF, kind, len(content)]) + content


def _picture(rng: random.Random) -> UnitMutant:
    data = small_project()["PICTURE/startup_1.bmp"]
    if rng.random() < 0.5:
        made = bytearray(data)
        struct.pack_into("<I", made, rng.randrange(0, 58), rng.choice(EXTREMES))
        return UnitMutant("picture", {}, bytes(made))
    return UnitMutant("picture", {}, _damage(data, rng))


KINDS: tuple[Callable[[random.Random], UnitMutant], ...] = (
    _folder, _zip, _padconf, _pattern, _folder, _zip, _padconf, _midi, _zip, _picture,
)  # fmt: skip
