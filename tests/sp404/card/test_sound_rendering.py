"""Sounds of a kit's folder are rendered as its pads say, and say what was done to them."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import pytest

from app.sp404.card.sound_rendering import render_sounds
from app.sp404.errors import UnitFileError
from app.sp404.kit_document import PadDocument, SampleReference
from app.sp404.pad_settings import read_settings
from tests.sp404.card.made_kits import make_kit, write_wav_file

FASTER = {"version": 1, "bpm": 120.0, "from_bpm": 90.0}


def shaped(name: str = "", **settings: Any) -> PadDocument:
    return PadDocument(sample=SampleReference(name=name), locked=False, settings=read_settings(settings))


def frames_of(path: Path) -> tuple[int, int, int]:
    with wave.open(str(path)) as reader:
        return reader.getnframes(), reader.getnchannels(), reader.getframerate()


def test_each_pad_gets_its_own_sound_and_what_was_done_to_it(tmp_path: Path) -> None:
    files = {
        "A1": write_wav_file(tmp_path / "Short.wav", 1_000),
        "A2": write_wav_file(tmp_path / "Loop.wav", 88_200, 2, 44_100),
        "B3": write_wav_file(tmp_path / "Plain.wav", 48_000),
    }
    kit = make_kit({"A1": shaped("Tick"), "A2": shaped("Break", bpm=90.0, recipe=FASTER), "B3": shaped()})
    (tmp_path / "made").mkdir()
    sounds = render_sounds(kit, files, tmp_path / "made")
    assert {pad: (one.name, one.bpm, one.tempo_is_sure) for pad, one in sounds.items()} == {
        "A1": ("Tick", None, False),
        "A2": ("Break", 120.0, True),
        "B3": ("Plain", None, False),
    }
    lengths = {
        pad: (one.frames, one.channels, one.facts and one.facts.padding) for pad, one in sounds.items()
    }
    assert lengths == {
        "A1": (4_900, 1, 3_900),
        "A2": (72_000, 2, 0),
        "B3": (48_000, 1, 0),
    }
    assert {pad: one.done for pad, one in sounds.items()} == {
        "A1": ("3,900 frames of silence added: the unit needs 0.1 s.",),
        "A2": ("Converted from 44.1 kHz.", "Stretched to 75.0% of its length."),
        "B3": (),
    }
    at_44100 = {pad: frames_of(one.at_44100()) for pad, one in sounds.items() if one.at_44100}
    assert at_44100 == {"A1": (4_501, 1, 44_100), "A2": (66_150, 2, 44_100), "B3": (44_100, 1, 44_100)}


def test_a_sound_that_can_not_be_read_is_named_by_its_pad(tmp_path: Path) -> None:
    (tmp_path / "Broken.wav").write_bytes(b"no sound")
    with pytest.raises(UnitFileError, match=r"^J16: "):
        render_sounds(make_kit({"J16": shaped()}), {"J16": tmp_path / "Broken.wav"}, tmp_path)
