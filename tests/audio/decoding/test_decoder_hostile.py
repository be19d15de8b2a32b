"""Bad files are refused quickly, with a sentence that says why, and nothing else happens."""

from __future__ import annotations

import resource
import struct
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from app.audio.decoding.decode_limits import DecodeLimits
from app.audio.decoding.decoder import decode_file
from app.audio.decoding.mp4 import ffmpeg_command, ffmpeg_path
from app.audio.errors import UnreadableAudio
from tests.audio.decoding.test_decoder_legal import encode, id3_header, pcm16, wav
from tests.audio.signals import noise, sine, write

LIMITS = DecodeLimits()


def refused(path: Path, limits: DecodeLimits = LIMITS) -> str:
    folder = path.with_suffix(".work")
    folder.mkdir(exist_ok=True)
    started = time.process_time()
    with pytest.raises(UnreadableAudio) as caught:
        decode_file(path, folder, limits)
    assert time.process_time() - started < 3.0
    assert caught.value.message.endswith(".")
    assert "  " not in caught.value.message
    return caught.value.message


def bytes_refused(tmp_path: Path, data: bytes, name: str = "a.wav") -> str:
    path = tmp_path / name
    path.write_bytes(data)
    return refused(path)


def fmt(channels: int = 1, rate_hz: int = 44_100, bits: int = 16, tag: int = 1) -> bytes:
    return struct.pack("<HHIIHH", tag, channels, rate_hz, 0, 0, bits)


def test_a_renamed_pdf_is_refused(tmp_path: Path) -> None:
    message = bytes_refused(tmp_path, b"%PDF-1.7\n" + bytes(1_000))
    assert message == "Not audio we can read (looks like PDF). Upload WAV, AIFF, FLAC, MP3, M4A or OGG."


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "This file is empty" in bytes_refused(tmp_path, b"")


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.m4a"])
@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nother.wav\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile other.wav\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=audio 5004 RTP/AVP 0\n",
    ],
)
def test_a_playlist_does_not_give_another_files_audio(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path / "other.wav", sine(440, 1.0))
    assert "playlist" in bytes_refused(tmp_path, text.encode(), name)


def test_ffmpeg_is_told_to_open_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "other.wav", sine(440, 1.0))
    (tmp_path / "in.m4a").write_text("ffconcat version 1.0\nfile other.wav\n")
    done = subprocess.run(ffmpeg_command(tmp_path, LIMITS), capture_output=True, check=False)
    assert done.returncode != 0
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("channels", [0, 9, 65_535])
def test_impossible_channel_counts_are_refused(tmp_path: Path, channels: int) -> None:
    message = bytes_refused(tmp_path, wav(bytes(4_000), fmt=fmt(channels=channels)))
    assert f"has {channels} channels" in message


@pytest.mark.parametrize("rate_hz", [0, 1, 3_999, 384_001, 2**31])
def test_impossible_sample_rates_are_refused(tmp_path: Path, rate_hz: int) -> None:
    assert f"{rate_hz} Hz" in bytes_refused(tmp_path, wav(bytes(4_000), fmt=fmt(rate_hz=rate_hz)))


@pytest.mark.parametrize("bits", [0, 40, 65_535])
def test_impossible_bit_depths_are_refused(tmp_path: Path, bits: int) -> None:
    assert f"{bits}-bit" in bytes_refused(tmp_path, wav(bytes(4_000), fmt=fmt(bits=bits)))


def test_an_unknown_compression_is_refused(tmp_path: Path) -> None:
    assert "compression" in bytes_refused(tmp_path, wav(bytes(4_000), fmt=fmt(tag=0x55)))


@pytest.mark.parametrize("length", [12, 20, 30, 40, 43])
def test_a_wav_cut_in_its_header_is_refused(tmp_path: Path, length: int) -> None:
    assert "cut short" in bytes_refused(tmp_path, wav(pcm16(sine(440, 1.0)))[:length])


def test_a_wav_with_a_header_only_is_refused(tmp_path: Path) -> None:
    message = bytes_refused(tmp_path, wav(pcm16(sine(440, 12.0)))[:44])
    assert message.startswith("This WAV is cut short: its header says 12.0 s, but it contains no audio.")
    assert "contains no audio" in bytes_refused(tmp_path, wav(b"", size=0), "b.wav")


def test_a_wav_that_holds_much_less_than_it_declares_is_refused(tmp_path: Path) -> None:
    message = bytes_refused(tmp_path, wav(pcm16(sine(440, 12.0)))[: 44 + 2 * 17_640])
    assert message == (
        "This WAV is cut short: its header says 12.0 s, but it contains only 0.4 s. "
        "Export it again and upload the new file."
    )


def test_a_huge_declared_length_takes_no_memory(tmp_path: Path) -> None:
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, 2**39, 2**39, 2**38, 0)
    head = b"RF64\xff\xff\xff\xffWAVE" + ds64 + b"fmt " + struct.pack("<I", 16) + fmt()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "cut short" in bytes_refused(tmp_path, head + b"data\xff\xff\xff\xff" + bytes(1_000))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_a_million_empty_chunks_are_refused(tmp_path: Path) -> None:
    data = b"RIFF\xff\xff\0\0WAVE" + b"junk\0\0\0\0" * 1_000_000
    assert "header chunks" in bytes_refused(tmp_path, data)


