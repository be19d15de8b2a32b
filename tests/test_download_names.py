"""Names of downloads can be saved and opened on Windows, macOS and Linux."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.download_names import safe_file_name

PORTS = [f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³"]
DEVICES = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", *PORTS]
WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.I)


@pytest.mark.parametrize("device", DEVICES)
def test_no_name_is_a_device_of_windows(device: str) -> None:
    for stem in (device, device.lower(), device.title(), f"{device} ", f" {device}", f"{device}.tar"):
        for ending in ("", ".wav", ".WAV", ".mp3", " .wav", ".", " ", "..."):
            made = safe_file_name(stem + ending)
            assert not WINDOWS_DEVICE.fullmatch(made.strip()), made
            assert device.lower() in made.lower()
    for harmless in (f"{device}x.wav", f"my {device}.wav", f"{device}10.wav"):
        assert safe_file_name(harmless) == harmless


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dusty break 93.wav", "Dusty break 93.wav"),
        ("ド ラム.wav", "ド ラム.wav"),
        ("\U0001f469\u200d\U0001f3a4 vox.wav", "\U0001f469\u200d\U0001f3a4 vox.wav"),
        ("Loop #1 & 2 (dry) [x].wav", "Loop #1 & 2 (dry) [x].wav"),
        (".hidden.wav", "_.hidden.wav"),
        ("-rf.wav", "_-rf.wav"),
        ("..", "download"),
        ("", "download"),
        ("name. . .", "name"),
        ('a/b\\c:d*e?f"g<h>i|j\0.wav', "a_b_c_d_e_f_g_h_i_j_.wav"),
        ("あ" * 200 + ".wav", "あ" * 78 + ".wav"),
        ("x" * 300, "x" * 240),
    ],
)
def test_a_name_stays_as_near_as_it_can(name: str, expected: str) -> None:
    assert safe_file_name(name) == expected


@given(st.text(st.characters(), max_size=400))
def test_any_text_becomes_a_name_that_can_be_saved(text: str) -> None:
    name = safe_file_name(text)
    assert 1 <= len(name.encode()) <= 255
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', name)
    assert name[0] not in ".- "
    assert name[-1] not in ". "
    assert not WINDOWS_DEVICE.fullmatch(name)
    assert safe_file_name(name) == name
