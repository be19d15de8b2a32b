"""Cuts are where the hits and the beats are, far enough apart, and at zero crossings."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from app.audio.analyzer import analyze_sound
from app.audio.render.chop import bar_times, beat_times, chop_recipes, find_chops
from app.audio.render.recipe import RecipeError
from app.audio.result import Analysis
from tests.audio.render.sounds import RATE, Studio, hits, sine
from tests.audio.synthetic_music import lay

TIMES = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 1.75]
SOUND = hits(TIMES, 2.0)


@cache
def heard() -> Analysis:
    return replace(
        analyze_sound(SOUND, RATE), bpm=120.0, beats=(0.0, 0.5, 1.0, 1.5), downbeats=(0.0,), duration_s=2.0
    )


def chops(analysis: Analysis | None = None, **how: Any) -> list[int]:
    return list(find_chops(analysis or heard(), SOUND, RATE, **how))


def test_cuts_are_at_the_hits() -> None:
    cuts = chops()
    assert len(cuts) == len(TIMES)
    assert np.abs(np.array(cuts) / RATE - TIMES).max() < 0.005


def test_the_strongest_hits_are_kept_in_order_of_time() -> None:
    onsets = ((0.0, 1.0), (0.25, 0.3), (0.5, 0.9), (0.75, 0.2), (1.0, 0.8), (1.5, 0.7))
    assert [round(cut / RATE, 2) for cut in chops(replace(heard(), onsets=onsets), count=4)] == [
        0,
        0.5,
        1,
        1.5,
    ]


def test_weak_hits_count_only_when_asked() -> None:
    analysis = replace(heard(), onsets=((0.0, 1.0), (0.5, 0.45), (1.0, 0.05)))
    assert len(chops(analysis, sensitivity=0.0)) == 1
    assert len(chops(analysis, sensitivity=0.5)) == 2
    assert len(chops(analysis, sensitivity=1.0)) == 3


def test_no_two_cuts_are_nearer_than_60_ms_unless_asked() -> None:
    analysis = replace(heard(), onsets=((0.0, 1.0), (0.03, 0.9), (0.5, 0.6), (0.55, 0.8), (1.96, 0.9)))
    assert [round(cut / RATE, 2) for cut in chops(analysis)] == [0, 0.55]
    assert len(chops(analysis, min_gap_s=0.0)) == 5


def test_a_hit_of_half_the_strongest_counts_at_any_sensitivity() -> None:
    for strength, count in ((0.5, 2), (0.49, 1)):
        analysis = replace(heard(), onsets=((0.0, 1.0), (0.5, strength)))
        assert len(chops(analysis, sensitivity=0.0)) == count


def test_hits_just_as_far_apart_as_asked_all_count() -> None:
    """A sixteenth of a second and its multiples are exact, as numbers and in frames."""
    onsets = ((0.0625, 1.0), (0.125, 0.9), (0.1875 - 2 / RATE, 0.8), (1.9375, 0.7))
    cuts = chops(replace(heard(), onsets=onsets), min_gap_s=0.0625)
    assert cuts == [0, 3000, 6000, 93_000]


def test_without_a_gap_a_slice_may_have_one_frame() -> None:
    analysis = replace(heard(), onsets=((0.0, 1.0), (1 / RATE, 0.9), (2.0, 0.8)))
    assert chops(analysis, min_gap_s=0.0) == [0, 1, 96_000]


def test_a_cut_that_moves_too_near_to_the_start_is_left_out() -> None:
    """The crossings of 300 Hz are 1.7 ms apart: 60.5 ms moves to 60."""
    analysis = replace(heard(), beats=(0.0, 0.0605, 1.0))
    sound = sine(300, 2.0)
    assert len(find_chops(analysis, sound, RATE, by="beats", min_gap_s=0.0595)) == 3
    assert len(find_chops(analysis, sound, RATE, by="beats", min_gap_s=0.0605)) == 2


def test_steps_that_are_too_near_are_thinned_out() -> None:
    """Sixteenths at 300 BPM are 50 ms apart, so every second of them is cut at."""
    quick = replace(heard(), bpm=300.0, beats=tuple(k / 5 for k in range(10)))
    assert np.allclose(np.diff(chops(quick, by="grid", count=160)), RATE / 10, atol=0.004 * RATE)
    assert chops(quick, by="grid", count=160, min_gap_s=1.5) == [0]


@pytest.mark.parametrize(("seconds", "parts"), [(0.05, 1), (0.06, 1), (0.119, 1), (0.12, 2), (0.2, 3)])
def test_a_short_sound_has_as_many_equal_parts_as_fit(seconds: float, parts: int) -> None:
    sound = np.zeros((round(seconds * RATE), 1), dtype=np.float32)
    assert len(find_chops(heard(), sound, RATE, by="equal", count=16)) == parts


def test_bars_are_the_measured_ones_or_four_beats_each() -> None:
    assert bar_times(replace(heard(), downbeats=(0.5,))) == (0.5,)
    assert bar_times(replace(heard(), downbeats=())) == (0.0,)
    counted = replace(heard(), bpm=60.0, beats=(), downbeats=(), duration_s=60.0)
    assert beat_times(counted) == tuple(range(61))
    assert bar_times(counted) == tuple(range(0, 61, 4))
    assert beat_times(replace(counted, bpm=None)) == ()


@pytest.mark.parametrize(
    ("by", "count", "expected"),
    [
        ("beats", 16, [0, 0.5, 1, 1.5]),
        ("beats", 3, [0, 1]),
        ("bars", 16, [0]),
        ("grid", 16, [k / 8 for k in range(16)]),
        ("grid", 8, [k / 4 for k in range(8)]),
        ("equal", 5, [0, 0.4, 0.8, 1.2, 1.6]),
        ("equal", 160, [k * 2 / 33 for k in range(33)]),  # 60 ms each at least
    ],
)
def test_steady_cuts(by: str, count: int, expected: list[float]) -> None:
    cuts = np.array(chops(by=by, count=count)) / RATE
    assert len(cuts) == len(expected)
    assert np.abs(cuts - expected).max() <= 0.002


@pytest.mark.parametrize(("count", "expected"), [(5, [0, 0.2, 0.7, 1.2, 1.7]), (4, [0, 0.2, 1.2]), (1, [0])])
def test_a_start_before_the_first_beat_counts_as_a_slice(count: int, expected: list[float]) -> None:
    analysis = replace(heard(), beats=(0.2, 0.7, 1.2, 1.7))
    assert [round(cut / RATE, 1) for cut in chops(analysis, by="beats", count=count)] == expected


def test_a_tempo_without_beats_has_steady_ones() -> None:
    analysis = replace(heard(), bpm=60.0, beats=(), downbeats=())
    assert [round(cut / RATE, 1) for cut in chops(analysis, by="beats")] == [0, 1]


@pytest.mark.parametrize(
    ("count", "starts"),
    [
        (4, [0, 4_795, 9_590, 14_384]),
        (16, [*range(0, 11_990, 1_199), *range(11_990, 19_178, 1_198)]),
    ],
)
def test_equal_parts_are_those_of_the_unit(count: int, starts: list[int]) -> None:
    """The unit cuts 19,178 frames like this: the first parts have the frames that are left over."""
    sound = np.zeros((19_178, 1), dtype=np.float32)
    analysis = replace(heard(), duration_s=19_178 / RATE, sample_rate=RATE)
    cuts = find_chops(analysis, sound, RATE, by="equal", count=count, min_gap_s=0.0)
    assert list(cuts) == starts


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"by": "ear"}, "is cut by one of"),
        ({"count": 0}, "into 1 to 160 slices"),
        ({"count": 161}, "into 1 to 160 slices"),
        ({"sensitivity": 1.1}, "between 0 and 1"),
        ({"sensitivity": -0.1}, "between 0 and 1"),
    ],
)
def test_what_makes_no_sense_is_said(how: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        chops(**how)


def test_a_sound_without_a_tempo_can_not_be_cut_by_it() -> None:
    with pytest.raises(RecipeError, match="No tempo is known"):
        chops(replace(heard(), bpm=None, beats=(), downbeats=()), by="beats")


@pytest.mark.parametrize("offset", [0.0, 0.4])
def test_cuts_are_at_zero_crossings_or_at_the_quietest_frame(offset: float) -> None:
    sound = sine(300, 2.0, level=0.3) + np.float32(offset)
    analysis = replace(heard(), beats=(0.0, 0.50077, 1.20031))
    for cut in find_chops(analysis, sound, RATE, by="beats")[1:]:
        around = sound[cut - 96 : cut + 97, 0]
        if offset:
            assert sound[cut, 0] == pytest.approx(np.abs(around).min(), abs=0.002)
        else:
            assert sound[cut - 1, 0] * sound[cut, 0] <= 0


def test_cuts_at_onsets_stay_where_the_analysis_put_them() -> None:
    analysis = replace(heard(), onsets=((0.0, 1.0), (0.5003, 0.9)))
    assert sine(300)[round(0.5003 * RATE), 0] > 0.2  # no zero crossing: cutting does not search for one again
    assert find_chops(analysis, sine(300, 2.0), RATE)[1:] == (round(0.5003 * RATE),)


def test_cuts_at_onsets_of_another_rate_move_to_zero_crossings() -> None:
    """A frame of the analysis is none of the sound, so its zero crossing is not one either."""
    analysis = replace(heard(), onsets=((0.0, 1.0), (0.5003, 0.9)), sample_rate=RATE // 2)
    sound = sine(300, 2.0)
    [_, cut] = find_chops(analysis, sound, RATE)
    assert sound[cut - 1, 0] * sound[cut, 0] <= 0
    assert cut / RATE == pytest.approx(0.5003, abs=0.002)


def test_soft_hats_between_loud_drums_are_cut_at() -> None:
    times = [k / 8 for k in range(16)]
    strokes = [
        (time, "kick" if k % 4 == 0 else "hat", 0.8 if k % 4 == 0 else 0.05) for k, time in enumerate(times)
    ]
    sound = lay(strokes, 2.0).astype(np.float32)[:, None]
    cuts = find_chops(analyze_sound(sound, 44_100), sound, 44_100, count=16)
    assert len(cuts) == 16
    assert np.abs(np.array(cuts) / 44_100 - times).max() < 0.005


def test_slices_together_are_the_whole_sound(studio: Studio) -> None:
    cuts = find_chops(heard(), SOUND, RATE)
    recipes = chop_recipes(cuts, len(SOUND))
    assert [recipe.start for recipe in recipes] == list(cuts)
    assert all(first.end == after.start for first, after in pairwise(recipes))
    assert recipes[-1].end == len(SOUND)
    assert {(recipe.fade_in_ms, recipe.fade_out_ms) for recipe in recipes} == {(1.0, 2.5)}
    _, made = studio.render(SOUND, **recipes[1].model_dump())
    assert len(made) == cuts[2] - cuts[1]
    middle = slice(48, -120)  # between the fades of 1 and 2.5 ms
    assert np.abs(made[middle] - SOUND[cuts[1] : cuts[2]][middle]).max() <= 2 / 32768
    assert np.abs(made[[0, -1]]).max() <= 1 / 32768  # silence with dither
