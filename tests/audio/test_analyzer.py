"""The whole analysis: its JSON, unusual sounds, beats, onsets and the evidence of file names."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from app.audio.analyzer import analyze_sound
from app.audio.file_facts import FileFacts
from app.audio.similarity.layout import LENGTH
from tests.audio.signals import RATE_HZ, Samples, chord, drums, noise, sine

FIELDS = {
    "engine_version", "format", "duration_s", "sample_rate", "channels", "bit_depth", "bpm", "bpm_confidence",
    "bpm_source", "bpm_candidates", "beats", "downbeats", "key", "key_confidence", "key_source",
    "key_candidates", "tuning_cents", "note", "note_cents", "note_end", "kind", "kind_confidence",
    "sound", "sound_confidence", "sound_candidates", "loudness_db", "loudness_unit", "peak_db",
    "true_peak_db", "rms_db", "crest_db", "attack_ms", "brightness", "noisiness", "spectral", "onsets",
    "timbre", "timbre_version", "similarity", "similarity_version", "fingerprint", "peaks", "bars",
    "content_sha256", "warnings",
}  # fmt: skip


def assert_plain(value: Any) -> None:
    if isinstance(value, dict):
        for item in value.values():
            assert_plain(item)
    elif isinstance(value, list):
        for item in value:
            assert_plain(item)
    else:
        assert value is None or type(value) in (str, int, float, bool)
        assert not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize(
    "samples",
    [
        drums(93, 8), chord((60, 63, 67), 2.0), noise(0.01), np.ones((1, 1), dtype=np.float32),
        np.zeros((5, 2), dtype=np.float32), np.full((9_000, 8), 1.0, dtype=np.float32), sine(1.0, 3.0),
        sine(440, 2.0, level=30.0), sine(440, 1.0, level=1e-6), np.zeros((RATE_HZ * 9, 1), dtype=np.float32),
    ],
    ids=["loop", "chord", "10 ms", "a sample", "5 zeros", "8 channels", "1 Hz", "hot", "faint", "silence"],
)  # fmt: skip
def test_every_sound_gives_plain_json_with_the_same_fields(samples: Samples) -> None:
    found = analyze_sound(samples, RATE_HZ).to_dict()
    assert set(found) == FIELDS
    assert_plain(found)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (len(found["peaks"]), len(found["bars"]), len(found["timbre"])) == (800, 64, 26)
    assert len(found["similarity"]) == LENGTH
    assert all(0 <= value <= 255 for value in found["peaks"] + found["bars"])
    assert len(found["spectral"]["mfcc"]["mean"]) == 13
    assert len(found["spectral"]["chroma"]["mean"]) == 12
    assert len(found["spectral"]["bands_db"]) == 32
    assert len(found["spectral"]["loudness_course"]) == 64
    assert 0 <= found["brightness"] <= 100
    assert 0 <= found["noisiness"] <= 100


@pytest.mark.parametrize("rate_hz", [4_000, 8_000, 44_100, 384_000])
def test_every_sample_rate_is_analysed(rate_hz: int) -> None:
    found = analyze_sound(sine(440, 1.0, rate_hz=rate_hz), rate_hz)
    assert found.duration_s == pytest.approx(1.0)
    assert found.note == "A4"


def test_no_samples_are_an_error() -> None:
    with pytest.raises(ValueError, match="no samples"):
        analyze_sound(np.zeros((0, 1), dtype=np.float32), RATE_HZ)


@pytest.mark.parametrize("bpm", [87, 93, 120, 133.7])
def test_a_loop_of_16_beats_has_16_beats_and_begins_with_a_bar(bpm: float) -> None:
    """The beat at the very end begins the next round, however the length was rounded to a sample."""
    found = analyze_sound(drums(bpm, 16), RATE_HZ)
    assert len(found.beats) == 16
    assert found.downbeats == found.beats[::4]
    assert found.downbeats == pytest.approx([240 / bpm * bar for bar in range(4)], abs=0.02)


def test_a_note_says_how_far_it_is_out_of_tune_and_a_drum_does_not() -> None:
    found = analyze_sound(chord((57.3,), 1.0), RATE_HZ)
    assert found.note == "A3"
    assert found.note_cents == pytest.approx(30, abs=5)
    hit = analyze_sound(drums(120, 1), RATE_HZ)
    assert (hit.note, hit.note_cents) == (None, None)


def test_onsets_are_cut_where_the_sound_itself_crosses_zero() -> None:
    """Exact to a sample of the file, although onsets are detected at a lower rate."""
    samples = drums(93, 8) + sine(300, 8 * 60 / 93, level=0.05)
    found = analyze_sound(samples, RATE_HZ)
    assert len(found.onsets) > 12
    assert max(strength for _, strength in found.onsets) == 1.0
    for time_s, _ in found.onsets:
        at = round(time_s * RATE_HZ)
        before, here = samples[max(at - 1, 0), 0], samples[at, 0]
        assert at == 0 or here == 0 or (before < 0) != (here < 0)


def test_noise_is_noisier_and_brighter_than_a_bass() -> None:
    hiss, bass = analyze_sound(noise(1.0), RATE_HZ), analyze_sound(sine(60, 1.0), RATE_HZ)
    assert None not in (hiss.noisiness, bass.noisiness, hiss.brightness, bass.brightness)
    assert (hiss.noisiness or 0) > 80 > 5 > (bass.noisiness or 0)
    assert (hiss.brightness or 0) > 75 > 30 > (bass.brightness or 0)
    assert hiss.spectral.centroid_hz.mean == pytest.approx(5_512, rel=0.05)


def test_a_name_confirms_the_tempo_and_gives_a_key_when_none_is_detected() -> None:
    """A confirmed tempo stays the measured one."""
    found = analyze_sound(drums(93, 8), RATE_HZ, FileFacts(name="break 93bpm.wav"))
    assert (found.bpm_source, found.bpm_confidence >= 0.97) == ("detected", True)
    assert found.bpm == pytest.approx(93, abs=0.05)
    named = analyze_sound(drums(93, 8), RATE_HZ, FileFacts(name="SM_NP_93_break_Dmaj.wav"))
    assert (named.key, named.key_source) == ("D major", "file name")


def test_a_name_never_overrides_a_sure_tempo() -> None:
    found = analyze_sound(drums(93, 8), RATE_HZ, FileFacts(name="loop 117bpm.wav"))
    assert found.bpm == pytest.approx(93, abs=0.05)
    assert found.bpm_source == "detected"
    assert any("117" in warning for warning in found.warnings)


def test_a_name_without_facts_changes_nothing() -> None:
    found = analyze_sound(drums(93, 8), RATE_HZ, FileFacts(name="my loop.wav"))
    assert found.bpm_source == "detected"


def test_a_contradicting_name_is_reported() -> None:
    found = analyze_sound(chord((60, 63, 67), 2.0), RATE_HZ, FileFacts(name="pad_F#maj.wav"))
    assert (found.key, found.key_source) == ("C minor", "detected")
    assert found.warnings == ("The file name says F# major; we hear C minor.",)


def test_peaks_and_bars_follow_the_sound() -> None:
    samples = np.vstack([sine(440, 1.0, level=0.25), np.zeros((RATE_HZ, 1), dtype=np.float32)])
    found = analyze_sound(samples, RATE_HZ)
    assert found.peaks[200] == pytest.approx(64, abs=2)
    assert found.peaks[600] == 0
    assert (found.bars[10], found.bars[50]) == (255, 0)
