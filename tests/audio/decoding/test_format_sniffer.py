"""The first bytes decide the format, and a refusal names what the file looks like."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio.decoding.content_names import describe_content, refusal_message
from app.audio.decoding.format_sniffer import (
    AIFF,
    FLAC,
    M4A,
    MP3,
    OPUS,
    VORBIS,
    WAV,
    AudioFormat,
    sniff_format,
)
from app.audio.decoding.leading_tags import id3v2_size

ROOT = Path(__file__).resolve().parents[3]
FRAME = b"\xff\xfb\x90\x00" + bytes(413)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"RIFF\x24\0\0\0WAVEfmt ", WAV),
        (b"RF64\xff\xff\xff\xffWAVEds64", WAV),
        (b"FORM\0\0\0\0AIFFCOMM", AIFF),
        (b"FORM\0\0\0\0AIFCFVER", AIFF),
        (b"fLaC\0\0\0\x22", FLAC),
        (b"OggS\0\x02" + bytes(22) + b"\x01vorbis", VORBIS),
        (b"OggS\0\x02" + bytes(22) + b"OpusHead", OPUS),
        (b"\0\0\0\x20ftypM4A \0\0\0\0", M4A),
        (FRAME * 2, MP3),
        (b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + FRAME * 2, MP3),
        (b"ID3\x04\0\0\0\x7f\x7f\x7f" + bytes(100), MP3),
    ],
)
def test_each_format_is_recognised_by_its_first_bytes(head: bytes, expected: AudioFormat) -> None:
    assert sniff_format(head) is expected


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG"),
        (b"PK\x03\x04\x14\0", "ZIP"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n", "playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "playlist"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", "playlist"),
        (b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash'>", "playlist"),
        (b"hello producer\n", "text"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x1aE\xdf\xa3\x01", "video"),
        (b"\0\0\0\x18ftypheic", "image"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"MThd\0\0\0\x06", "MIDI"),
        (b"\xff\xf1\x50\x80\0\x1f\xfc", "AAC"),
        (b"\xff", "unknown"),
        (bytes(64), "zeros"),
    ],
)
def test_a_refusal_names_what_the_file_looks_like(head: bytes, name: str) -> None:
    assert sniff_format(head) is None
    assert name in describe_content(head)
    assert refusal_message(head).startswith("Not audio we can read (looks like ")


def test_an_empty_file_is_called_empty() -> None:
    assert sniff_format(b"") is None
    assert refusal_message(b"").startswith("This file is empty.")


@given(st.binary(max_size=300))
def test_sniffing_never_fails(head: bytes) -> None:
    found = sniff_format(head)
    assert found is None or isinstance(found, AudioFormat)
    assert describe_content(head)
    assert id3v2_size(head) >= 0


def test_two_accidental_sync_bytes_are_no_mp3() -> None:
    assert sniff_format(FRAME[:417] + b"not a frame at all") is None


def test_the_web_process_loads_no_numpy() -> None:
    modules = "app.audio.decoding.format_sniffer, app.audio.errors, app.sandbox.runner, app.sp404.pad_names"
    code = f"import sys, {modules}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
