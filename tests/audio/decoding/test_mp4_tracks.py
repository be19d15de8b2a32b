"""An MP4 is accepted for its tracks and not for its brand: audio with or without pictures, but no video."""

from __future__ import annotations

import io
import struct
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


def edit_atom(edits: list[tuple[int, int]], version: int = 0) -> bytes:
    """Return an edit list of lengths and starts, in an atom of its own."""
    layout = ">Qqhh" if version else ">Iihh"
    rows = b"".join(struct.pack(layout, *edit, 1, 0) for edit in edits)
    listed = struct.pack(">BxxxI", version, len(edits)) + rows
    inside = struct.pack(">I4s", 8 + len(listed), b"elst") + listed
    return struct.pack(">I4s", 8 + len(inside), b"edts") + inside


def with_edits(data: bytes, edits: list[tuple[int, int]], version: int = 0) -> bytes:
    """Return an M4A whose index is at its end with other edits, or with none."""
    start = data.index(b"edts") - 4
    end = start + int.from_bytes(data[start : start + 4], "big")
    atom = edit_atom(edits, version) if edits else b""
    out = bytearray(data[:start] + atom + data[end:])
    for outer in (b"moov", b"trak"):
        at = out.index(outer) - 4
        size = int.from_bytes(out[at : at + 4], "big") + len(atom) - (end - start)
        out[at : at + 4] = size.to_bytes(4, "big")
    return bytes(out)


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, bytes]:
    """Return 77,321 frames whose level rises, and the AAC of them that ffmpeg makes."""
    folder = tmp_path_factory.mktemp("edits")
    sound = np.random.default_rng(3).standard_normal((77_321, 1)) * np.linspace(0.02, 0.2, 77_321)[:, None]
    write(folder / "in.wav", sound.astype(np.float32))
    paths = str(folder / "in.wav"), "-c:a", "aac", str(folder / "out.m4a")
    subprocess.run([ffmpeg_path(), "-v", "error", "-i", *paths], check=True)
    return sound, (folder / "out.m4a").read_bytes()


def ticks(data: bytes, frames: int) -> int:
    """Return frames at 44.1 kHz in the ticks of the movie."""
    at = data.index(b"mvhd") + 16
    return round(frames * int.from_bytes(data[at : at + 4], "big") / 44_100)


def decoded_start(folder: Path, data: bytes, sound: np.ndarray) -> tuple[int, int]:
    """Return how many frames are decoded, and at which frame of the sound they begin."""
    (folder / "file").write_bytes(data)
    heard = decode_file(folder / "file", folder).samples[:][:, 0]
    size = 1 << 18
    spectrum = np.fft.rfft(sound[:, 0], size) * np.conj(np.fft.rfft(heard[:6_000], size))
    start = int(np.argmax(np.fft.irfft(spectrum)))
    return len(heard), start if start < size // 2 else start - size


@pytest.mark.parametrize("frames", [44_100, 77_321, 84_000, 90_123])
def test_aac_of_ffmpeg_is_as_long_as_its_source(tmp_path: Path, frames: int) -> None:
    write(tmp_path / "in.wav", np.full((frames, 1), 0.1, np.float32))
    for name in ("faststart", "empty_moov+frag_keyframe"):
        out = tmp_path / f"{name[:5]}.m4a"
        options = ["-c:a", "aac", "-movflags", name]
        subprocess.run([ffmpeg_path(), "-v", "error", "-i", tmp_path / "in.wav", *options, out], check=True)
        length = decode(tmp_path, out.read_bytes())[1]
        # Fragments declare no length.
        assert length == frames if name == "faststart" else frames <= length < frames + 2_048


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize(("length", "start"), [(30_000, 0), (44_100, 22_050), (50_003, 10_001)])
def test_an_edit_is_where_the_sound_begins_and_ends(
    tmp_path: Path, steps: tuple[np.ndarray, bytes], length: int, start: int, version: int
) -> None:
    sound, data = steps
    edited = with_edits(data, [(ticks(data, length), 1_024 + start)], version)
    frames, first = decoded_start(tmp_path, edited, sound)
    assert first == start
    # A movie may count in milliseconds.
    assert frames == pytest.approx(length, abs=23)


def test_an_edit_beyond_the_end_adds_nothing(tmp_path: Path, steps: tuple[np.ndarray, bytes]) -> None:
    sound, data = steps
    frames, first = decoded_start(tmp_path, with_edits(data, [(ticks(data, 200_000), 1_024)]), sound)
    assert first == 0
    assert 77_321 <= frames < 77_321 + 1_024


def test_an_empty_edit_counts_for_nothing(tmp_path: Path, steps: tuple[np.ndarray, bytes]) -> None:
    sound, data = steps
    edits = [(ticks(data, 22_050), -1), (ticks(data, 50_000), 1_024)]
    frames, first = decoded_start(tmp_path, with_edits(data, edits), sound)
    assert first == 0
    assert frames == pytest.approx(50_000, abs=23)


def test_several_edits_are_at_most_as_long_as_their_sum(
    tmp_path: Path, steps: tuple[np.ndarray, bytes]
) -> None:
    sound, data = steps
    edits = [(ticks(data, 20_000), 1_024), (ticks(data, 20_000), 41_024)]
    frames, first = decoded_start(tmp_path, with_edits(data, edits), sound)
    assert first == 0
    assert frames == pytest.approx(40_000, abs=100)


def test_without_edits_the_whole_track_is_read(tmp_path: Path, steps: tuple[np.ndarray, bytes]) -> None:
    sound, data = steps
    frames, _ = decoded_start(tmp_path, with_edits(data, []), sound)
    assert frames >= 77_321


@pytest.mark.parametrize("count", [0, 1, 2, 1 << 31])
def test_an_edit_list_that_is_cut_short_is_read_as_far_as_it_goes(
    steps: tuple[np.ndarray, bytes], count: int
) -> None:
    data = bytearray(with_edits(steps[1], [(1_000, 1_024)]))
    at = data.index(b"elst") + 8
    data[at : at + 4] = count.to_bytes(4, "big")
    found = read_mp4_tracks(io.BytesIO(data), len(data))
    assert found.has_one_edit is (count > 0)
    assert (found.sound_s is None) is (count == 0)
