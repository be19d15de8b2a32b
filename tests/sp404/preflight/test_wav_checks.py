"""What the heads of WAVs say to the SP-404MKII and the SP-404SX: each limit at, below and above."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from app.sp404.preflight.wav_checks import check_sx_head, check_wav_head

MAX_FRAMES = 46_080_000


def wav_head(
    frames: int = 4_900, channels: int = 1, rate: int = 48_000, bits: int = 16, kind: int = 1
) -> bytes:
    size = frames * channels * 2
    align = channels * bits // 8
    form = struct.pack("<IHHIIHH", 16, kind, channels, rate, rate * align, align, bits)
    length, said = struct.pack("<I", 36 + size), struct.pack("<I", size)
    return b"RIFF" + length + b"WAVEfmt " + form + b"data" + said


def sx_head(size: int = 400, place: int = 5, channels: int = 1, **values: Any) -> bytes:
    """Return 512 bytes as the SP-404SX writes them: the pad's number at 58, the sound from 512 on."""
    head = bytearray(512)
    head[:36] = wav_head(**({"rate": 44_100, "channels": channels} | values))[:36]
    head[38:42] = b"RLND"
    head[58] = place
    head[504:508] = b"data"
    head[508:512] = struct.pack("<I", size)
    return bytes(head)


def faults_of(head: bytes, size_bytes: int | None = None) -> list[tuple[str, str]]:
    """Return the degrees and codes of a WAV whose file is as long as it says, unless a size is given."""
    said = struct.unpack("<I", head[40:44])[0] if len(head) >= 44 else 0
    found = check_wav_head(head, 44 + said if size_bytes is None else size_bytes)
    return [(degree, code) for degree, code, _ in found]


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (wav_head(), []),
        (wav_head(channels=2), []),
        (wav_head(channels=0), [("error", "channels")]),
        (wav_head(channels=3), [("error", "channels")]),
        (wav_head(0), [("error", "empty_sound")]),
        (wav_head(1), [("error", "too_short")]),
        (wav_head(4_899), [("error", "too_short")]),
        (wav_head(4_899, 2), [("error", "too_short")]),
        (wav_head(MAX_FRAMES), []),
        (wav_head(MAX_FRAMES, 2), []),
        (wav_head(MAX_FRAMES + 1), [("error", "too_long")]),
        (wav_head(rate=44_100), [("note", "not_canonical")]),
        (wav_head(rate=48_001), [("note", "not_canonical")]),
        (wav_head(bits=8), [("note", "not_canonical")]),
        (wav_head(bits=24), [("note", "not_canonical")]),
        (wav_head(bits=32), [("error", "not_canonical")]),
        (wav_head(kind=3), [("error", "not_canonical")]),
        (wav_head(kind=2, bits=8), [("error", "not_canonical")]),
        (wav_head()[:43], [("error", "not_a_wav")]),
        (b"RIFX" + wav_head()[4:], [("error", "not_a_wav")]),
        (wav_head()[:8] + b"wAVE" + wav_head()[12:], [("error", "not_a_wav")]),
        (wav_head()[:8] + b"WAVe" + wav_head()[12:], [("error", "not_a_wav")]),
        (wav_head()[:12] + b"JUNK" + wav_head()[16:], [("note", "extra_chunks")]),
        (wav_head()[:16] + b"\x12" + wav_head()[17:], [("note", "extra_chunks")]),
        (wav_head()[:36] + b"LIST" + wav_head()[40:], [("note", "extra_chunks")]),
    ],
)
def test_a_wav_loads_or_the_reason_is_named(head: bytes, found: list[tuple[str, str]]) -> None:
    assert faults_of(head) == found
    assert faults_of(head + bytes(468)) == found or len(head) < 44  # more of the file than its head


