"""An MP4 is accepted for its tracks and not for its brand: audio with or without pictures, but no video."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.audio.decoding.decoder import decode_file
from app.audio.decoding.format_sniffer import M4A, sniff_format
from app.audio.decoding.mp4 import ffmpeg_path
from app.audio.decoding.mp4_tracks import read_mp4_tracks
from app.audio.errors import UnreadableAudio
from tests.audio.decoding.pcm_packing import tone
from tests.audio.signals import write

BRANDS = (
    b"3gp4", b"3gp5", b"3gp6", b"3g2a", b"M4A ", b"M4B ", b"M4P ", b"M4V ", b"F4A ", b"F4V ", b"NDSC",
    b"NDAS", b"MSNV", b"avc1", b"dash", b"iso2", b"iso3", b"iso7", b"iso9", b"isom", b"mmp4", b"mp41",
    b"mp42", b"mp71", b"qt  ", b"KDDI", b"\0\0\0\0", b"XXXX",
)  # fmt: skip
PICTURE = ["-f", "lavfi", "-i", "testsrc=d=2:s=64x64:r={}"]
AUDIO: dict[str, tuple[list[str], list[str]]] = {
    "plain.m4a": ([], ["-c:a", "aac"]),
    "front.m4a": ([], ["-c:a", "aac", "-movflags", "+faststart"]),
    "fragments.mp4": ([], ["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"]),
    "phone.3gp": ([], ["-c:a", "aac"]),
    "pcm.mov": ([], ["-c:a", "pcm_s16le"]),
    "timecode.mov": ([], ["-c:a", "pcm_s16le", "-timecode", "01:00:00:00"]),
    "still.mov": (["0.5"], ["-c:a", "aac", "-c:v", "mjpeg"]),
    "cover.m4a": (["0.5"], ["-c:a", "aac", "-c:v", "mjpeg", "-disposition:v:0", "attached_pic"]),
}  # fmt: skip
VIDEO = {
    "video.mp4": ["-c:v", "mpeg4"],
    "front.mp4": ["-c:v", "mpeg4", "-movflags", "+faststart"],
    "motion.mov": ["-c:v", "mjpeg"],
}


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("mp4")
    source = write(folder / "source.wav", tone(2, 44_100).astype(np.float32))

    def encoded(name: str, rates: list[str], options: list[str]) -> bytes:
        path = folder / name
        if not path.exists():
            pictures = [part.format(rates[0]) for part in PICTURE] if rates else []
            command: list[str | Path] = [
                ffmpeg_path(),
                "-v",
                "error",
                "-i",
                source,
                *pictures,
                *options,
                path,
            ]
            subprocess.run(command, check=True)
        return path.read_bytes()

    return encoded


def decode(folder: Path, data: bytes) -> tuple[str, int]:
    path = folder / "file"
    path.write_bytes(data)
    found = decode_file(path, folder)
    return found.format.name, len(found.samples)


@pytest.mark.parametrize("name", AUDIO)
def test_a_file_whose_only_moving_track_is_audio_is_read(tmp_path: Path, make: Any, name: str) -> None:
    kind, frames = decode(tmp_path, make(name, *AUDIO[name]))
    assert kind == "M4A"
    assert frames == pytest.approx(44_100, abs=3_000)


def test_the_brand_does_not_matter(tmp_path: Path, make: Any) -> None:
    data = make("plain.m4a", *AUDIO["plain.m4a"])
    expected = decode(tmp_path, data)
    for brand in BRANDS:
        branded = data[:8] + brand + data[12:]
        assert sniff_format(branded) is M4A
        assert not read_mp4_tracks(io.BytesIO(branded), len(branded)).has_video
    for brand in (b"3gp4", b"qt  "):
        assert decode(tmp_path, data[:8] + brand + data[12:]) == expected


@pytest.mark.parametrize("atom", [b"free", b"wide", b"skip"])
def test_a_file_without_ftyp_is_read(tmp_path: Path, make: Any, atom: bytes) -> None:
    data = make("plain.m4a", *AUDIO["plain.m4a"])
    assert decode(tmp_path, data[:4] + atom + data[8:])[0] == "M4A"


@pytest.mark.parametrize("name", VIDEO)
def test_a_video_is_refused_under_every_brand(tmp_path: Path, make: Any, name: str) -> None:
    data = make(name, ["10"], ["-c:a", "aac", *VIDEO[name]])
    for brand in BRANDS:
        path = tmp_path / "file"
        path.write_bytes(data[:8] + brand + data[12:])
        with pytest.raises(UnreadableAudio, match="This is a video"):
            decode_file(path, tmp_path)


def test_an_image_is_refused_by_its_brand() -> None:
    assert sniff_format(b"\0\0\0\x18ftypavif" + bytes(200)) is None
