"""Damaged, lying and hostile files, made from good ones: each is a function of a seed and its number."""

from __future__ import annotations

import re
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from app.audio.decoding.mp4 import ffmpeg_path

ACCEPTED, REFUSED = "accepted", "refused"
MAX_BYTES = 4_000_000
_EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF)
_SOUNDFILE_FORMATS = [
    (kind, subtype)
    for kind, subtypes in {
        "WAV": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"),
        "WAVEX": ("PCM_24",),
        "RF64": ("PCM_16",),
        "AIFF": ("PCM_S8", "PCM_16", "PCM_24", "FLOAT"),
        "FLAC": ("PCM_16", "PCM_24"),
    }.items()
    for subtype in subtypes
]
_FFMPEG_FORMATS = {
    "vbr.mp3": ["-c:a", "libmp3lame", "-q:a", "5", "-metadata", "title=Fuzz", "-write_id3v1", "1"],
    "cbr.mp3": ["-c:a", "libmp3lame", "-b:a", "96k", "-ar", "22050", "-id3v2_version", "0"],
    "a.ogg": ["-c:a", "libvorbis"],
    "a.opus": ["-c:a", "libopus"],
    "a.m4a": ["-c:a", "aac"],
    "front.m4a": ["-c:a", "aac", "-movflags", "+faststart"],
    "alac.m4a": ["-c:a", "alac"],
}

Dice = np.random.Generator


@dataclass(frozen=True)
class Mutant:
    """A file: what was done to it, its bytes, and its verdict where only one is right."""

    kind: str
    data: bytes
    verdict: str | None = None


@dataclass(frozen=True)
class Lures:
    """What a file may try to make us fetch or read."""

    url: str
    files: tuple[str, ...]


