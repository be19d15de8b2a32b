"""What PADCONF.BIN has about a pad becomes settings, and settings become those bytes."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.sp404.errors import UnitFileError
from app.sp404.pad_settings import PadSettings
from app.sp404.project.pad_blocks import (
    FRESH_BLOCK,
    check_positions,
    decode_pad,
    encode_pad,
    guess_channels,
    is_used,
)
from app.sp404.unit_limits import PLAY_MODES, POLY_MODES, ROLLS
from tests.sp404.project.made_files import block, chop_table, name_field, record

SIZE = 512 + 4 * 19_178

# A setting, the word it is in, and that word; positions are those of a stereo sound of 19,178 frames.
CASES: list[tuple[dict[str, Any], dict[str, int]]] = [
    ({"level": 0}, {"w3": 0}),
    ({"gate": False}, {"w4": 0}),
    ({"loop": True}, {"w5": 0x7FFFFFFF}),
    ({"mute_group": 10}, {"w7": 10}),
    ({"bpm_sync": True}, {"w8": 1}),
    ({"bpm": 75.17}, {"w9": 7517}),
    ({"fixed_velocity": True}, {"w10": 1}),
    ({"poly_mode": "legato"}, {"w10": 8}),
    ({"poly_mode": "poly"}, {"w10": 16}),
    ({"one_shot": True, "gate": False}, {"w10": 32, "w4": 0}),
    ({"pitch": -12}, {"w13": -12}),
    ({"fine": -100}, {"w14": -100}),
    ({"play_mode": "reverse"}, {"w15": 1}),
    ({"play_mode": "ping-pong"}, {"w15": 2}),
    ({"play_mode": "reverse ping-pong"}, {"w15": 3}),
    ({"speed": 74.07}, {"w16": 7407}),
    ({"vinyl": False}, {"w17": 0}),
    ({"pan": 127}, {"w18": 127}),
    ({"pad_link": 1}, {"w19": 1}),
    ({"bus": 0}, {"w20": 0}),
    ({"roll": "off"}, {"w21": 0}),
    ({"roll": "1/16"}, {"w21": 4}),
    ({"roll": "3/8"}, {"w21": 7}),
    ({"attack": 5}, {"w22": 5}),
    ({"hold": 1}, {"w23": 1}),
    ({"release": 127}, {"w24": 127}),
    ({"start": 1000}, {"w1": 4512, "w11": 4512}),
    ({"start": 1000, "loop_top": 2000}, {"w1": 4512, "w11": 8512}),
    ({"end": 9589}, {"w2": 512 + 4 * 9589}),
]


@pytest.mark.parametrize(("changes", "words"), CASES)
def test_each_setting_has_its_word(changes: dict[str, Any], words: dict[str, int]) -> None:
    expected = block(SIZE, "Kick", **words)
    assert encode_pad(PadSettings(name="Kick", **changes), SIZE, 2) == expected
    assert decode_pad(expected, 2) == (PadSettings(name="Kick", **changes), SIZE, ())


def test_a_fresh_pad_is_what_the_unit_writes() -> None:
    assert record() + name_field() + chop_table() == FRESH_BLOCK
    chopped = PadSettings(name="Amen", chops=(0, 4795, 9590, 14_384))
    assert encode_pad(chopped, SIZE, 2) == block(SIZE, "Amen", (0, 4795, 9590, 14_384))
    assert decode_pad(block(SIZE, "Amen", (0,)), 2).settings == PadSettings(name="Amen", chops=(0,))


def test_positions_of_a_mono_pad_count_two_bytes_a_frame() -> None:
    expected = block(512 + 2 * 5000, w1=512 + 200, w2=512 + 400, w11=512 + 200)
    assert encode_pad(PadSettings(start=100, end=200), 512 + 2 * 5000, 1) == expected


@st.composite
def pad_settings(draw: st.DrawFn, frames: int) -> PadSettings:
    """Draw settings that a sound of so many frames can have."""
    start = draw(st.integers(0, frames - 2))
    top = draw(st.none() | st.integers(start, frames - 2))
    end = draw(st.none() | st.integers(max(start, top or 0) + 1, frames - 1))
    one_shot = draw(st.booleans())
    chops = sorted(draw(st.sets(st.integers(1, frames - 1), max_size=15)))
    return PadSettings(
        name=draw(st.text("abcXYZ 019_!&()+,-.=@[]{}", max_size=23)).rstrip(" "),
        level=draw(st.integers(0, 127)),
        pan=draw(st.integers(0, 127)),
        gate=not one_shot and draw(st.booleans()),
        loop=not one_shot and draw(st.booleans()),
        one_shot=one_shot,
        play_mode=draw(st.sampled_from(PLAY_MODES)),
        mute_group=draw(st.integers(0, 10)),
        pad_link=draw(st.integers(0, 10)),
        bus=draw(st.integers(0, 2)),
        roll=draw(st.sampled_from(ROLLS)),
        bpm=draw(st.integers(4000, 20_000)) / 100,
        bpm_sync=draw(st.booleans()),
        pitch=draw(st.integers(-12, 12)),
        fine=draw(st.integers(-100, 100)),
        speed=draw(st.integers(5000, 15_000)) / 100,
        vinyl=draw(st.booleans()),
        fixed_velocity=draw(st.booleans()),
        poly_mode=draw(st.sampled_from(POLY_MODES)),
        attack=draw(st.integers(0, 127)),
        hold=draw(st.integers(1, 100)),
        release=draw(st.integers(0, 127)),
        start=start,
        end=end,
        loop_top=None if top == start else top,
        chops=(0, *chops) if chops else (),
    )


@settings(deadline=None)
@given(pad_settings(frames=6000), st.sampled_from([1, 2]))
def test_any_settings_come_back(wanted: PadSettings, channels: int) -> None:
    size = 512 + 2 * channels * 6000
    assert decode_pad(encode_pad(wanted, size, channels), channels) == (wanted, size, ())


@settings(deadline=None)
@given(
    st.binary(min_size=324, max_size=324)
    | st.lists(st.sampled_from([0, 1, 2, 3, 512, 516, 9000, -1]), min_size=81, max_size=81).map(
        lambda words: struct.pack(">81i", *words)
    ),
    st.sampled_from([1, 2]),
)
def test_bytes_that_nobody_changed_stay(data: bytes, channels: int) -> None:
    found = decode_pad(data, channels)
    assert encode_pad(found.settings, found.size_bytes, channels) == data


@settings(max_examples=100, deadline=None)
@given(pad_settings(frames=6000), st.sampled_from(CASES[:-3]), st.randoms(use_true_random=False))
def test_of_a_changed_pad_only_the_change_differs(
    old: PadSettings, case: tuple[dict[str, Any], dict[str, int]], random: Any
) -> None:
    changes, words = case
    assume("loop" not in changes or not old.one_shot)
    size = 512 + 4 * 6000
    before = bytearray(encode_pad(old, size, 2))
    for place in (6, 12, 25, 42):  # words without a name
        struct.pack_into(">i", before, 4 * place, random.randrange(1 << 30))
    before[4 * 10 + 3] |= 0x06  # flags without a setting here
    before[-1] = 7
    found = decode_pad(bytes(before), 2)
    assert found.settings.model_copy(update={"kept": ""}) == old
    after = encode_pad(found.settings.changed(changes), size, 2)
    known = {int(word[1:]) for word in words}
    if old.one_shot and "gate" in changes:
        known.add(4)
    if changes.get("one_shot"):
        known |= {4, 5}
    differing = {place // 4 for place in range(324) if before[place] != after[place]}
    assert differing <= known
    assert decode_pad(after, 2).settings.model_dump(include=set(changes)) == changes


@pytest.mark.parametrize(("old", "new"), list(itertools.permutations(POLY_MODES, 2)))
def test_one_way_to_play_chromatically_takes_the_place_of_another(old: str, new: str) -> None:
    before = bytearray(encode_pad(PadSettings().changed({"poly_mode": old}), SIZE, 2))
    before[-1] = 7  # of no setting here, so the whole block is kept
    after = encode_pad(decode_pad(bytes(before), 2).settings.changed({"poly_mode": new}), SIZE, 2)
    assert decode_pad(after, 2).settings.poly_mode == new


@pytest.mark.parametrize(
    ("words", "fault", "kept_setting"),
    [
        ({"w3": 128}, "Level is a whole number from 0 to 127. The unit's default was taken.", ("level", 127)),
        (
            {"w9": 0},
            "BPM is 40 to 200, with at most two decimals. The unit's default was taken.",
            ("bpm", 90.0),
        ),
        ({"w15": 4}, "Play mode is one of", ("play_mode", "forward")),
        ({"w10": 0x18}, "Chromatic is one of", ("poly_mode", "mono")),
        ({"w5": 1}, "Loop is true (on) or false (off)", ("loop", False)),
        ({"w10": 0x20}, "The gate and loop did not fit", ("one_shot", True)),
        ({"w10": 0x20, "w4": 5}, "Gate is true", ("gate", False)),
        ({"w2": 512}, "The start and end did not fit", ("end", None)),
        ({"w1": 514, "w11": 514}, "stand inside a frame", ("start", 0)),
        ({"w11": 256}, "Loop top is a whole number of frames", ("loop_top", None)),
        ({"w0": 100, "w2": 100}, "The sound is said to have 100 bytes", ("end", None)),
        ({"w0": 512, "w2": 512}, "The sound is said to have 512 bytes", ("end", None)),
        ({"w10": 0x20, "w4": 0, "w2": 512}, "The start and end did not fit", ("one_shot", True)),
        ({"w1": 4512, "w11": 4508}, "The loop top did not fit", ("start", 1000)),
        ({"w10": 0x20, "w3": 128}, "The gate and loop did not fit", ("gate", False)),
    ],
)
def test_what_the_unit_can_not_have_is_said(
    words: dict[str, int], fault: str, kept_setting: tuple[str, Any]
) -> None:
    found = decode_pad(block(SIZE, "Kick", **words), 2)
    assert [one for one in found.faults if one.startswith(fault) or fault in one], found.faults
    assert getattr(found.settings, kept_setting[0]) == kept_setting[1]
    assert found.settings.name == "Kick"


def test_a_name_is_read_to_its_first_zero() -> None:
    strange = record(SIZE) + b"Kick  \0left over\0" + bytes(7) + chop_table()
    found = decode_pad(strange, 2)
    assert (found.settings.name, found.faults) == ("Kick", ())
    assert encode_pad(found.settings, SIZE, 2) == strange
    renamed = encode_pad(found.settings.changed({"name": "Snare"}), SIZE, 2)
    assert renamed[172:196] == name_field("Snare")
    accents = decode_pad(record(SIZE) + name_field("Bröken") + chop_table(), 2)
    assert accents.settings.name.startswith("Br")
    assert len(accents.faults) == 1


@pytest.mark.parametrize("chops", [(0, 9, 5), (0, 9, 9), (1, 9)])
def test_chops_that_do_not_rise_from_zero_are_said(chops: tuple[int, ...]) -> None:
    found = decode_pad(block(SIZE, "Kick", chops, w1=4512, w11=4512), 2)
    assert found.faults == ("The chops did not fit the other settings; the unit's default was taken.",)
    assert (found.settings.chops, found.settings.start) == ((), 1000)


def test_good_chops_stay_where_the_positions_do_not_fit() -> None:
    found = decode_pad(block(SIZE, "Kick", (0, 9), w1=4512, w2=512, w11=4512), 2)
    assert found.faults == (
        "The start and end did not fit the other settings; the unit's default was taken.",
    )
    assert (found.settings.chops, found.settings.start, found.settings.end) == ((0, 9), 0, None)


def test_positions_past_the_end_are_refused() -> None:
    assert check_positions(PadSettings(end=100, chops=(0, 99)), 100) is None
    assert check_positions(PadSettings(end=101), 100) == "End is at frame 101, but the sound has 100 frames."
    assert check_positions(PadSettings(start=100), 100) is not None
    late_chop = "A chop is at frame 100, but the sound has 100 frames."
    assert check_positions(PadSettings(chops=(0, 100)), 100) == late_chop
    with pytest.raises(UnitFileError, match="End is at frame 19,179, but the sound has 19,178 frames"):
        encode_pad(PadSettings(end=19_179), SIZE, 2)
    with pytest.raises(UnitFileError, match="kept with the pad are not those of a project"):
        encode_pad(PadSettings(kept="00ff"), SIZE, 2)
    with pytest.raises(UnitFileError, match="a pad holds 1 to 46,080,000 frames"):
        encode_pad(PadSettings(), 512, 2)


def test_a_loop_top_of_zero_is_none() -> None:
    unset = block(SIZE, "Kick", w1=4512, w11=0)
    found = decode_pad(unset, 2)
    assert (found.settings.loop_top, found.faults) == (None, ())
    assert encode_pad(found.settings, SIZE, 2) == unset


def test_a_new_sound_moves_the_end_with_it() -> None:
    found = decode_pad(block(SIZE, "Kick", w12=5), 2)
    assert found.settings.end is None
    assert encode_pad(found.settings, 1512, 2) == block(1512, "Kick", w12=5)


def test_a_size_that_is_no_whole_number_of_stereo_frames_is_mono() -> None:
    assert guess_channels(block(SIZE)) == 2
    assert guess_channels(block(512 + 2 * 5001)) == 1
    assert guess_channels(block(SIZE, w1=514, w11=514)) == 1


def test_a_sound_has_one_frame_at_least_and_sixteen_minutes_at_most() -> None:
    for size in (516, 512 + 4 * 46_080_000):
        assert decode_pad(block(size), 2).faults == (), size
        assert encode_pad(PadSettings(), size, 2) == block(size)
    assert len(decode_pad(block(512 + 4 * 46_080_001), 2).faults) == 1


def test_a_pad_is_used_if_its_sound_has_any_bytes() -> None:
    assert not is_used(FRESH_BLOCK)
    assert not is_used(block(0, "Kick", (0, 9)))
    assert all(is_used(block(size)) for size in (1, 256, 1 << 16, 1 << 24))
