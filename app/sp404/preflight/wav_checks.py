"""Check a WAV on a card by its bytes: the unit loads 16-bit PCM of 48 kHz after a header of 44 bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from app.audio.unit_format import MAX_FRAMES, MIN_FRAMES, RATE_HZ
from app.sp404.card.sx_card import AUDIO_AT, SX_RATE_HZ
from app.sp404.preflight.findings import ERROR, NOTE, Degree, Finding
from app.sp404.project.pcm_files import SAMPLE_BYTES, WAV_HEADER_BYTES

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
HEAD_BYTES = AUDIO_AT
PCM = 1
RIFF_BYTES = 8
"""The name RIFF and the length itself, which the length of a WAV does not count."""
MAX_BEHIND = 65_536
"""Bytes that other chunks may take. More behind the sound is sound that its header does not count."""

WavFault = tuple[Degree, str, str]
"""Degree, code and sentence."""


def check_wav_head(head: bytes, size_bytes: int) -> Iterator[WavFault]:
    """Yield what is wrong with a WAV for the SP-404MKII.

    Parameters
    ----------
    head : bytes
        At least the first 44 bytes of the file.
    size_bytes : int
        Of the whole file.
    """
    if len(head) < WAV_HEADER_BYTES or head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        yield ERROR, "not_a_wav", "It is no WAV; the unit answers “Unsupported FILE”."
        return
    fields = HEADER.unpack(head[:WAV_HEADER_BYTES])
    _riff, length, _wave, name, fmt_bytes, kind, channels, rate, _speed, _align, bits, data, size = fields
    if (name, fmt_bytes, data) != (b"fmt ", 16, b"data"):
        yield NOTE, "extra_chunks", "Its header is not the plain one of 44 bytes, which always loads."
        return
    if kind != PCM or bits != 8 * SAMPLE_BYTES or rate != RATE_HZ:
        text = f"It has {rate:,} Hz and {bits} bits{'' if kind == PCM else ', and is not PCM'}"
        yield _degree_of(kind, bits), "not_canonical", f"{text}; the unit works with 48,000 Hz and 16 bits."
        return
    if channels not in (1, 2):
        yield ERROR, "channels", f"It has {channels:,} channels; the unit plays mono and stereo."
        return
    behind = size_bytes - WAV_HEADER_BYTES - size
    if 0 < behind <= MAX_BEHIND and length == size_bytes - RIFF_BYTES:
        yield (
            NOTE,
            "extra_chunks",
            f"It has {behind:,} bytes behind its sound, which the unit most likely skips.",
        )
    elif behind:
        yield (
            ERROR,
            "cut_off",
            f"Its header counts {size:,} bytes of sound, but {size_bytes - 44:,} are there.",
        )
    yield from _check_frames(size // (channels * SAMPLE_BYTES))


def check_sx_head(head: bytes, size_bytes: int, place: int) -> Iterator[WavFault]:
    """Yield what is wrong with a WAV for the SP-404SX.

    Parameters
    ----------
    head : bytes
        The first 512 bytes of the file.
    size_bytes : int
        Of the whole file.
    place : int
        Of its pad, 0 to 119.
    """
    if len(head) < AUDIO_AT or head[:4] != b"RIFF" or head[8:16] != b"WAVEfmt ":
        yield ERROR, "not_a_wav", "It is no WAV of an SP-404SX."
        return
    kind, channels, rate, _speed, _align, bits = struct.unpack("<HHIIHH", head[20:36])
    if (kind, rate, bits) != (PCM, SX_RATE_HZ, 16) or channels not in (1, 2):
        yield (
            ERROR,
            "not_canonical",
            f"It has {rate:,} Hz, {bits} bits and {channels:,} channels; an SP-404SX plays 44,100 Hz, "
            "16 bits and 1 or 2 channels.",
        )
    if head[38:42] != b"RLND" or head[AUDIO_AT - 8 : AUDIO_AT - 4] != b"data":
        yield ERROR, "sx_header", "Its audio does not begin at byte 512."
        return
    if head[58] != place:
        yield ERROR, "sx_pad", f"It says that it is pad number {head[58]}, but its name says {place}."
    size = struct.unpack("<I", head[AUDIO_AT - 4 : AUDIO_AT])[0]
    if AUDIO_AT + size != size_bytes:
        yield (
            ERROR,
            "cut_off",
            f"Its header counts {size:,} bytes of sound, but {size_bytes - 512:,} are there.",
        )
    if not size:
        yield ERROR, "empty_sound", "It has no sound."


def findings_of(path: str, faults: Iterator[WavFault]) -> Iterator[Finding]:
    """Yield a finding for each fault of a file."""
    for degree, code, text in faults:
        yield Finding(degree, code, path, text)


def read_head(file: BinaryIO) -> bytes:
    """Return the part of a file that has all headers."""
    return file.read(HEAD_BYTES)


def _degree_of(kind: int, bits: int) -> Degree:
    """Return whether the unit refuses such a WAV: it converts other rates and PCM of 8 and 24 bits."""
    return NOTE if kind == PCM and bits in (8, 16, 24) else ERROR


def _check_frames(frames: int) -> Iterator[WavFault]:
    if frames == 0:
        yield ERROR, "empty_sound", "It has no sound."
    elif frames < MIN_FRAMES:
        yield ERROR, "too_short", f"It is {frames * 1000 / RATE_HZ:.0f} ms long; the unit needs about 100 ms."
    elif frames > MAX_FRAMES:
        yield ERROR, "too_long", "It is longer than the 16 minutes that a pad holds."
