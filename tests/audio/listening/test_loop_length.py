"""A loop keeps its tempo in an MP3 that does not say how much silence its encoder added."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile

from app.audio.decoding.decoder import DecodedAudio, decode_file
from app.audio.estimation.tempo_estimator import beat_times, downbeat_times
from app.audio.file_report import measure_decoded
from app.audio.listening.front_end_features import extract_features
from app.audio.listening.loop_end import find_loop_end
from app.audio.listening.loop_length import find_loop_length
from tests.audio.signals import RATE_HZ, column, drums, hat, kick, noise, place, seconds, snare

SHINE = "ffmpeg -v error -y -i in.wav -c:a libshine -b:a 192k -write_xing 0 out.mp3"
FFMPEG = "ffmpeg -v error -y -i in.wav -c:a libmp3lame -b:a 192k -write_xing 0 out.mp3"
UNTAGGED = {
    "lame 128": "lame --quiet -t -b 128 in.wav out.mp3",
    "lame 320": "lame --quiet -t -b 320 in.wav out.mp3",
    "lame variable": "lame --quiet -t -V 2 in.wav out.mp3",
    "lame 22 kHz": "lame --quiet -t --resample 22.05 -b 64 in.wav out.mp3",
    "lame 48 kHz": "lame --quiet -t --resample 48 -b 192 in.wav out.mp3",
    "ffmpeg": FFMPEG,
}


def _played_loop(bpm: float, bars: int, *, seed: int = 0, fade_s: float = 0.0) -> np.ndarray:
    """Return drums played by hand in a room: no two hits alike, up to 16 ms off, cut while they ring."""
    rng, length = np.random.default_rng(seed), round(bars * 240 / bpm * RATE_HZ)
    out = np.zeros(length + 2 * RATE_HZ)
    for eighth in range(8 * bars):
        at_s = eighth * 30 / bpm + 0.012 + rng.uniform(-0.012, 0.012)
        place(out, rng.uniform(0.5, 1) * hat(seed + eighth), at_s)
        if eighth % 2 == 0:
            hit = snare(seed + eighth) if eighth % 4 == 2 else kick()
            place(out, rng.uniform(0.7, 1) * hit, at_s + rng.uniform(-0.004, 0.004))
    echo = 0.02 * rng.standard_normal(RATE_HZ // 2) * np.exp(-10 * seconds(0.5))
    room = scipy.signal.fftconvolve(out, echo)[:length]
    sound = out[:length] + room + 0.001 * rng.standard_normal(length)
    fade = np.minimum(1, np.arange(length, 0, -1) / max(fade_s * RATE_HZ, 1))
    return column(0.5 * fade * sound / np.abs(sound).max())


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


@pytest.mark.parametrize(
    ("name", "bpm"), list(zip(UNTAGGED, [87, 104.35, 126, 149, 173, 138.6], strict=True))
)
def test_a_loop_played_by_hand_has_its_length(name: str, bpm: float, tmp_path: Path) -> None:
    decoded = _encode(tmp_path, _played_loop(bpm, 1, seed=round(bpm)), UNTAGGED[name])
    features = extract_features(decoded.samples, decoded.sample_rate, decoded.padding)
    assert 240 / features.front_end.loop_s == pytest.approx(bpm, abs=0.05)
    assert np.abs(features.rhythm.bpm - bpm).min() < 0.05


@pytest.mark.parametrize("fade_s", [0.001, 0.002, 0.003])
def test_a_short_fade_at_the_end_leaves_the_length(fade_s: float, tmp_path: Path) -> None:
    decoded = _encode(tmp_path, _played_loop(121, 2, fade_s=fade_s), FFMPEG)
    features = extract_features(decoded.samples, decoded.sample_rate, decoded.padding)
    assert 480 / features.front_end.loop_s == pytest.approx(121, abs=0.05)


def test_a_gate_that_closes_before_the_end_leaves_the_length(tmp_path: Path) -> None:
    sound = drums(120, 8)
    sound += 0.05 * noise(4.0)
    sound[-round(0.008 * RATE_HZ) :] = 0
    decoded = _encode(tmp_path, sound, FFMPEG)
    features = extract_features(decoded.samples, decoded.sample_rate, decoded.padding)
    assert features.front_end.loop_s == pytest.approx(4.0, abs=0.001)


@pytest.mark.parametrize("bpm", [98, 120, 141])
def test_a_loop_whose_end_the_encoder_drops_has_its_length(bpm: float, tmp_path: Path) -> None:
    decoded = _encode(tmp_path, drums(bpm, 8), SHINE)
    features = extract_features(decoded.samples, decoded.sample_rate, decoded.padding)
    assert 480 / features.front_end.loop_s == pytest.approx(bpm, abs=0.05)


@pytest.mark.parametrize("end_s", [1.9004, 1.9111, 1.92])
def test_the_end_of_a_sound_is_found_to_a_quarter_of_a_millisecond(end_s: float) -> None:
    sound = noise(2.0)[: round(2.0 * 22_050), 0]
    sound[round(end_s * 22_050) :] *= 1e-3
    found = find_loop_end(sound, 22_050, 1.9, 1.925)
    assert found is not None
    assert found.time_s == pytest.approx(end_s, abs=0.00025)
    assert found.drop_db > 40


def test_a_sound_that_goes_on_or_dies_away_has_no_end() -> None:
    steady = noise(2.0)[: round(2.0 * 22_050), 0]
    assert find_loop_end(steady, 22_050, 1.9, 1.925) is None
    dying = steady * np.exp(-20 * np.arange(steady.size) / 22_050).astype(np.float32)
    assert find_loop_end(dying, 22_050, 1.9, 1.925) is None
    assert find_loop_end(np.zeros(44_100, np.float32), 22_050, 1.9, 1.925) is None


@pytest.mark.parametrize("bpm", [93, 117, 128, 147, 171])
def test_the_beats_of_an_untagged_loop_are_those_of_its_bars(bpm: float, tmp_path: Path) -> None:
    decoded = _encode(tmp_path, _played_loop(bpm, 2, seed=round(bpm)), FFMPEG)
    features = extract_features(decoded.samples, decoded.sample_rate, decoded.padding)
    beats = beat_times(bpm, features)
    assert len(beats) == 8
    assert downbeat_times(beats, features) == (beats[0], beats[4])
    assert beats[0] == pytest.approx(features.front_end.lead_s, abs=0.03)


def test_what_does_not_repeat_has_no_loop_length() -> None:
    assert find_loop_length(np.zeros(44_100, np.float32), 22_050, 1.9, 1.95) is None
    hiss = np.random.default_rng(5).standard_normal(44_100).astype(np.float32)
    assert find_loop_length(hiss, 22_050, 1.9, 1.95) is None


def test_a_file_without_padding_keeps_its_length() -> None:
    front_end = extract_features(drums(100, 4), RATE_HZ).front_end
    assert (front_end.loop_s, front_end.lead_s) == (front_end.duration_s, 0.0)
