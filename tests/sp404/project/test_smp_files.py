"""SMP, the unit's sound files, from and to WAV."""

from __future__ import annotations

import io
import struct
import tempfile
import wave
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sp404.errors import UnitFileError
from app.sp404.project.pad_sounds import wav_sound
from app.sp404.project.smp_files import make_smp_header, read_smp_header, smp_to_wav
from tests.sp404.project.made_files import smp


def wav(samples: list[int], channels: int, rate: int = 48_000, width: int = 2) -> bytes:
    """Return a WAV of 16-bit samples, byte by byte as the format has it."""
    pcm = struct.pack(f"<{len(samples)}h", *samples)
    fmt = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * width, channels * width, 8 * width)
    return (
        b"RIFF" + struct.pack("<I", 36 + len(pcm)) + b"WAVEfmt " + struct.pack("<I", 16) + fmt
        + b"data" + struct.pack("<I", len(pcm)) + pcm
    )  # fmt: skip


def test_a_header_is_what_the_unit_writes() -> None:
    made = make_smp_header(frames=19_178, channels=2)
    truth = smp(bytes(19_178 * 4), 2)[:512]
    assert len(made) == 512
    assert made[:0x30] == truth[:0x30]
    assert made == make_smp_header(frames=19_178, channels=2), "the filler is the same every time"
    assert len(set(made[0x30:])) > 100, "the filler looks random, as the unit's own does"


@settings(deadline=None)
@given(st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=100), st.sampled_from([1, 2]))
def test_a_wav_becomes_an_smp_and_comes_back(samples: list[int], channels: int) -> None:
    sound = wav(samples * channels, channels)
    made = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x.wav").write_bytes(sound)
        source = wav_sound(Path(folder) / "x.wav")
        source.write_smp(made)
    header = source.header
    assert (header.size_bytes, header.channels, header.frames) == (
        len(made.getvalue()),
        channels,
        len(samples),
    )
    assert made.getvalue()[512:] == struct.pack(f">{len(samples) * channels}h", *samples * channels)
    assert read_smp_header(made.getvalue(), len(made.getvalue())) == header
    again = io.BytesIO()
    assert smp_to_wav(io.BytesIO(made.getvalue()), header.size_bytes, again) == len(samples)
    assert again.getvalue() == sound


def test_a_long_sound_is_copied_in_blocks() -> None:
    pcm = bytes(range(251)) * 2000
    made = io.BytesIO()
    frames = smp_to_wav(io.BytesIO(smp(pcm, 1)), 512 + len(pcm), made)
    with wave.open(io.BytesIO(made.getvalue())) as reader:
        read = reader.readframes(frames)
    assert frames == 251_000
    assert read[1::2] == pcm[::2]
    assert read[::2] == pcm[1::2]


@pytest.mark.parametrize(
    ("place", "change", "fault"),
    [
        (0x20, b"\0" * 16, "The checksum in the header is wrong; the unit may answer “Hash Check Error”."),
        (0x04, b"\0\0\1\0", "The header counts 264 bytes, but the file has 712."),
    ],
)
def test_a_false_header_is_said(place: int, change: bytes, fault: str) -> None:
    data = bytearray(smp(bytes(200), 2))
    data[place : place + len(change)] = change
    header = read_smp_header(bytes(data), len(data))
    assert fault in header.faults
    assert header.frames == 50


@pytest.mark.parametrize(
    ("place", "change", "sentence"),
    [
        (0, b"RIFF", "does not begin like an SMP"),
        (0x08, struct.pack(">I", 44_100), "44,100 Hz, 16 bits and 2 channels"),
        (0x0C, struct.pack(">I", 0), "0 channels"),
        (0x10, struct.pack(">I", 24), "24 bits"),
    ],
)
def test_another_file_is_refused(place: int, change: bytes, sentence: str) -> None:
    data = bytearray(smp(bytes(200), 2))
    data[place : place + len(change)] = change
    with pytest.raises(UnitFileError, match=sentence):
        read_smp_header(bytes(data), len(data))


def test_sounds_of_a_wrong_length_are_refused() -> None:
    with pytest.raises(UnitFileError, match="cut off inside its header"):
        read_smp_header(smp(b"", 1)[:511], 511)
    with pytest.raises(UnitFileError, match="cut off inside its header"):
        read_smp_header(smp(b"", 1), 511)
    assert read_smp_header(smp(b"", 1), 512).frames == 0
    assert read_smp_header(smp(b"", 2), 512 + 46_080_000 * 4).frames == 46_080_000
    with pytest.raises(UnitFileError, match="longer than the 16 minutes"):
        read_smp_header(smp(b"", 2), 512 + 46_080_001 * 4)
    for there in (100, 101):  # at the end of a frame, and inside one
        with pytest.raises(UnitFileError, match="ends early"):
            smp_to_wav(io.BytesIO(smp(bytes(there), 2)), 712, io.BytesIO())
    for frames, channels in ((1, 1), (46_080_000, 2)):
        assert len(make_smp_header(frames, channels)) == 512
    for frames, channels in ((0, 1), (46_080_001, 1), (10, 3)):
        with pytest.raises(UnitFileError, match="A pad's sound has 1"):
            make_smp_header(frames, channels)


@pytest.mark.parametrize(
    ("sound", "sentence"),
    [
        (wav([1, 2], 1, rate=44_100), "is no 48 kHz, 16-bit WAV"),
        (wav([1, 2], 1, width=3), "is no 48 kHz, 16-bit WAV"),
        (wav([], 1), "1 to 46,080,000 frames"),
        (wav([1, 2, 3, 4], 2)[:-4], "ends before the length"),
        (b"RIFF", "can't be read"),
        (b"", "can't be read"),
    ],
)
def test_another_wav_is_refused(sound: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(sound)
    with pytest.raises(UnitFileError, match=sentence):
        wav_sound(tmp_path / "x.wav").write_smp(io.BytesIO())
