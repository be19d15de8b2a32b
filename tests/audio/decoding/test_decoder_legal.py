"""Unusual but valid files are decoded to the sound that was put in."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from app.audio.decoding.decoder import DecodedAudio, decode_file
from app.audio.decoding.mp4 import ffmpeg_path
from tests.audio.signals import Samples, sine, write


def decoded(path: Path) -> DecodedAudio:
    folder = path.with_suffix(".work")
    folder.mkdir(exist_ok=True)
    return decode_file(path, folder)


def assert_same(found: DecodedAudio, expected: Samples, tolerance: float) -> None:
    samples = found.samples[:]
    assert samples.shape == expected.shape
    assert samples.dtype == np.float32
    assert float(np.abs(samples - expected).max()) <= tolerance


def encode(path: Path, source: Path, *options: str) -> Path:
    subprocess.run([ffmpeg_path(), "-v", "error", "-i", source, *options, path], check=True)
    return path


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def pcm16(samples: Samples) -> bytes:
    return np.rint(samples * 32_767).astype("<i2").tobytes()


def id3_header(size: int) -> bytes:
    return b"ID3\x04\0\0" + bytes(size >> shift & 127 for shift in (21, 14, 7, 0))


def wav(data: bytes, *before: bytes, size: int | None = None, fmt: bytes | None = None) -> bytes:
    fmt = fmt or struct.pack("<HHIIHH", 1, 1, 44_100, 88_200, 2, 16)
    head = b"data" + struct.pack("<I", len(data) if size is None else size)
    return (
        b"RIFF" + struct.pack("<I", 0xFFFF) + b"WAVE" + chunk(b"fmt ", fmt) + b"".join(before) + head + data
    )


@pytest.mark.parametrize(
    ("subtype", "tolerance"),
    [
        ("PCM_U8", 1 / 100), ("PCM_16", 1 / 30_000), ("PCM_24", 1e-6), ("PCM_32", 1e-6),
        ("FLOAT", 0), ("DOUBLE", 1e-7), ("ALAW", 0.05), ("ULAW", 0.05),
    ],
)  # fmt: skip
def test_every_bit_depth_of_wav_is_read(tmp_path: Path, subtype: str, tolerance: float) -> None:
    tone = sine(440, 0.2)
    found = decoded(write(tmp_path / "a.wav", tone, subtype=subtype))
    assert_same(found, tone, tolerance)
    assert found.format.name == "WAV"
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({"subtype": "PCM_S8"}, 1 / 100),
        ({"subtype": "PCM_16"}, 1 / 30_000),
        ({"subtype": "PCM_24"}, 1e-6),
        ({"subtype": "PCM_16", "endian": "LITTLE"}, 1 / 30_000),
        ({"subtype": "FLOAT"}, 0),
        ({"subtype": "DOUBLE"}, 1e-7),
    ],
)
def test_every_bit_depth_of_aiff_and_aifc_is_read(tmp_path: Path, options: Any, tolerance: float) -> None:
    tone = np.hstack([sine(440, 0.2), sine(660, 0.2)])
    found = decoded(write(tmp_path / "a.aiff", tone, format="AIFF", **options))
    assert_same(found, tone, tolerance)
    assert found.format.name == "AIFF"


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 32_000, 48_000, 96_000, 192_000])
def test_every_sample_rate_is_read(tmp_path: Path, rate_hz: int) -> None:
    found = decoded(write(tmp_path / "a.wav", sine(440, 0.1, rate_hz=rate_hz), rate_hz))
    assert found.sample_rate == rate_hz
    assert found.duration_s == pytest.approx(0.1, abs=1e-4)


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64", "FLAC", "AIFF"])
def test_channels_keep_their_order(tmp_path: Path, channels: int, container: str) -> None:
    tone = np.hstack([sine(440, 0.1, level=0.1 * (c + 1)) for c in range(channels)])
    found = decoded(write(tmp_path / "a", tone, format=container, subtype="PCM_24"))
    assert_same(found, tone, 1e-6)


def test_chunks_before_the_audio_are_skipped(tmp_path: Path) -> None:
    tone = sine(440, 0.2)
    extras = (
        chunk(b"LIST", b"INFOISFT\x05\0\0\0Odd!\0\0"), chunk(b"id3 ", b"ID3\x04" + bytes(33)),
        chunk(b"smpl", bytes(36)), chunk(b"bext", bytes(603)), chunk(b"cue ", bytes(4)),
    )  # fmt: skip
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm16(tone), *extras) + chunk(b"LIST", b"after"))
    assert_same(decoded(path), tone, 1 / 30_000)


def test_an_odd_chunk_without_its_padding_is_skipped(tmp_path: Path) -> None:
    tone = sine(440, 0.2)
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm16(tone), b"note" + struct.pack("<I", 3) + b"abc"))
    assert_same(decoded(path), tone, 1 / 30_000)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_streamed_wav_of_unknown_length_is_read_whole(tmp_path: Path, size: int) -> None:
    tone = sine(440, 0.2)
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm16(tone), size=size))
    found = decoded(path)
    assert_same(found, tone, 1 / 30_000)
    assert found.warnings == ()


def test_a_wav_cut_inside_its_audio_is_read_with_a_warning(tmp_path: Path) -> None:
    tone = sine(440, 2.0)
    path = tmp_path / "a.wav"
    path.write_bytes(wav(pcm16(tone))[: -2 * 22_050])
    found = decoded(path)
    assert found.duration_s == pytest.approx(1.5)
    assert found.warnings == (
        "This WAV is cut short: its header says 2.0 s, but it contains only 1.5 s. We used those 1.5 s.",
    )


def test_a_few_invalid_samples_become_silence_with_a_warning(tmp_path: Path) -> None:
    tone = sine(440, 0.2)
    tone[10:13] = [[np.nan], [np.inf], [-np.inf]]
    found = decoded(write(tmp_path / "a.wav", tone, subtype="FLOAT"))
    assert np.isfinite(found.samples[:]).all()
    assert found.samples[10:13].tolist() == [[0], [0], [0]]
    assert found.warnings == ("3 invalid values in the audio data were replaced with silence.",)


def test_values_beyond_full_scale_are_kept(tmp_path: Path) -> None:
    found = decoded(write(tmp_path / "a.wav", sine(440, 0.1, level=3.0), subtype="FLOAT"))
    assert float(found.samples[:].max()) == pytest.approx(3.0, abs=0.01)


def tone_of_a_second(tmp_path: Path) -> tuple[Samples, Path]:
    tone = np.hstack([sine(440, 1.0), sine(660, 1.0)])
    return tone, write(tmp_path / "source.wav", tone)


LOSSY = {
    "vbr.mp3": ("MP3", ["-c:a", "libmp3lame", "-q:a", "4", "-metadata", "title=Ä", "-write_id3v1", "1"]),
    "cbr.mp3": ("MP3", ["-c:a", "libmp3lame", "-b:a", "128k", "-id3v2_version", "0", "-write_xing", "0"]),
    "a.ogg": ("OGG", ["-c:a", "libvorbis"]),
    "a.opus": ("OPUS", ["-c:a", "libopus"]),
    "a.m4a": ("M4A", ["-c:a", "aac"]),
    "front.m4a": ("M4A", ["-c:a", "aac", "-movflags", "+faststart"]),
    "mp2k.mp3": ("MP3", ["-c:a", "libmp3lame", "-ar", "16000"]),
    "a.flac": ("FLAC", ["-c:a", "flac", "-metadata", "comment=hello"]),
}


@pytest.mark.parametrize("name", LOSSY)
def test_compressed_formats_are_read(tmp_path: Path, name: str) -> None:
    _, source = tone_of_a_second(tmp_path)
    found = decoded(encode(tmp_path / name, source, *LOSSY[name][1]))
    assert found.format.name == LOSSY[name][0]
    assert found.channels == 2
    assert found.duration_s == pytest.approx(1.0, abs=0.15)
    middle = found.samples[found.sample_rate // 4 : found.sample_rate * 3 // 4]
    peak_hz = np.abs(np.fft.rfft(middle, axis=0)).argmax(axis=0) * found.sample_rate / len(middle)
    assert peak_hz == pytest.approx([440, 660], abs=3)
    assert found.warnings == ()


def test_an_mp3_behind_a_huge_cover_picture_is_read(tmp_path: Path) -> None:
    _, source = tone_of_a_second(tmp_path)
    path = encode(tmp_path / "a.mp3", source, "-c:a", "libmp3lame", "-id3v2_version", "0")
    size = 3_000_000
    tag = (
        b"ID3\x04\0\0"
        + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127])
        + bytes(size)
    )
    ape = b"APETAGEX" + struct.pack("<IIII", 2_000, 32, 0, 0) + bytes(8)
    path.write_bytes(tag + path.read_bytes() + ape + b"TAG" + bytes(125))
    assert decoded(path).duration_s == pytest.approx(1.0, abs=0.1)


def test_a_flac_of_unknown_length_is_read(tmp_path: Path) -> None:
    tone, _ = tone_of_a_second(tmp_path)
    path = write(tmp_path / "a.flac", tone, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(bytes(data))
    found = decoded(path)
    assert_same(found, tone, 1 / 30_000)


@pytest.mark.parametrize("tag_bytes", [10, 100_000])
def test_a_flac_behind_an_id3_tag_is_read(tmp_path: Path, tag_bytes: int) -> None:
    tone, _ = tone_of_a_second(tmp_path)
    path = write(tmp_path / "a.flac", tone, subtype="PCM_16")
    path.write_bytes(id3_header(tag_bytes) + bytes(tag_bytes) + path.read_bytes())
    found = decoded(path)
    assert_same(found, tone, 1 / 30_000)
    assert found.format.name == "FLAC"


@pytest.mark.parametrize("name", ["LOUD.WAV", "Café – été 日本.wav", "no extension", "liar.mp3"])
def test_the_file_name_does_not_matter(tmp_path: Path, name: str) -> None:
    assert decoded(write(tmp_path / name, sine(440, 0.1), format="WAV")).format.name == "WAV"


def test_one_sample_is_enough(tmp_path: Path) -> None:
    assert len(decoded(write(tmp_path / "a.wav", sine(440, 1 / 44_100))).samples) == 1


def test_the_digest_follows_the_sound_and_not_the_container(tmp_path: Path) -> None:
    tone = np.rint(sine(440, 0.5) * 32_767).astype(np.int16)
    one = decoded(write(tmp_path / "a.wav", tone))
    two = decoded(write(tmp_path / "b.flac", tone))
    other = decoded(write(tmp_path / "c.wav", tone[:-1]))
    assert one.content_sha256 == two.content_sha256
    assert one.content_sha256 != other.content_sha256


def test_the_digest_is_the_same_for_sixteen_bits_stored_in_more(tmp_path: Path) -> None:
    tone = np.rint(sine(440, 0.5) * 32_767).astype(np.int16)
    plain = decoded(write(tmp_path / "plain.wav", tone)).content_sha256
    wide = tone.astype(np.int32) << 16
    for name, subtype in (("24.wav", "PCM_24"), ("32.aiff", "PCM_32"), ("24.flac", "PCM_24")):
        assert decoded(write(tmp_path / name, wide, subtype=subtype)).content_sha256 == plain, name
    finer = decoded(write(tmp_path / "finer.wav", wide + (77 << 8), subtype="PCM_24"))
    assert finer.content_sha256 != plain


@pytest.mark.parametrize(
    ("name", "subtype", "bits"),
    [
        ("a.wav", "PCM_16", 16),
        ("a.wav", "PCM_24", 24),
        ("a.wav", "FLOAT", 32),
        ("a.wav", "ULAW", None),
        ("a.aiff", "PCM_24", 24),
        ("a.flac", "PCM_24", 24),
        ("a.flac", "PCM_16", 16),
        ("a.mp3", "MPEG_LAYER_III", None),
        ("a.ogg", "VORBIS", None),
    ],
)
def test_the_bit_depth_is_that_of_the_file(tmp_path: Path, name: str, subtype: str, bits: int | None) -> None:
    assert decoded(write(tmp_path / name, sine(440, 0.1), subtype=subtype)).bit_depth == bits


def test_mp4_has_no_bit_depth(tmp_path: Path) -> None:
    mp4 = encode(tmp_path / "a.m4a", write(tmp_path / "a.wav", sine(440, 0.5)))
    assert decoded(mp4).bit_depth is None


def test_soundfile_agrees_on_a_file_larger_than_a_block(tmp_path: Path) -> None:
    long = np.hstack([sine(440, 8.0), sine(550, 8.0)])
    path = write(tmp_path / "a.flac", long, subtype="PCM_24")
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    assert np.array_equal(decoded(path).samples[:], expected)