def test_a_file_has_as_many_bytes_as_its_header_counts() -> None:
    whole = 44 + 9_800
    for size in (whole - 1, whole + 1):
        ((_, code, text),) = check_wav_head(wav_head(), size)
        assert (code, text) == (
            "cut_off",
            f"Its header counts 9,800 bytes of sound, but {size - 44:,} are there.",
        )


@pytest.mark.parametrize(("behind", "degree"), [(1, "note"), (65_536, "note"), (65_537, "error")])
def test_other_chunks_may_lie_behind_the_sound(behind: int, degree: str) -> None:
    """More bytes than they may take, or than the file says it has, are sound that the header leaves out."""
    size_bytes = 44 + 9_800 + behind
    for shortened_by, found in ((0, degree), (1, "error")):
        head = b"RIFF" + struct.pack("<I", size_bytes - 8 - shortened_by) + wav_head()[8:]
        ((said, code, text),) = check_wav_head(head, size_bytes)
        assert (said, code) == (found, "extra_chunks" if found == "note" else "cut_off")
        assert (f"It has {behind:,} bytes behind its sound" in text) is (found == "note")


def test_the_sentences_have_the_numbers() -> None:
    for frames, length_ms in ((24, 0), (2_400, 50), (4_823, 100), (4_825, 101)):
        ((_, _, text),) = check_wav_head(wav_head(frames), 44 + 2 * frames)
        assert text == f"It is {length_ms} ms long; the unit needs about 100 ms."
    ((_, _, text),) = check_wav_head(wav_head(rate=96_000, bits=24), 0)
    assert text == "It has 96,000 Hz and 24 bits; the unit works with 48,000 Hz and 16 bits."
    ((_, _, text),) = check_wav_head(wav_head(kind=3, bits=32), 0)
    assert text.startswith("It has 48,000 Hz and 32 bits, and is not PCM; ")


@pytest.mark.parametrize(
    ("head", "size_bytes", "codes"),
    [
        (sx_head(), 912, []),
        (sx_head(channels=2), 912, []),
        (sx_head(), 911, ["cut_off"]),
        (sx_head(), 913, ["cut_off"]),
        (sx_head(0), 512, ["empty_sound"]),
        (sx_head(1), 513, []),
        (sx_head(place=4), 912, ["sx_pad"]),
        (sx_head(rate=48_000), 912, ["not_canonical"]),
        (sx_head(bits=24), 912, ["not_canonical"]),
        (sx_head(kind=3), 912, ["not_canonical"]),
        (sx_head(channels=0), 912, ["not_canonical"]),
        (sx_head(channels=3), 912, ["not_canonical"]),
        (sx_head()[:511], 911, ["not_a_wav"]),
        (b"RIFX" + sx_head()[4:], 912, ["not_a_wav"]),
        (sx_head()[:8] + b"x" + sx_head()[9:], 912, ["not_a_wav"]),
        (sx_head()[:15] + b"x" + sx_head()[16:], 912, ["not_a_wav"]),
        (sx_head()[:38] + b"LIST" + sx_head()[42:], 912, ["sx_header"]),
        (sx_head()[:38] + b"XLND" + sx_head()[42:], 912, ["sx_header"]),
        (sx_head()[:504] + b"dato" + sx_head()[508:], 912, ["sx_header"]),
    ],
)
def test_an_sx_plays_it_or_the_reason_is_named(head: bytes, size_bytes: int, codes: list[str]) -> None:
    found = list(check_sx_head(head, size_bytes, 5))
    assert [code for _, code, _ in found] == codes
    assert {degree for degree, _, _ in found} <= {"error"}


def test_the_sentences_about_an_sx_have_the_numbers() -> None:
    texts = [text for _, _, text in check_sx_head(sx_head(place=7, channels=6, rate=48_000), 900, 5)]
    assert texts == [
        "It has 48,000 Hz, 16 bits and 6 channels; an SP-404SX plays 44,100 Hz, 16 bits and 1 or 2 channels.",
        "It says that it is pad number 7, but its name says 5.",
        "Its header counts 400 bytes of sound, but 388 are there.",
    ]
