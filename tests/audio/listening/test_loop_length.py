"""A loop keeps its tempo in an MP3 that does not say how much silence its encoder added."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio.decoding.decoder import DecodedAudio, decode_file
from app.audio.file_report import measure_decoded
from app.audio.listening.front_end_features import extract_features
from app.audio.listening.loop_length import find_loop_length
from tests.audio.signals import RATE_HZ, drums, noise

FFMPEG = "ffmpeg -v error -y -i in.wav -c:a libmp3lame -b:a 192k -write_xing 0 out.mp3"
UNTAGGED = {
    "lame 128": "lame --quiet -t -b 128 in.wav out.mp3",
    "lame 320": "lame --quiet -t -b 320 in.wav out.mp3",
    "lame variable": "lame --quiet -t -V 2 in.wav out.mp3",
    "lame 22 kHz": "lame --quiet -t --resample 22.05 -b 64 in.wav out.mp3",
    "lame 48 kHz": "lame --quiet -t --resample 48 -b 192 in.wav out.mp3",
    "ffmpeg": FFMPEG,
}


def _encode(folder: Path, sound: np.ndarray, command: str) -> DecodedAudio:
    soundfile.write(folder / "in.wav", sound, RATE_HZ)
    subprocess.run(command.split(), cwd=folder, check=True)
    return decode_file(folder / "out.mp3", folder)


@pytest.mark.parametrize("name", UNTAGGED)
def test_the_padding_of_an_untagged_mp3_is_known_to_a_granule(name: str, tmp_path: Path) -> None:
    sound = noise(2.0)
    decoded = _encode(tmp_path, sound, UNTAGGED[name])
    padding = decoded.padding
    assert padding is not None
    left = len(decoded.samples) - padding.lead - len(sound) * decoded.sample_rate / RATE_HZ
    assert padding.min_tail - 1 <= left <= padding.max_tail + 1


def test_an_mp3_that_tells_its_padding_has_none_left(tmp_path: Path) -> None:
    decoded = _encode(tmp_path, noise(2.0), "lame --quiet -b 192 in.wav out.mp3")
    assert decoded.padding is None
    assert len(decoded.samples) == 2 * RATE_HZ


@pytest.mark.parametrize("bpm", [86, 93, 100, 107, 114, 121, 128, 139, 147, 154, 163, 174])
@pytest.mark.parametrize("bars", [1, 2])
def test_an_untagged_loop_has_its_tempo(bpm: int, bars: int, tmp_path: Path) -> None:
    decoded = _encode(tmp_path, drums(bpm, 4 * bars), "lame --quiet -t -b 192 in.wav out.mp3")
    found = measure_decoded(decoded, "")
    assert found.kind == "loop"
    assert found.bpm == pytest.approx(bpm, abs=0.05)


@pytest.mark.parametrize("name", UNTAGGED)
def test_every_untagged_encoding_has_the_tempo(name: str, tmp_path: Path) -> None:
    assert measure_decoded(_encode(tmp_path, drums(128, 4), UNTAGGED[name]), "").bpm == pytest.approx(
        128, abs=0.05
    )


@pytest.mark.parametrize("bpm", [97.3, 123.45, 149.37])
def test_an_odd_tempo_is_among_the_candidates(bpm: float, tmp_path: Path) -> None:
    decoded = _encode(tmp_path, drums(bpm, 4), "lame --quiet -t -b 192 in.wav out.mp3")
    features = extract_features(decoded.samples, decoded.sample_rate, decoded.padding)
    assert features.front_end.loop_s == pytest.approx(240 / bpm, abs=0.001)
    assert np.abs(features.rhythm.bpm - bpm).min() < 0.05


def test_what_does_not_repeat_has_no_loop_length() -> None:
    assert find_loop_length(np.zeros(44_100, np.float32), 22_050, 1.9, 1.95) is None
    hiss = np.random.default_rng(5).standard_normal(44_100).astype(np.float32)
    assert find_loop_length(hiss, 22_050, 1.9, 1.95) is None


def test_a_file_without_padding_keeps_its_length() -> None:
    front_end = extract_features(drums(100, 4), RATE_HZ).front_end
    assert (front_end.loop_s, front_end.lead_s) == (front_end.duration_s, 0.0)
