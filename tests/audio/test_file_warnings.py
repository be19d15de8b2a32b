"""The owner of a file is warned of a wrong extension and of a sound that is too short to hear."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.audio.file_report import measure_file
from tests.audio.signals import Samples, sine, write


def warnings(path: Path, sound: Samples, kind: str = "WAV") -> list[str]:
    return list(measure_file(write(path, sound, format=kind))["warnings"])


@pytest.mark.parametrize("name", ["Kick.txt", "kick.EXE", "kick.mp3", "kick.flac", "kick.wav.zip"])
def test_a_wav_with_another_extension_is_named(tmp_path: Path, name: str) -> None:
    extension = name.rsplit(".", 1)[1].lower()
    assert warnings(tmp_path / name, sine(440, 0.5)) == [
        f"The file is named .{extension}, but it is a WAV. We read it as that."
    ]


@pytest.mark.parametrize("name", ["kick.wav", "KICK.WAVE", "kick", "Kick v1.2", "Loop 92.5bpm", "kick.final"])
def test_a_name_that_fits_or_has_no_extension_is_fine(tmp_path: Path, name: str) -> None:
    assert warnings(tmp_path / name, sine(440, 0.5)) == []


@pytest.mark.parametrize(("kind", "name"), [("AIFF", "a.aif"), ("FLAC", "a.flac"), ("OGG", "a.oga")])
def test_every_format_has_its_own_extensions(tmp_path: Path, kind: str, name: str) -> None:
    assert warnings(tmp_path / name, sine(440, 0.5), kind) == []
    assert kind in warnings(tmp_path / "b.wav", sine(440, 0.5), kind)[0]


@pytest.mark.parametrize("frames", [1, 2, 10, 100])
def test_a_sound_of_a_few_samples_is_told(tmp_path: Path, frames: int) -> None:
    said = warnings(tmp_path / "a.wav", sine(440, 1.0)[:frames])
    assert len(said) == 1
    assert said[0].startswith(f"This sound is only {frames} sample")


def test_a_short_click_is_no_such_sound(tmp_path: Path) -> None:
    assert warnings(tmp_path / "a.wav", sine(440, 0.02)) == []