def test_an_id3_bomb_is_cut_off_before_it_is_parsed(tmp_path: Path) -> None:
    source = write(tmp_path / "source.wav", sine(440, 1.0))
    mp3 = encode(tmp_path / "a.mp3", source, "-c:a", "libmp3lame", "-id3v2_version", "0")
    frames = b"".join(b"TXXX\0\0\0\x0a\0\0\x03%04d\0abcd" % (n % 10_000) for n in range(100_000))
    size = len(frames)
    mp3.write_bytes(id3_header(size) + frames + mp3.read_bytes())
    (tmp_path / "work").mkdir()
    started = time.process_time()
    assert decode_file(mp3, tmp_path / "work").duration_s == pytest.approx(1.0, abs=0.1)
    assert time.process_time() - started < 1.0


def test_a_file_with_only_tags_is_refused(tmp_path: Path) -> None:
    assert "no audio" in bytes_refused(tmp_path, b"ID3\x04\0\0\0\0\0\x0a" + bytes(10), "a.mp3")
    assert "MP3" in bytes_refused(tmp_path, b"ID3\x04\0\0\0\0\0\x0a" + bytes(900), "b.mp3")


def test_a_playlist_behind_a_tag_is_refused(tmp_path: Path) -> None:
    tag = b"ID3\x04\0\0\0\0\x7f\x7f" + bytes(0x3FFF)
    assert "playlist" in bytes_refused(tmp_path, tag + b"#EXTM3U\nother.wav\n" + b"x" * 4_000, "a.mp3")


def test_a_file_of_nan_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.full((4_000, 2), np.nan, dtype=np.float32), subtype="FLOAT")
    assert "only invalid audio data" in refused(path)


def test_a_file_that_declares_too_much_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", np.zeros((8_000, 1), dtype=np.float32), 8_000)
    data = bytearray(path.read_bytes())
    data[22:26] = struct.pack(">I", 8_000 * 3_600 * 20)
    path.write_bytes(bytes(data))
    assert "longer than 30 minutes" in refused(path)


def test_a_long_file_of_undeclared_length_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", np.zeros((300_000, 1), dtype=np.float32), 8_000)
    data = bytearray(path.read_bytes())
    data[22:26] = bytes(4)
    path.write_bytes(bytes(data))
    assert "longer than" in refused(path, DecodeLimits(duration_max_s=20.0))


def test_too_many_values_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(1.0))
    assert "too long for its sample rate" in refused(path, DecodeLimits(values_max=40_000))


def test_a_video_and_an_m4a_without_its_index_are_refused(tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    subprocess.run(
        [
            ffmpeg_path(),
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc=d=1:s=64x64:r=5",
            "-pix_fmt",
            "yuv420p",
            video,
        ],
        check=True,
    )
    assert "video" in refused(video)
    source = write(tmp_path / "source.wav", sine(440, 1.0))
    m4a = encode(tmp_path / "b.m4a", source, "-c:a", "aac")
    m4a.write_bytes(m4a.read_bytes()[:4_000])
    assert "M4A" in refused(m4a)


@pytest.mark.parametrize("size", [2**62, 2**63, 2**64 - 1])
@pytest.mark.parametrize("atom", [b"free", b"moov", b"mdat"])
def test_an_m4a_with_an_atom_larger_than_any_disk_is_refused(tmp_path: Path, atom: bytes, size: int) -> None:
    source = write(tmp_path / "source.wav", sine(440, 0.2))
    data = encode(tmp_path / "a.m4a", source, "-c:a", "aac").read_bytes()
    head = data[: struct.unpack_from(">I", data)[0]]
    message = bytes_refused(tmp_path, head + struct.pack(">I4sQ", 1, atom, size) + data[len(head) :], "b.m4a")
    assert "no audio track" in message or "damaged" in message


def test_a_damaged_file_gives_audio_or_a_refusal(tmp_path: Path) -> None:
    source = write(tmp_path / "source.wav", sine(440, 0.3))
    files = [source.read_bytes(), write(tmp_path / "s.aiff", sine(440, 0.3)).read_bytes()]
    files += [encode(tmp_path / name, source).read_bytes() for name in ("a.flac", "a.mp3", "a.ogg", "a.opus")]
    dice = np.random.default_rng(404)
    for number in range(150):
        data = bytearray(files[number % len(files)])
        for _ in range(int(dice.integers(1, 12))):
            data[int(dice.integers(0, min(len(data), 200 if number % 2 else len(data))))] = int(
                dice.integers(256)
            )
        path = tmp_path / "damaged"
        path.write_bytes(bytes(data[: int(dice.integers(10, len(data) + 1))]))
        try:
            found = decode_file(path, tmp_path)
        except UnreadableAudio:
            continue
        assert np.isfinite(found.samples[:]).all()


def test_absurdly_loud_values_count_as_invalid(tmp_path: Path) -> None:
    tone = sine(440, 0.5)
    tone[100:110] = 3.4e38
    found = decode_file(write(tmp_path / "a.wav", tone, subtype="FLOAT"), tmp_path)
    assert np.abs(found.samples[:]).max() <= 1.0
    assert found.warnings
    with pytest.raises(UnreadableAudio):
        decode_file(write(tmp_path / "b.wav", np.full_like(tone, 3.4e38), subtype="FLOAT"), tmp_path)


def test_a_damaged_mp3_keeps_what_comes_before_the_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", sine(440, 4.0), format="MP3")
    content = bytearray(path.read_bytes())
    middle = len(content) * 3 // 4
    content[middle : middle + 3000] = bytes(3000)
    path.write_bytes(content)
    found = decode_file(path, tmp_path)
    assert found.duration_s > 2.0
