"""The unit's files made from the text of their format alone, without the code that is tested."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

UNUSED = 0xFFFFFFFF
# Word by word, as a pad without a sound has it.
EMPTY_WORDS = {3: 127, 4: 1, 6: 1, 9: 9000, 16: 10_000, 17: 1, 18: 64, 20: 1, 21: 2, 23: 100}
ONE_HIT = bytes.fromhex(
    "002F008D5A407700" + "FF80000000000000" * 7 + "8780000000000000" + "008C000000000000" + "0100000000800101"
)
"""One hit of A1 in one bar, as the unit writes it."""


def record(size: int = 0, words: Mapping[int, int] | None = None) -> bytes:
    """Return a pad's record: a freshly loaded sound of so many bytes, then these words."""
    loaded = {0: size, 1: 512, 2: size, 11: 512} if size else {}
    row = EMPTY_WORDS | loaded | dict(words or {})
    return struct.pack(">43i", *[row.get(word, 0) for word in range(43)])


def name_field(name: str = "") -> bytes:
    return name.encode().ljust(24, b"\0") if name else b" " * 23 + b"\0"


def chop_table(chops: Sequence[int] = ()) -> bytes:
    return struct.pack(">16I", *[*chops, *[UNUSED] * (16 - len(chops))]) + bytes(64)


def block(size: int, name: str = "", chops: Sequence[int] = (), /, **words: int) -> bytes:
    """Return record, name and chops of a pad; words by `w3=100`."""
    return (
        record(size, {int(word[1:]): value for word, value in words.items()})
        + name_field(name)
        + chop_table(chops)
    )


def padconf(pads: Mapping[int, bytes] | None = None, name: str = "PROJECT_01") -> bytes:
    """Return a PADCONF.BIN of version 3: all tempos 90, all volumes 127, and these blocks."""
    head = b"RFPD" + struct.pack(">I4sI", 0xA0, b"\3\0\0\0", 0x7A80)
    head += struct.pack(">12I", 9000, 0, 0, 64, 64, 64, 0, 32, 32, 32, 32, 32)
    head += struct.pack(">10I", *[9000 << 1] * 10) + bytes(4) + bytes(20) + name.encode().ljust(32, b"\0")
    blocks = [(pads or {}).get(pad, block(0)) for pad in range(160)]
    return head + b"".join(
        one[start:stop] for start, stop in ((0, 172), (172, 196), (196, 324)) for one in blocks
    )


def padconf_2(pads: Mapping[int, bytes] | None = None) -> bytes:
    """Return the same in version 2: no name of the project, no chops."""
    newer = padconf(pads, "")
    return newer[:8] + b"\2" + newer[9:0x80] + newer[0xA0:0x7B20]


def smp(pcm: bytes, channels: int) -> bytes:
    """Return an SMP around 16-bit big-endian PCM."""
    fields = struct.pack(">IIII", 504 + len(pcm), 48_000, channels, 16)
    return b"RFWV" + fields + bytes(12) + hashlib.md5(fields).digest() + b"\xa5" * 464 + pcm


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def small_project() -> dict[str, bytes]:
    """Return the files of a project: A1 stereo, B2 mono, a pattern and a picture."""
    stereo, mono = smp(bytes(range(200)) * 4, 2), smp(bytes(range(100)) * 2, 1)
    pads = {
        0: block(len(stereo), "Dusty break 92", (0, 50, 120), w9=9217, w8=1, w7=3),
        17: block(len(mono), "Kick", w4=0, w10=0x21, w3=100),
    }
    picture = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 1086, 0, 0, 62, 40, 128, 64, 1, 1, 0, 1024, 0, 0, 2, 2)
    return {
        "PADCONF.BIN": padconf(pads),
        "SMPL/BANK1-01.SMP": stereo,
        "SMPL/BANK2-02.SMP": mono,
        "PTN/PTN00001.BIN": ONE_HIT,
        "PICTURE/startup_1.bmp": picture + bytes([0, 0, 0, 0, 255, 255, 255, 0]) + bytes(range(256)) * 4,
    }


def zipped(files: Mapping[str, bytes], prefix: str = "") -> bytes:
    """Return a ZIP of files below a folder; the same files are always the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(prefix + path), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()
