"""Small projects and cards, built by hand from the description of the formats, for tests to damage."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

Files = dict[str, bytearray]
PCM = npt.NDArray[np.int16]

RISING = np.arange(5000, dtype=np.int16).reshape(5000, 1)  # A1: mono, 10,512 bytes of SMP
SIDES = np.stack([np.arange(6000), -np.arange(6000)], axis=1).astype(np.int16)  # J16: stereo, 24,512 bytes
EMPTY_PAD = [0, 0, 0, 127, 1, 0, 1, 0, 0, 9000, 0, 0, 0, 0, 0, 0, 10000, 1, 64, 0, 1, 2, 0, 100] + [0] * 19
PAD_A1 = [10512, 512, 10512, 100, 0, 0, 1, 3, 1, 7517, 0x31, 512, 0, -5, 20, 1, 7407, 0, 0, 4, 2, 4, 7, 90, 9]
PAD_J16 = [24512, 4512, 20512, 127, 1, 0x7FFFFFFF, 1, 10, 0, 20000, 0x0E, 8512, 0, 12, -100, 3, 15000, 1, 127]
PAD_J16 += [10, 0, 7, 127, 100, 127]
ONE_BAR = "002F008D5A407700 0030008901400000" + 7 * " FF80000000000000" + " 8780000000000000"
ONE_BAR += " 008C000000000000 0100000000800101"


def smp_file(pcm: PCM) -> bytearray:
    """Return an SMP of these samples of shape (frames, channels)."""
    audio = pcm.astype(">i2").tobytes()
    fields = struct.pack(">IIII", 504 + len(audio), 48000, pcm.shape[1], 16)
    head = b"RFWV" + fields + bytes(12) + hashlib.md5(fields).digest()
    return bytearray(head + b"\xa5" * 464 + audio)


def header_checksum(smp: bytearray) -> bytes:
    """Return the MD5 that belongs at 0x20 of an SMP."""
    return hashlib.md5(smp[0x04:0x14]).digest()


def padconf_file(pads: dict[int, tuple[list[int], bytes, list[int]]]) -> bytearray:
    """Return a PADCONF.BIN of version 3 with the pads at these indices: words, name, chops."""
    header = struct.pack(">4sIII", b"RFPD", 0xA0, 0x03000000, 0x7A80)
    header += struct.pack(">12I", 0x10000 + 9350, 0, 0, 64, 64, 64, 0, 32, 32, 32, 32, 32)
    header += struct.pack(">10I", 2 * 9350 + 1, *[2 * 9000] * 8, 2 * 20000) + bytes(4)
    header += struct.pack(">10H", 0, 27, *[0] * 6, 127, 0) + b"PROJECT_07".ljust(32, b"\0")
    records, names, chops = b"", b"", b""
    for index in range(160):
        words, name, points = pads.get(index, (EMPTY_PAD, b" " * 23, []))
        records += struct.pack(">43i", *words, *[0] * (43 - len(words)))
        names += name.ljust(24, b"\0")
        chops += struct.pack(">16I", *points, *[0xFFFFFFFF] * (16 - len(points))) + bytes(64)
    return bytearray(header + records + names + chops)


def picture_file(lit: npt.NDArray[np.bool_]) -> bytearray:
    """Return a BMP of these pixels of shape (64, 128), top row first."""
    header = struct.pack("<2sIIIIiiHHIIiiII", b"BM", 1086, 0, 62, 40, 128, 64, 1, 1, 0, 1024, 0, 0, 2, 0)
    return bytearray(header + b"\0\0\0\0\xff\xff\xff\0" + np.packbits(lit[::-1], axis=1).tobytes())


def corner() -> npt.NDArray[np.bool_]:
    """Return a picture with the top left pixel lit, and three of the second row."""
    lit = np.zeros((64, 128), bool)
    lit[0, 0] = lit[1, 1:4] = True
    return lit


def project_files() -> Files:
    """Return a project with two pads, two patterns and a picture."""
    a1 = (PAD_A1, b"A1 kick\0leftover", [0, 1250, 4999])
    return {
        "PADCONF.BIN": padconf_file({0: a1, 159: (PAD_J16, b"01 pad (Am) [x]", [])}),
        "SMPL/BANK1-01.SMP": smp_file(RISING),
        "SMPL/BANK10-16.SMP": smp_file(SIDES),
        "PTN/PTN00001.BIN": bytearray.fromhex(ONE_BAR),
        "PTN/PTN00160.BIN": bytearray.fromhex(ONE_BAR.replace("002F008D", "007E418E")),
        "PICTURE/startup_1.bmp": picture_file(corner()),
    }


def wav_file(pcm: PCM, rate: int) -> bytearray:
    """Return a canonical WAV of these samples of shape (frames, channels)."""
    audio, channels = pcm.astype("<i2").tobytes(), pcm.shape[1]
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    data = struct.pack("<4sI", b"data", len(audio))
    return bytearray(struct.pack("<4sI4s", b"RIFF", 36 + len(audio), b"WAVE") + form + data + audio)


def sx_wav_file(pcm: PCM, index: int) -> bytearray:
    """Return a WAV of an SP-404SX card: the same with fmt of 18 bytes and an RLND chunk."""
    plain = wav_file(pcm, 44100)
    rlnd = struct.pack("<4sI8sIB445x", b"RLND", 458, b"roifspsx", 4, index)
    riff = struct.pack("<4sI4s", b"RIFF", len(plain) + 460, b"WAVE")
    return bytearray(riff + b"fmt \x12\0\0\0" + plain[20:36] + b"\0\0" + rlnd + plain[36:])


def sx_files() -> Files:
    """Return a card with the pads A2 (mono) and J12 (stereo)."""
    records = [struct.pack(">4I8BII", 512, 512, 512, 512, 127, 0, 0, 0, 0, 0, 0, 0, 0, 0)] * 120
    records[1] = struct.pack(">4I8BII", 512, 10512, 512, 10512, 127, 0, 0, 1, 0, 1, 1, 0, 900, 900)
    records[119] = struct.pack(">4I8BII", 512, 24512, 4512, 20512, 90, 1, 1, 0, 1, 1, 2, 2, 935, 1200)
    return {
        "PAD_INFO.BIN": bytearray(b"".join(records)),
        "A0000002.WAV": sx_wav_file(RISING, 1),
        "J0000012.WAV": sx_wav_file(SIDES, 119),
    }


def write_folder(files: Files, folder: Path) -> Path:
    """Write the files below the folder and return it."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def write_zip(files: Files, path: Path) -> Path:
    """Write the files into a ZIP and return its path."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, bytes(data))
    return path
