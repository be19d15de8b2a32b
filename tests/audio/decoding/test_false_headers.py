"""Headers that contradict themselves: what sox and ffmpeg agree on is read with a warning, the rest refused.

`python -m benchmarks.header_agreement` asked both; these are their answers.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from app.audio.decoding.decoder import DecodedAudio, decode_file
from app.audio.errors import UnreadableAudio
from tests.audio.decoding.aiff_family import NAME, aiff_family, comm, form, ssnd
from tests.audio.decoding.pcm_packing import CHANNELS, CODINGS, Coding, apev2, chunk, id3v2, pack, tone
from tests.audio.decoding.test_decoder_legal import encode
from tests.audio.decoding.wav_family import LIST, OPEN_SIZES, fmt, rf64, riff, wav_family
from tests.audio.signals import write

SIXTEEN = Coding(16)
EACH = pytest.mark.parametrize(
    ("channels", "coding"),
    [(channels, coding) for channels in CHANNELS for coding in CODINGS],
    ids=lambda value: value.name if isinstance(value, Coding) else str(value),
)


def decode(folder: Path, data: bytes) -> DecodedAudio:
    path = folder / "file"
    path.write_bytes(data)
    return decode_file(path, folder)


def refusal(folder: Path, data: bytes) -> str:
    with pytest.raises(UnreadableAudio) as caught:
        decode(folder, data)
    return caught.value.message


def assert_is_tone(found: DecodedAudio, channels: int, frames: int = 4_410) -> None:
    samples = found.samples[:]
    assert samples.shape == (frames, channels)
    assert np.abs(samples - tone(channels)[:frames]).max() < 0.01


@EACH
def test_a_wav_is_read_by_its_bits_whatever_its_block_align(
    tmp_path: Path, channels: int, coding: Coding
) -> None:
    data, frame = chunk(b"data", pack(tone(channels), coding)), channels * coding.width
    for align in {0, 1, frame + 1, 2 * frame, 0xFFFF} - {frame, 4 * channels}:
        found = decode(tmp_path, riff(chunk(b"fmt ", fmt(channels, coding, align=align)), data))
        assert_is_tone(found, channels)
        assert "contradicts itself" in found.warnings[0], align


@EACH
def test_a_false_byte_rate_is_only_warned_about(tmp_path: Path, channels: int, coding: Coding) -> None:
    data = chunk(b"data", pack(tone(channels), coding))
    for rate in (0, 44_100 * 3 * channels, 0xFFFF_FFFF):
        if rate != 44_100 * channels * coding.width:
            found = decode(tmp_path, riff(chunk(b"fmt ", fmt(channels, coding, byte_rate=rate)), data))
            assert_is_tone(found, channels)
            assert len(found.warnings) == 1


def test_24_bits_in_four_bytes_are_read_when_they_are_stored_so(tmp_path: Path) -> None:
    whole = np.rint(tone(1) * (2**23 - 1)).astype("<i4") << 8
    head = chunk(b"fmt ", fmt(1, Coding(24), align=4, byte_rate=4 * 44_100))
    found = decode(tmp_path, riff(head, chunk(b"data", whole.astype("<i4").tobytes())))
    assert_is_tone(found, 1)
    assert not found.warnings
    assert "differently" in refusal(tmp_path, riff(head, chunk(b"data", pack(tone(1), Coding(24)))))


def test_0_bits_are_read_by_the_block_align_with_a_warning(tmp_path: Path) -> None:
    data = chunk(b"data", pack(tone(2), SIXTEEN))
    found = decode(tmp_path, riff(chunk(b"fmt ", fmt(2, SIXTEEN, bits=0)), data))
    assert_is_tone(found, 2)
    assert "0 bits" in found.warnings[0]
    assert "0-bit" in refusal(tmp_path, riff(chunk(b"fmt ", fmt(2, SIXTEEN, bits=0, align=0)), data))


@EACH
def test_a_length_of_nothing_ends_at_the_tags(tmp_path: Path, channels: int, coding: Coding) -> None:
    head, data = chunk(b"fmt ", fmt(channels, coding)), pack(tone(channels), coding)
    behind = LIST + chunk(b"id3 ", id3v2(bytes(301))) + chunk(b"bext", bytes(603))
    found = decode(tmp_path, riff(head, chunk(b"data", data, size=0), behind))
    assert_is_tone(found, channels)
    assert "no audio" in found.warnings[0]


@pytest.mark.parametrize("size", OPEN_SIZES)
@pytest.mark.parametrize("behind", [b"", LIST, LIST + chunk(b"odd ", b"abc") + LIST])
def test_a_length_that_was_never_filled_in_is_read_to_the_tags(
    tmp_path: Path, size: int, behind: bytes
) -> None:
    head, data = chunk(b"fmt ", fmt(2, SIXTEEN)), pack(tone(2), SIXTEEN)
    found = decode(tmp_path, riff(head, chunk(b"data", data, size=size), behind))
    assert_is_tone(found, 2)
    assert not found.warnings


def test_a_chunk_name_in_the_audio_does_not_end_it(tmp_path: Path) -> None:
    data = bytearray(pack(tone(1), SIXTEEN))
    data[1_000:1_012] = b"LIST\x04\0\0\0INFO"
    data[3_000:3_004] = b"data"
    found = decode(tmp_path, riff(chunk(b"fmt ", fmt(1, SIXTEEN)), chunk(b"data", bytes(data), size=0)))
    assert len(found.samples) == 4_410


def test_a_million_false_chunk_names_cost_no_time(tmp_path: Path) -> None:
    data = b"LIST\0\0\0\0" * 1_000_000 + bytes(7)
    found = decode(tmp_path, riff(chunk(b"fmt ", fmt(1, SIXTEEN)), chunk(b"data", data, size=0)))
    assert len(found.samples) == 4_000_004


@pytest.mark.parametrize("size", [2, 10, 100])
def test_a_length_much_shorter_than_the_file_is_kept_with_a_warning(tmp_path: Path, size: int) -> None:
    head, data = chunk(b"fmt ", fmt(1, SIXTEEN)), pack(tone(1), SIXTEEN)
    found = decode(tmp_path, riff(head, chunk(b"data", data, size=size)))
    assert_is_tone(found, 1, size // 2)
    assert "ends earlier" in found.warnings[0]


def test_two_different_sounds_in_a_wav_are_refused(tmp_path: Path) -> None:
    head, data = chunk(b"fmt ", fmt(1, SIXTEEN)), chunk(b"data", pack(tone(1), SIXTEEN))
    other = chunk(b"data", bytes(100))
    for between in (b"", LIST):
        assert "two sounds" in refusal(tmp_path, riff(head, data, between, other))
    assert_is_tone(decode(tmp_path, riff(head, data, LIST, data)), 1)
    assert_is_tone(decode(tmp_path, riff(head, chunk(b"data", b""), LIST, data)), 1)


def test_an_rf64_with_two_lengths_is_refused(tmp_path: Path) -> None:
    head, data = chunk(b"fmt ", fmt(1, SIXTEEN)), pack(tone(1), SIXTEEN)
    message = refusal(tmp_path, rf64(head, chunk(b"data", data), data_bytes=len(data) // 2))
    assert "two different lengths" in message
    found = decode(tmp_path, rf64(head, chunk(b"data", data, size=0), LIST, data_bytes=len(data)))
    assert_is_tone(found, 1)


@EACH
def test_an_aiff_is_as_long_as_its_sound_chunk(tmp_path: Path, channels: int, coding: Coding) -> None:
    data = pack(tone(channels), coding, ">")
    extra, kind = (b"FL32\0\0", b"AIFC") if coding.is_float else (b"", b"AIFF")
    for frames in (1, 2_205, 4_409 - 20, 8_820, 0x7FFF_FFFF):
        head = comm(channels, coding, frames, kind=extra)
        found = decode(tmp_path, form(head, ssnd(data), NAME, kind=kind))
        assert_is_tone(found, channels)
        assert "two different lengths" in found.warnings[0]
    for size in (0x7FFF_FFFF, 0xFFFF_FFFF, 2 * len(data)):
        head = comm(channels, coding, 4_410, kind=extra)
        assert_is_tone(decode(tmp_path, form(head, ssnd(data, size=size), NAME, kind=kind)), channels)
    assert_is_tone(
        decode(tmp_path, form(comm(channels, coding, 0, kind=extra), ssnd(data, size=0), NAME, kind=kind)),
        channels,
    )


def test_impossible_aiff_headers_are_refused(tmp_path: Path) -> None:
    data = ssnd(pack(tone(1), SIXTEEN, ">"))
    assert "impossible length" in refusal(tmp_path, form(comm(1, SIXTEEN, 0xFFFF_FFFF), data))
    assert "64-bit" in refusal(tmp_path, form(comm(1, SIXTEEN, 4_410, bits=64), data))
    found = decode(tmp_path, form(comm(1, SIXTEEN, 4_410, bits=0), data))
    assert "0-bit" in found.warnings[0]


TAGS = {
    "v2.4": id3v2(bytes(200)), "v2.3": id3v2(bytes(200), 3), "v2.2": id3v2(bytes(90), 2),
    "footer": id3v2(bytes(200), 4, 0x10), "two": id3v2(bytes(10)) + id3v2(bytes(500), 3),
    "longer than the head": id3v2(bytes(100_000)), "ape": apev2(300),
    "ape and id3": apev2(9) + id3v2(bytes(9)),
}  # fmt: skip


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("sounds")
    sound = tone(2, 22_050).astype(np.float32)
    source = write(folder / "a.wav", sound)
    files = [source, *(write(folder / f"a.{kind}", sound, format=kind) for kind in ("aiff", "flac", "ogg"))]
    files += [encode(folder / "a.m4a", source, "-c:a", "alac"), encode(folder / "a.opus", source)]
    return [path.read_bytes() for path in files]


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_in_front_of_any_format_is_skipped(tmp_path: Path, sounds: list[bytes], tag: str) -> None:
    for data in sounds:
        plain, tagged = decode(tmp_path, data), decode(tmp_path, TAGS[tag] + data)
        assert (tagged.format, tagged.content_sha256) == (plain.format, plain.content_sha256)


@pytest.mark.parametrize(
    "behind",
    [b"TAG" + bytes(125), apev2(500), apev2(500) + b"TAG" + bytes(125), bytes(2_000), b"\x17junk" * 99],
)
def test_what_follows_a_flac_does_not_cost_its_end(tmp_path: Path, behind: bytes) -> None:
    path = write(tmp_path / "a.flac", tone(2, 30_000), subtype="PCM_16")
    found = decode(tmp_path, path.read_bytes() + behind)
    assert_is_tone_of(found, 30_000)


def test_a_flac_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "a.flac", tone(2, 30_000), subtype="PCM_16").read_bytes()
    packed = int.from_bytes(data[18:26], "big")
    for frames in (1, 100, 15_000):
        made = data[:18] + struct.pack(">Q", packed >> 36 << 36 | frames) + data[26:]
        assert "more audio" in refusal(tmp_path, made)
    faster = data[:18] + struct.pack(">Q", packed & (1 << 44) - 1 | 48_000 << 44) + data[26:]
    assert "contradicts its audio" in refusal(tmp_path, faster)
    nearly = data[:18] + struct.pack(">Q", packed >> 36 << 36 | 29_990) + data[26:]
    assert_is_tone_of(decode(tmp_path, nearly), 29_990)


def assert_is_tone_of(found: DecodedAudio, frames: int) -> None:
    assert found.samples.shape == (frames, 2)
    assert np.abs(found.samples[:] - tone(2, frames)).max() < 0.01
    assert not found.warnings


def test_every_false_header_is_read_or_refused_with_a_sentence(tmp_path: Path) -> None:
    files = [*wav_family(2, SIXTEEN), *wav_family(6, Coding(24)), *aiff_family(2, SIXTEEN)]
    for _, data in files:
        try:
            found = decode(tmp_path, data)
        except UnreadableAudio as error:
            sentences = [error.message]
        else:
            assert len(found.samples) > 0
            sentences = list(found.warnings)
        assert all(sentence.endswith(".") for sentence in sentences)
