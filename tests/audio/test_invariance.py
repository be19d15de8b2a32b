"""Changes that must not matter leave the analysis as it is, and others move tempo, key and note along.

Tempo is compared within 0.3 %; key and kind must be the same. The tests of the estimators do this for each.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.analyzer import analyze_sound
from app.audio.decoding.mp4 import ffmpeg_path
from app.audio.file_report import measure_file
from app.audio.result import Analysis
from app.music.pitch_names import PITCH_NAMES, note_name
from tests.audio.synthetic_music import RATE, Sound, beat, chords, hit, tone

BPM, TONIC = 112, 60
BAR_S = 240 / BPM


def music() -> Sound:
    """Four bars of drums over a cadence in C minor."""
    harmony = chords([(TONIC, True), (TONIC + 5, True), (TONIC + 7, True), (TONIC, True)], BAR_S)
    drums = beat(BPM, 4)
    return np.asarray(0.3 * drums[: harmony.size] + 0.05 * harmony[: drums.size])


SOUNDS: dict[str, Callable[[], Sound]] = {
    "music": music,
    "kick": lambda: 0.5 * hit("kick"),
    "note": lambda: 0.2 * tone(57, 1.0),
}
FEW_EXAMPLES = settings(max_examples=6, deadline=None, derandomize=True)


def analysed(y: Sound, rate: int = RATE) -> Analysis:
    return analyze_sound(np.asarray(y, dtype=np.float32).reshape(len(y), -1), rate)


def facts(found: Analysis) -> tuple[str | None, ...]:
    return found.kind, found.key, found.note


def assert_alike(one: Analysis, other: Analysis) -> None:
    assert facts(one) == facts(other)
    assert_same_tempo(one.bpm, other.bpm)


def assert_same_tempo(one: float | None, other: float | None) -> None:
    assert (one is None) == (other is None)
    assert one is None or one == pytest.approx(other, rel=0.003)


@pytest.fixture(scope="module", params=SOUNDS)
def sound(request: pytest.FixtureRequest) -> tuple[Sound, Analysis]:
    y = SOUNDS[request.param]()
    return y, analysed(y)


def test_the_test_sounds_are_analysed_as_they_were_made() -> None:
    found = analysed(music())
    assert (found.kind, found.key) == ("loop", "C minor")
    assert found.bpm == pytest.approx(BPM, rel=0.001)
    assert facts(analysed(SOUNDS["kick"]()))[:2] == ("one-shot", None)
    assert facts(analysed(SOUNDS["note"]())) == ("one-shot", None, "A3")


@FEW_EXAMPLES
@given(gain_db=st.floats(-40, 12), flip=st.booleans(), wait_s=st.floats(0, 0.4), pan=st.floats(0.2, 1))
def test_gain_polarity_silence_before_it_and_channels_do_not_matter(
    sound: tuple[Sound, Analysis], gain_db: float, flip: bool, wait_s: float, pan: float
) -> None:
    y, plain = sound
    gain = 10 ** (gain_db / 20) * (-1 if flip else 1)
    later = np.concatenate([np.zeros(round(wait_s * RATE)), gain * y])
    assert_alike(analysed(np.stack([later, pan * later], axis=1)), plain)


@pytest.mark.parametrize("rate", [16_000, 32_000, 48_000, 192_000])
def test_the_sample_rate_does_not_matter(sound: tuple[Sound, Analysis], rate: int) -> None:
    y, plain = sound
    assert_alike(analysed(soxr.resample(y, RATE, rate), rate), plain)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", {"subtype": "PCM_24"}), ("b.wav", {"subtype": "PCM_U8"}), ("a.aiff", {}), ("a.flac", {}),
        ("a.mp3", {}), ("a.ogg", {}), ("a.opus", {"format": "OGG", "subtype": "OPUS"}), ("a.m4a", None),
    ],
)  # fmt: skip
def test_the_format_does_not_matter(
    tmp_path: Path, sound: tuple[Sound, Analysis], name: str, options: dict[str, str] | None
) -> None:
    y, plain = sound
    path, wav = tmp_path / name, tmp_path / "plain.wav"
    # Opus has no 44.1 kHz, so it is encoded at 48 kHz.
    rate = 48_000 if name.endswith("opus") else RATE
    soundfile.write(wav, soxr.resample(y, RATE, rate), rate, "PCM_16")
    if options is None:
        subprocess.run([ffmpeg_path(), "-v", "error", "-i", wav, "-c:a", "aac", path], check=True)
    else:
        soundfile.write(path, soxr.resample(y, RATE, rate), rate, **options)
    found = measure_file(path)
    assert (found["kind"], found["key"], found["note"]) == facts(plain)
    assert_same_tempo(found["bpm"], plain.bpm)


@FEW_EXAMPLES
@given(semitones=st.integers(-4, 3))
def test_playing_faster_moves_tempo_and_key_together(semitones: int) -> None:
    """Varispeed: n semitones up are the twelfth root of two faster, n times over."""
    ratio = 2 ** (semitones / 12)
    y = music()
    faster = np.interp(np.arange(0, y.size - 1, ratio), np.arange(y.size), y)
    found = analysed(faster)
    assert found.key == f"{PITCH_NAMES[semitones % 12]} minor"
    assert found.bpm == pytest.approx(BPM * ratio, rel=0.003)


@FEW_EXAMPLES
@given(midi=st.integers(36, 80), semitones=st.integers(-7, 7))
def test_a_note_moves_with_its_sound(midi: int, semitones: int) -> None:
    low, high = analysed(0.2 * tone(midi, 0.8)), analysed(0.2 * tone(midi + semitones, 0.8))
    assert high.note == note_name(midi + semitones)
    assert low.kind == high.kind == "one-shot"
