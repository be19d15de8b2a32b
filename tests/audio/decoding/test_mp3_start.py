"""Whatever precedes the first frame of an MP3 is skipped, and no other file is taken for an MP3."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.audio.decoding.decoder import DecodedAudio, decode_file
from app.audio.decoding.format_sniffer import MP3, WAV, sniff_format
from app.audio.decoding.mp3_frames import SEARCH_BYTES, find_first_frame, mp3_frame_size
from app.audio.errors import UnreadableAudio
from tests.audio.decoding.pcm_packing import apev2, chunk, id3v2, tone
from tests.audio.decoding.wav_family import riff
from tests.audio.signals import write

RANDOM = random.Random(404)
ICY = b"ICY 200 OK\r\nicy-name: radio\r\ncontent-type: audio/mpeg\r\n\r\n"
TWO_FALSE_SYNCS = (b"\xff\xfb\x90\x00" + RANDOM.randbytes(300)) * 2


@pytest.fixture(scope="module", params=["stereo", "mono", "22 kHz"])
def mp3(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    channels, rate_hz = {"stereo": (2, 44_100), "mono": (1, 48_000), "22 kHz": (2, 22_050)}[request.param]
    path = tmp_path_factory.mktemp("mp3") / "a.mp3"
    return write(path, tone(channels, 30_000).astype(np.float32), rate_hz, format="MP3").read_bytes()


def decode(folder: Path, data: bytes) -> DecodedAudio:
    path = folder / "file"
    path.write_bytes(data)
    return decode_file(path, folder)


def list_heads(mp3: bytes) -> Iterator[tuple[str, bytes]]:
    for size in (1, 7, 184, 417, 5_000, 60_000):
        yield f"{size} random bytes", RANDOM.randbytes(size)
        yield f"{size} zeros", bytes(size)
    for size in (8, 500):
        yield f"{size} bytes FF", b"\xff" * size
    yield "text", b"\x12junk" * 40
    yield "plain text", b"Hello there. " * 60
    yield "HTTP header", ICY
    yield "a cut frame", mp3[-20:]
    yield "a false sync word", b"\xff\xfb\x90\x00" + RANDOM.randbytes(500)
    yield "false sync words", TWO_FALSE_SYNCS
    yield "ID3v1", b"TAG" + bytes(125)
    for size in (300, 20_000, 100_000):
        yield f"APEv2 of {size}", apev2(size)
    yield "APEv2 without header", apev2(300, has_header=False)
    yield "ID3 and 184 bytes", id3v2(bytes(100)) + b"\x01\x02xx" * 46
    yield "ID3 and FF", id3v2(bytes(100)) + b"\xff" * 8
    yield "ID3 longer than the head and junk", id3v2(bytes(200_000)) + RANDOM.randbytes(300)
    yield "ID3 and APEv2", id3v2(bytes(50)) + apev2(100)
    yield "ID3 that is longer than it says", id3v2(bytes(10)) + bytes(500)


def test_what_precedes_the_first_frame_is_skipped(tmp_path: Path, mp3: bytes) -> None:
    plain = decode(tmp_path, mp3)
    for name, head in list_heads(mp3):
        found = decode(tmp_path, head + mp3)
        assert sniff_format((head + mp3)[:SEARCH_BYTES]) is MP3, name
        assert (found.format, found.content_sha256) == (MP3, plain.content_sha256), name
        junk = head.removeprefix(b"ID3")
        assert bool(found.warnings) <= bool(junk.strip(b"\0")), name


def test_skipped_bytes_are_told_to_the_owner(tmp_path: Path, mp3: bytes) -> None:
    found = decode(tmp_path, b"\x12junk" * 40 + mp3)
    assert found.warnings == ("This MP3 begins with 200 bytes that are not audio. We skipped them.",)


def test_an_mp3_inside_a_wav_is_read(tmp_path: Path, mp3: bytes) -> None:
    head = struct.pack("<HHIIHHH", 0x55, 2, 44_100, 16_000, 1, 0, 12) + bytes(12)
    wrapped = riff(chunk(b"fmt ", head), chunk(b"fact", bytes(4)), chunk(b"data", mp3))
    found = decode(tmp_path, wrapped)
    assert sniff_format(wrapped) is WAV
    assert (found.format, found.content_sha256) == (MP3, decode(tmp_path, mp3).content_sha256)


@pytest.mark.parametrize("is_loud_first", [True, False])
def test_a_variable_rate_without_a_length_is_read_whole(tmp_path: Path, is_loud_first: bool) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (44_100, 2)).astype(np.float32)
    parts = [noise, np.zeros_like(noise), np.zeros_like(noise)]
    sound = np.concatenate(parts if is_loud_first else parts[::-1])
    path = write(tmp_path / "a.mp3", sound, format="MP3", bitrate_mode="VARIABLE", compression_level=0.2)
    data = path.read_bytes()
    first = mp3_frame_size(data[:4])
    assert b"Xing" in data[:first]
    for cut in (data[first:], data[first + 100 :], b"\x12junk" * 40 + data[first:]):
        found = decode(tmp_path, cut)
        assert len(found.samples) == pytest.approx(3 * 44_100, abs=4_000)
        assert not any("cut short" in warning for warning in found.warnings)


def test_an_mp3_too_far_behind_is_not_searched_for(tmp_path: Path, mp3: bytes) -> None:
    with pytest.raises(UnreadableAudio):
        decode(tmp_path, bytes(SEARCH_BYTES + 10) + mp3)


def list_other_files() -> Iterator[bytes]:
    for _ in range(4_000):
        yield RANDOM.randbytes(RANDOM.choice([200, 2_000, 8_192]))
    for _ in range(200):
        # Half of the bytes are those of sync words, which is as bad as chance gets.
        yield bytes(RANDOM.choice([0xFF, 0xFB, 0x90, RANDOM.randrange(256)]) for _ in range(2_000))
    for _ in range(200):
        words = (RANDOM.choice(["kick", "snare", "Äther", "loop", "ÿûü", "\n"]) for _ in range(400))
        yield " ".join(words).encode(RANDOM.choice(["utf-8", "latin-1", "utf-16"]))


def test_no_other_file_becomes_an_mp3() -> None:
    taken = [data for data in list_other_files() if sniff_format(data) is not None]
    assert taken == []


@pytest.mark.parametrize(
    "head",
    [
        b"PK\x03\x04" + bytes(60), b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" + bytes(20),
        b"#EXTM3U\n", b"<!DOCTYPE html><html>", b"RIFF\0\0\0\0AVI LIST", b"MZ" + bytes(60), b"\x1aE\xdf\xa3",
        b"song.mp3".ljust(257, b"\0") + b"ustar\x0000" + bytes(247), b"FLV\x01\x05\0\0\0\x09",
    ],
)  # fmt: skip
def test_a_known_file_that_holds_an_mp3_does_not_become_one(head: bytes, mp3: bytes) -> None:
    assert sniff_format(head + mp3) is None


def test_the_search_is_bounded(mp3: bytes) -> None:
    assert find_first_frame(bytes(SEARCH_BYTES) + mp3) is None
    assert find_first_frame(b"\xff\xfb\x92" * 30_000) is None
