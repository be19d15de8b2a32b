"""Make damaged, lying and hostile files from good ones; a seed and a number always give the same file."""

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
from tests.audio.decoding.aiff_family import aiff_family
from tests.audio.decoding.pcm_packing import Coding, apev2
from tests.audio.decoding.wav_family import wav_family

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

Rng = np.random.Generator


@dataclass(frozen=True)
class Mutant:
    """A file: what was done to it, its bytes, and its verdict where only one is right."""

    kind: str
    data: bytes
    verdict: str | None = None


@dataclass(frozen=True)
class Lures:
    """An address and files that a hostile file may try to make us fetch or read."""

    url: str
    files: tuple[str, ...]


class Mutations:
    """Make the mutant of a number; the same seed and number always give the same bytes."""

    def __init__(self, folder: Path, lures: Lures, seed: int) -> None:
        self._seed, self._lures, self._sources = seed, lures, source_files(folder)
        self._false_headers = dict([*wav_family(2, Coding(16)), *aiff_family(2, Coding(24))])
        self._makers: list[Callable[[Rng], Mutant]] = [
            self._damaged, self._damaged, self._damaged, self._lying, self._lying, self._cut, self._spliced,
            self._repeated, self._tagged, self._disguised, self._referring, self._giant, self._values,
            self._noise, self._whole, self._contradicting, self._preceded,
        ]  # fmt: skip

    def make(self, number: int) -> Mutant:
        """Return the mutant of a number."""
        rng = np.random.default_rng([self._seed, number])
        made = self._makers[int(rng.integers(len(self._makers)))](rng)
        return Mutant(made.kind, made.data[:MAX_BYTES], made.verdict)

    def _pick(self, rng: Rng, ending: str = "") -> bytes:
        """Return a good file whose name has an ending."""
        names = [name for name in self._sources if name.endswith(ending)]
        return self._sources[names[int(rng.integers(len(names)))]]

    def _damaged(self, rng: Rng) -> Mutant:
        """Change up to 63 bytes, half of the time near the beginning."""
        data = bytearray(self._pick(rng))
        reach = len(data) if rng.random() < 0.5 else min(len(data), 400)
        for _ in range(int(rng.integers(1, 64))):
            at = int(rng.integers(reach))
            data[at] = int(rng.integers(256)) if rng.random() < 0.5 else data[at] ^ 1 << int(rng.integers(8))
        return Mutant("damaged", bytes(data))

    def _lying(self, rng: Rng) -> Mutant:
        """Overwrite a length or a count beside the name of a chunk."""
        data = bytearray(self._pick(rng))
        places = [found.end() for found in re.finditer(rb"[A-Za-z][A-Za-z0-9 ]{3}", bytes(data[:4_000]))]
        places += [int(rng.integers(min(len(data), 120)))]
        for _ in range(int(rng.integers(1, 4))):
            at = places[int(rng.integers(len(places)))] + int(rng.choice([-8, 0, 0, 0, 4, 8, 12]))
            size = int(rng.choice([1, 2, 4, 4, 4, 8]))
            value = _EXTREMES[int(rng.integers(len(_EXTREMES)))]
            value = int(rng.integers(1 << 32)) if rng.random() < 0.3 else value
            order = "little" if rng.random() < 0.5 else "big"
            data[max(at, 0) : max(at, 0) + size] = (value % (1 << 8 * size)).to_bytes(size, order)
        return Mutant("lying", bytes(data))

    def _cut(self, rng: Rng) -> Mutant:
        """Cut a file short."""
        data = self._pick(rng)
        return Mutant("cut", data[: int(rng.integers(len(data)))])

    def _spliced(self, rng: Rng) -> Mutant:
        """Join the beginning of one file to the end of another."""
        one, two = self._pick(rng), self._pick(rng)
        near = min(len(one), 64) if rng.random() < 0.5 else len(one)
        return Mutant("spliced", one[: int(rng.integers(near))] + two[int(rng.integers(len(two))) :])

    def _repeated(self, rng: Rng) -> Mutant:
        """Repeat a part of a file up to 2,000 times, or leave it out."""
        data = self._pick(rng)
        start, stop = np.sort(rng.integers(0, len(data), 2))
        times = min(int(rng.choice([0, 2, 50, 2_000])), MAX_BYTES // max(int(stop - start), 1))
        return Mutant("repeated", data[:start] + data[start:stop] * times + data[stop:])

    def _tagged(self, rng: Rng) -> Mutant:
        """Put tags before a good sound that cost a parser minutes, or gigabytes."""
        sound = self._pick(rng, str(rng.choice([".mp3", ".FLAC"])))
        body = (
            b"TXXX\0\0\0\x0a\0\0\x03name\0abcd" * int(rng.integers(80_000)),
            _zip_bomb(),
            b"APIC" + struct.pack(">I", 0x7F7F7F) + b"\0\0" + bytes(200_000),
            rng.bytes(int(rng.integers(50_000))),
        )[int(rng.integers(4))]
        nested = int(rng.choice([1, 1, 1, 10, 45]))
        one = _id3_tag(body if nested == 1 else body[:2_000])
        return Mutant(
            "tagged", one * nested + sound, ACCEPTED if len(one) * nested < MAX_BYTES // 2 else None
        )

    def _disguised(self, rng: Rng) -> Mutant:
        """Write text that names other files and addresses, as it is or behind the header of a sound."""
        lure = str(rng.choice([self._lures.url, *self._lures.files]))
        text = _PLAYLISTS[int(rng.integers(len(_PLAYLISTS)))].replace("LURE", lure).encode()
        text = text.replace(b"\n", b"\r\n") if rng.random() < 0.2 else text
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
        return Mutant("disguised", heads[int(rng.integers(len(heads)))] + text, REFUSED)

    def _referring(self, rng: Rng) -> Mutant:
        """Make an MP4 say that its sound is in another file or at an address."""
        data, lure = self._pick(rng, ".m4a"), str(rng.choice([self._lures.url, *self._lures.files]))
        entry = struct.pack(">I4sI", 13 + len(lure), str(rng.choice(["url ", "alis"])).encode(), 0)
        at = data.find(b"url \0\0\0\1") - 4
        changed = data[:at] + entry + lure.encode() + b"\0" + data[at + 12 :]
        grown = len(changed) - len(data)
        for name in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
            place = changed.find(name) - 4
            size = struct.unpack_from(">I", changed, place)[0] + grown
            changed = changed[:place] + struct.pack(">I", size) + changed[place + 4 :]
        return Mutant("referring", changed)

    def _giant(self, rng: Rng) -> Mutant:
        """Write headers that declare terabytes, and a little sound."""
        rate, channels = int(rng.choice([4_000, 44_100, 384_000])), int(rng.choice([1, 2, 8]))
        fmt = struct.pack("<HHIIHH", 1, channels, rate, 0, channels * 2, 16)
        size = int(rng.choice([2**39, 2**62, 2**40 - 8]))
        ds64 = b"ds64" + struct.pack("<IQQQI", 28, size, size, size // 4, 0)
        body = rng.bytes(int(rng.integers(20_000)))
        wave = b"RF64\xff\xff\xff\xffWAVE" + ds64 + b"fmt \x10\0\0\0" + fmt + b"data\xff\xff\xff\xff" + body
        flac = bytearray(self._pick(rng, ".FLAC"))
        flac[18:26] = (rate << 44 | (channels - 1) << 41 | 15 << 36 | 2**36 - 1).to_bytes(8, "big")
        return Mutant("giant", wave if rng.random() < 0.5 else bytes(flac), REFUSED)

    def _values(self, rng: Rng) -> Mutant:
        """Write sample values that are no sound: every bit pattern of a float, and extreme levels."""
        count, channels = int(rng.integers(1, 20_000)), int(rng.integers(1, 9))
        bits = np.frombuffer(rng.bytes(4 * count * channels), dtype="<f4").copy()
        with np.errstate(all="ignore"):
            mild = np.float32(10.0) ** rng.uniform(-45, 5) * rng.standard_normal(bits.size)
        pick = rng.random(bits.size) < rng.random() ** 4
        values = np.where(pick, bits, mild.astype(np.float32)).astype("<f4").tobytes()
        rate = int(np.exp(rng.uniform(np.log(4_000), np.log(384_000))))
        fmt = struct.pack("<HHIIHH", 3, channels, rate, 0, channels * 4, 32)
        head = b"RIFF\xff\xff\0\0WAVEfmt \x10\0\0\0" + fmt + b"data" + struct.pack("<I", len(values))
        return Mutant("values", head + values)

    def _noise(self, rng: Rng) -> Mutant:
        """Write random bytes, mostly behind the header of a sound."""
        heads = (
            b"",
            b"RIFF\0\0\0\0WAVE",
            b"FORM\0\0\0\0AIFF",
            b"fLaC",
            b"OggS",
            b"\xff\xfb\x90\0",
            b"\0\0\0\x18ftypM4A ",
        )
        return Mutant("noise", heads[int(rng.integers(len(heads)))] + rng.bytes(int(rng.integers(30_000))))

    def _contradicting(self, rng: Rng) -> Mutant:
        """Return a WAV or AIFF whose header contradicts itself, sometimes with a changed byte."""
        names = list(self._false_headers)
        data = bytearray(self._false_headers[names[int(rng.integers(len(names)))]])
        if rng.random() < 0.3:
            data[int(rng.integers(min(len(data), 120)))] = int(rng.integers(256))
        return Mutant("contradict", bytes(data))

    def _preceded(self, rng: Rng) -> Mutant:
        """Put bytes that are no audio before a good sound: junk, zeros, tags, sync words, part of a sound."""
        size = int(np.exp(rng.uniform(0, np.log(80_000))))
        front = (
            rng.bytes(size),
            bytes(size),
            b"\xff" * size,
            _id3_tag(bytes(size)),
            apev2(size),
            (b"\xff\xfb\x90\x00" + rng.bytes(size % 60)) * 200,
            self._pick(rng, ".mp3")[-size:],
        )[int(rng.integers(7))]
        return Mutant("preceded", front + self._pick(rng, ".mp3" if rng.random() < 0.6 else ""))

    def _whole(self, rng: Rng) -> Mutant:
        """Return a good file unchanged."""
        return Mutant("whole", self._pick(rng), ACCEPTED)


def source_files(folder: Path) -> dict[str, bytes]:
    """Return a short beat in every format and width that is accepted, by file name."""
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
    """Return a compressed ID3 frame that unpacks to 50 MB."""
    return b"TXXX" + struct.pack(">I", 0x10000) + b"\0\x09" + zlib.compress(bytes(50_000_000))


def _id3_tag(body: bytes) -> bytes:
    """Return an ID3v2.4 tag with a body."""
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