class Mutations:
    """Makes the mutant of a number; the same seed and number always give the same bytes."""

    def __init__(self, folder: Path, lures: Lures, seed: int) -> None:
        self._seed, self._lures, self._sources = seed, lures, source_files(folder)
        self._makers: list[Callable[[Dice], Mutant]] = [
            self._damaged, self._damaged, self._damaged, self._lying, self._lying, self._cut, self._spliced,
            self._repeated, self._tagged, self._disguised, self._referring, self._giant, self._values,
            self._noise, self._whole,
        ]  # fmt: skip

    def make(self, number: int) -> Mutant:
        dice = np.random.default_rng([self._seed, number])
        made = self._makers[int(dice.integers(len(self._makers)))](dice)
        return Mutant(made.kind, made.data[:MAX_BYTES], made.verdict)

    def _pick(self, dice: Dice, ending: str = "") -> bytes:
        names = [name for name in self._sources if name.endswith(ending)]
        return self._sources[names[int(dice.integers(len(names)))]]

    def _damaged(self, dice: Dice) -> Mutant:
        data = bytearray(self._pick(dice))
        reach = len(data) if dice.random() < 0.5 else min(len(data), 400)
        for _ in range(int(dice.integers(1, 64))):
            at = int(dice.integers(reach))
            data[at] = (
                int(dice.integers(256)) if dice.random() < 0.5 else data[at] ^ 1 << int(dice.integers(8))
            )
        return Mutant("damaged", bytes(data))

    def _lying(self, dice: Dice) -> Mutant:
        """A length or a count beside the name of a chunk says something else."""
        data = bytearray(self._pick(dice))
        places = [found.end() for found in re.finditer(rb"[A-Za-z][A-Za-z0-9 ]{3}", bytes(data[:4_000]))]
        places += [int(dice.integers(min(len(data), 120)))]
        for _ in range(int(dice.integers(1, 4))):
            at = places[int(dice.integers(len(places)))] + int(dice.choice([-8, 0, 0, 0, 4, 8, 12]))
            size = int(dice.choice([1, 2, 4, 4, 4, 8]))
            value = _EXTREMES[int(dice.integers(len(_EXTREMES)))]
            value = int(dice.integers(1 << 32)) if dice.random() < 0.3 else value
            order = "little" if dice.random() < 0.5 else "big"
            data[max(at, 0) : max(at, 0) + size] = (value % (1 << 8 * size)).to_bytes(size, order)
        return Mutant("lying", bytes(data))

    def _cut(self, dice: Dice) -> Mutant:
        data = self._pick(dice)
        return Mutant("cut", data[: int(dice.integers(len(data)))])

    def _spliced(self, dice: Dice) -> Mutant:
        one, two = self._pick(dice), self._pick(dice)
        near = min(len(one), 64) if dice.random() < 0.5 else len(one)
        return Mutant("spliced", one[: int(dice.integers(near))] + two[int(dice.integers(len(two))) :])

    def _repeated(self, dice: Dice) -> Mutant:
        data = self._pick(dice)
        start, stop = np.sort(dice.integers(0, len(data), 2))
        times = min(int(dice.choice([0, 2, 50, 2_000])), MAX_BYTES // max(int(stop - start), 1))
        return Mutant("repeated", data[:start] + data[start:stop] * times + data[stop:])

    def _tagged(self, dice: Dice) -> Mutant:
        """Tags that take a parser minutes, or gigabytes, before a good sound."""
        sound = self._pick(dice, str(dice.choice([".mp3", ".FLAC"])))
        body = (
            b"TXXX\0\0\0\x0a\0\0\x03name\0abcd" * int(dice.integers(80_000)),
            _zip_bomb(),
            b"APIC" + struct.pack(">I", 0x7F7F7F) + b"\0\0" + bytes(200_000),
            dice.bytes(int(dice.integers(50_000))),
        )[int(dice.integers(4))]
        nested = int(dice.choice([1, 1, 1, 10, 45]))
        one = _id3_tag(body if nested == 1 else body[:2_000])
        return Mutant(
            "tagged", one * nested + sound, ACCEPTED if len(one) * nested < MAX_BYTES // 2 else None
        )

    def _disguised(self, dice: Dice) -> Mutant:
        """Text that names other files and addresses, as it is or behind the head of a sound."""
        lure = str(dice.choice([self._lures.url, *self._lures.files]))
        text = _PLAYLISTS[int(dice.integers(len(_PLAYLISTS)))].replace("LURE", lure).encode()
        text = text.replace(b"\n", b"\r\n") if dice.random() < 0.2 else text
        heads = (
            b"",
            b"",
            b"\xef\xbb\xbf",
            b"\n\n",
            _id3_tag(bytes(20)),
            b"RIFF\xff\xff\0\0WAVE",
            b"fLaC",
            b"OggS\0\2",
            b"\0\0\0\x20ftypM4A \0\0\0\0",
            b"FORM\0\0\xff\xffAIFC",
            b"\xff\xfb\x90\0",
            b"ID3\4\0",
        )
        return Mutant("disguised", heads[int(dice.integers(len(heads)))] + text, REFUSED)

    def _referring(self, dice: Dice) -> Mutant:
        """An MP4 whose sound is said to lie in another file or at an address."""
        data, lure = self._pick(dice, ".m4a"), str(dice.choice([self._lures.url, *self._lures.files]))
        entry = struct.pack(">I4sI", 13 + len(lure), str(dice.choice(["url ", "alis"])).encode(), 0)
        at = data.find(b"url \0\0\0\1") - 4
        changed = data[:at] + entry + lure.encode() + b"\0" + data[at + 12 :]
        grown = len(changed) - len(data)
        for name in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
            place = changed.find(name) - 4
            size = struct.unpack_from(">I", changed, place)[0] + grown
            changed = changed[:place] + struct.pack(">I", size) + changed[place + 4 :]
        return Mutant("referring", changed)

    def _giant(self, dice: Dice) -> Mutant:
        """Headers that declare terabytes, and a little sound."""
        rate, channels = int(dice.choice([4_000, 44_100, 384_000])), int(dice.choice([1, 2, 8]))
        fmt = struct.pack("<HHIIHH", 1, channels, rate, 0, channels * 2, 16)
        size = int(dice.choice([2**39, 2**62, 2**40 - 8]))
        ds64 = b"ds64" + struct.pack("<IQQQI", 28, size, size, size // 4, 0)
        body = dice.bytes(int(dice.integers(20_000)))
        wave = b"RF64\xff\xff\xff\xffWAVE" + ds64 + b"fmt \x10\0\0\0" + fmt + b"data\xff\xff\xff\xff" + body
        flac = bytearray(self._pick(dice, ".FLAC"))
        flac[18:26] = (rate << 44 | (channels - 1) << 41 | 15 << 36 | 2**36 - 1).to_bytes(8, "big")
        return Mutant("giant", wave if dice.random() < 0.5 else bytes(flac), REFUSED)

    def _values(self, dice: Dice) -> Mutant:
        """Sample values that are no sound: every bit pattern of a float, and what lies between."""
        count, channels = int(dice.integers(1, 20_000)), int(dice.integers(1, 9))
        bits = np.frombuffer(dice.bytes(4 * count * channels), dtype="<f4").copy()
        with np.errstate(all="ignore"):
            mild = np.float32(10.0) ** dice.uniform(-45, 5) * dice.standard_normal(bits.size)
        pick = dice.random(bits.size) < dice.random() ** 4
        values = np.where(pick, bits, mild.astype(np.float32)).astype("<f4").tobytes()
        rate = int(np.exp(dice.uniform(np.log(4_000), np.log(384_000))))
        fmt = struct.pack("<HHIIHH", 3, channels, rate, 0, channels * 4, 32)
        head = b"RIFF\xff\xff\0\0WAVEfmt \x10\0\0\0" + fmt + b"data" + struct.pack("<I", len(values))
        return Mutant("values", head + values)

    def _noise(self, dice: Dice) -> Mutant:
        heads = (
            b"",
            b"RIFF\0\0\0\0WAVE",
            b"FORM\0\0\0\0AIFF",
            b"fLaC",
            b"OggS",
            b"\xff\xfb\x90\0",
            b"\0\0\0\x18ftypM4A ",
        )
        return Mutant("noise", heads[int(dice.integers(len(heads)))] + dice.bytes(int(dice.integers(30_000))))

    def _whole(self, dice: Dice) -> Mutant:
        return Mutant("whole", self._pick(dice), ACCEPTED)


def source_files(folder: Path) -> dict[str, bytes]:
    """A short beat in every format and width that is accepted, by file name."""
    time_s = np.arange(24_000) / 48_000
    beat = 0.5 * np.sin(2 * np.pi * 220 * time_s) * np.exp(-12 * (time_s % 0.125))
    stereo = np.stack([beat, 0.5 * beat], axis=1)
    found = {}
    for kind, subtype in _SOUNDFILE_FORMATS:
        path = folder / f"{subtype}.{kind}"
        soundfile.write(path, stereo, 48_000, subtype, format=kind)
        found[path.name] = path.read_bytes()
    soundfile.write(folder / "sowt.AIFF", stereo, 48_000, "PCM_16", "LITTLE", "AIFF")
    found["sowt.AIFF"] = (folder / "sowt.AIFF").read_bytes()
    for name, options in _FFMPEG_FORMATS.items():
        command = [ffmpeg_path(), "-v", "error", "-y", "-i", folder / "PCM_16.WAV", *options, folder / name]
        subprocess.run(command, check=True)
        found[name] = (folder / name).read_bytes()
    return found


@cache
def _zip_bomb() -> bytes:
    """A compressed frame of 50 MB."""
    return b"TXXX" + struct.pack(">I", 0x10000) + b"\0\x09" + zlib.compress(bytes(50_000_000))


def _id3_tag(body: bytes) -> bytes:
    return b"ID3\4\0\0" + bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0)) + body


_PLAYLISTS = (
    "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nLURE\n#EXT-X-ENDLIST\n",
    "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-KEY:METHOD=AES-128,URI=\"LURE\"\n#EXTINF:5,\nLURE\n",
    "ffconcat version 1.0\nfile 'LURE'\n",
    "[playlist]\nFile1=LURE\nNumberOfEntries=1\nVersion=2\n",
    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\na=control:LURE\n",
    "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'><Period><AdaptationSet>"
    "<Representation><BaseURL>LURE</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "<smil><body><audio src='LURE'/></body></smil>",
    "<asx version='3.0'><entry><ref href='LURE'/></entry></asx>",
    "[Reference]\nRef1=LURE\n",
    "RTSPtext\nrtsp://LURE\n",
    "; imf\nLURE\n",
)  # fmt: skip
