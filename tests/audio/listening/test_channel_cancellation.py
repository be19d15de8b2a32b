"""A sound that left and right cancel out is heard; any other sound is left as it was."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import soxr

from app.audio.analyzer import analyze_sound
from app.audio.listening.channel_cancellation import VANISHES_IN_MONO, WEAKENED_IN_MONO
from app.audio.listening.downmix import mix_to_mono
from app.audio.listening.front_end import RATE_HZ as FRONT_END_HZ
from app.audio.listening.zero_crossings import snap_to_zero_crossing
from tests.audio.signals import RATE_HZ, chord, drums, hertz, noise, sine

Samples = npt.NDArray[np.float32]

DRUMS = drums(96, 8)
PADS = np.concatenate([chord((57, 60, 64), 2.5), chord((53, 57, 60), 2.5)])[: len(DRUMS)]


def _stereo(left: Samples, right: Samples) -> Samples:
    return np.hstack([left, right]).astype(np.float32)


def _late(y: Samples, seconds: float) -> Samples:
    return np.concatenate([np.zeros((round(seconds * RATE_HZ), 1), np.float32), y])[: len(y)]


def _mixed(sound: Samples) -> Samples:
    return mix_to_mono(sound, len(sound), RATE_HZ, FRONT_END_HZ)[0]


def _level_db(y: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(y, dtype=np.float64)) + 1e-30))


@pytest.mark.parametrize("gain", [-1.0, -0.7, -1.4])
def test_drums_with_one_side_turned_over_sound_as_in_mono(gain: float) -> None:
    mono = analyze_sound(np.hstack([DRUMS, DRUMS]), RATE_HZ)
    turned = analyze_sound(_stereo(DRUMS, np.float32(gain) * DRUMS), RATE_HZ)
    assert turned.bpm == pytest.approx(96.0, abs=0.01)
    assert (turned.bpm, turned.kind, turned.key) == (mono.bpm, mono.kind, mono.key)
    assert len(turned.onsets) == len(mono.onsets)


def test_a_note_with_one_side_turned_over_is_named() -> None:
    y = sine(hertz(57), 1.5) * np.exp(-3 * np.arange(round(1.5 * RATE_HZ)) / RATE_HZ)[:, None]
    found = analyze_sound(_stereo(y, -y), RATE_HZ)
    assert (found.note, found.kind) == ("A3", "one-shot")


@pytest.mark.parametrize("quiet_left", [True, False])
def test_the_louder_side_is_taken_where_both_cancel(quiet_left: bool) -> None:
    quiet = np.float32(-0.6) * DRUMS
    mixed = _mixed(_stereo(quiet, DRUMS) if quiet_left else _stereo(DRUMS, quiet))
    loud = _mixed(DRUMS)
    assert abs(_level_db(mixed) - _level_db(loud)) < 1.0


def test_pads_that_are_only_in_the_difference_are_heard_beside_the_drums() -> None:
    drums_only, wide = _stereo(DRUMS, DRUMS), _stereo(DRUMS + PADS, DRUMS - PADS)
    both = _mixed(DRUMS + PADS)
    assert _level_db(_mixed(wide) - both) < _level_db(both) - 15
    assert analyze_sound(wide, RATE_HZ).key == analyze_sound(_stereo(DRUMS + PADS, DRUMS + PADS), RATE_HZ).key
    assert analyze_sound(drums_only, RATE_HZ).key is None


def test_the_half_of_a_file_that_is_turned_over_is_heard() -> None:
    turned = DRUMS.copy()
    turned[len(turned) // 2 :] *= -1
    mixed, mono = _mixed(_stereo(DRUMS, turned)), _mixed(DRUMS)
    late = slice(int(0.6 * len(mono)), None)
    assert abs(_level_db(mixed[late]) - _level_db(mono[late])) < 0.5


ORDINARY = {
    "centred": _stereo(DRUMS, DRUMS),
    "left only": _stereo(DRUMS, 0 * DRUMS),
    "quieter right": _stereo(DRUMS, np.float32(0.3) * DRUMS),
    "delayed": _stereo(DRUMS, _late(DRUMS, 0.015)),
    "independent noise": _stereo(noise(4, seed=1), noise(4, seed=2)),
    "wide, but not too wide": _stereo(PADS + np.float32(0.7) * _late(PADS, 0.3), PADS),
    "short": _stereo(noise(0.02, seed=3), noise(0.02, seed=4)),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_stereo_is_the_mean_to_the_last_bit(name: str) -> None:
    sound = ORDINARY[name]
    mean = sound.mean(axis=1, dtype=np.float32)
    mean -= np.float32(float(sound.sum(dtype=np.float64)) / sound.size)
    expected = soxr.resample(mean, RATE_HZ, FRONT_END_HZ, quality="HQ")
    mixed = _mixed(sound)
    shared = min(len(mixed), len(expected))
    assert abs(len(mixed) - len(expected)) <= 1
    assert np.array_equal(mixed[:shared], expected[:shared])


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_stereo_gets_no_warning(name: str) -> None:
    assert not analyze_sound(ORDINARY[name], RATE_HZ).warnings


@pytest.mark.parametrize(
    ("sound", "expected"),
    [
        (_stereo(DRUMS, -DRUMS), (VANISHES_IN_MONO,)),
        (_stereo(DRUMS, np.float32(-0.95) * DRUMS) + np.float32(0.05), (VANISHES_IN_MONO,)),
        (_stereo(DRUMS, np.float32(-0.7) * DRUMS), (WEAKENED_IN_MONO,)),
        (_stereo(DRUMS + PADS, DRUMS - PADS), (WEAKENED_IN_MONO,)),
        (np.zeros((RATE_HZ, 2), np.float32), ()),
    ],
)
def test_the_owner_is_told_what_vanishes_in_mono(sound: Samples, expected: tuple[str, ...]) -> None:
    assert analyze_sound(sound, RATE_HZ).warnings == expected


def test_the_loudest_of_four_channels_is_taken_when_they_cancel() -> None:
    y = np.float32(0.5) * DRUMS
    sound = np.hstack([y, -DRUMS, DRUMS, -y]).astype(np.float32)
    assert _level_db(_mixed(sound)) == pytest.approx(_level_db(_mixed(DRUMS)), abs=0.1)
    assert analyze_sound(sound, RATE_HZ).warnings == (VANISHES_IN_MONO,)


@pytest.mark.parametrize("rate_hz", [8_000, 96_000])
def test_every_rate_is_compared(rate_hz: int) -> None:
    y = soxr.resample(DRUMS, RATE_HZ, rate_hz)
    mixed, lost = mix_to_mono(_stereo(y, -y), len(y), rate_hz, FRONT_END_HZ)
    assert lost.mono_level_db < -100
    assert _level_db(mixed) > -40


def test_an_onset_moves_to_a_zero_crossing_of_a_side_when_the_sides_cancel() -> None:
    tone = sine(200, 1.0)
    time_s = snap_to_zero_crossing(0.5013, _stereo(tone, -tone), RATE_HZ)
    assert time_s == snap_to_zero_crossing(0.5013, tone, RATE_HZ)
    assert time_s == pytest.approx(0.5025, abs=1.5 / RATE_HZ)
