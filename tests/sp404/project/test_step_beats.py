"""Sixteen steps become a pattern of the unit, and come back from it where nothing is lost."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sp404.errors import UnitFileError
from app.sp404.kit_document import KitDocumentError, read_kit, write_kit
from app.sp404.pads import PAD_NAMES
from app.sp404.project.packed_patterns import MAX_PATTERNS_BYTES, pack_pattern, read_packed, unpack_pattern
from app.sp404.project.pattern_files import MAX_PATTERN_BYTES, PatternRecord, make_ending, read_pattern
from app.sp404.project.pattern_notes import PatternNote, compose_pattern, notes_of
from app.sp404.project.step_beats import StepBeat, beat_of_pattern, pattern_of_beat, read_beat
from tests.sp404.project.made_files import ONE_HIT

REST = (0,) * 15
LONGEST = bytes([0, 0x80, *[0] * 6]) * (MAX_PATTERN_BYTES // 8 - 2) + make_ending(1, "4/4")


@st.composite
def beats(draw: st.DrawFn) -> StepBeat:
    row = st.tuples(*[st.one_of(st.just(0), st.integers(1, 127))] * 16).filter(any)
    rows = draw(st.dictionaries(st.sampled_from(PAD_NAMES), row, min_size=1, max_size=5))
    has_late = any(any(row[1::2]) for row in rows.values())
    late = draw(st.integers(0, 90)) / 120 if has_late else 0.0
    return StepBeat(steps=rows, late=late)


@given(beat=beats(), bars=st.sampled_from([1, 2, 4]))
def test_any_beat_comes_back_from_its_pattern(beat: StepBeat, bars: int) -> None:
    pattern = pattern_of_beat(beat, bars)
    assert pattern.bars == bars
    assert beat_of_pattern(read_packed(pack_pattern(pattern.to_bytes()))) == beat


def test_swing_delays_every_second_step_and_the_bars_repeat() -> None:
    beat = StepBeat(steps={"A13": (127, 60, *[0] * 13, 90)}, late=0.25)
    notes = notes_of(pattern_of_beat(beat, 2))
    assert [(note.tick, note.velocity) for note in notes] == [
        (0, 127), (150, 60), (1_830, 90), (1_920, 127), (2_070, 60), (3_750, 90),
    ]  # fmt: skip
    assert [note.gate for note in notes] == [120, 120, 120, 120, 120, 90]
    assert beat.bank == "A"
    assert StepBeat(steps={"A1": (1, *REST), "B1": (1, *REST), "C1": (0, *REST)}).bank is None


@pytest.mark.parametrize(
    ("notes", "bars", "metre"),
    [
        ([PatternNote(0, "A1"), PatternNote(2_160, "A1")], 2, "4/4"),  # another second bar
        ([PatternNote(0, "A1"), PatternNote(1_930, "A1")], 2, "4/4"),  # one that is late
        ([PatternNote(5, "A1")], 1, "4/4"),  # a first step that is late
        ([PatternNote(140, "A1"), PatternNote(370, "A1")], 1, "4/4"),  # two swings
        ([PatternNote(235, "A1")], 1, "4/4"),  # nearly the next step
        ([PatternNote(0, "A1"), PatternNote(0, "A1", velocity=5)], 1, "4/4"),
        ([PatternNote(0, "A1", semitones=3)], 1, "4/4"),
        ([PatternNote(0, "A1")], 1, "3/4"),
        ([], 1, "4/4"),
    ],
)
def test_what_does_not_fit_sixteen_steps_is_no_beat(notes: Any, bars: int, metre: str) -> None:
    assert beat_of_pattern(compose_pattern(notes, bars, metre)) is None


def test_motions_and_notes_past_the_end_are_not_lost_in_a_beat() -> None:
    motion = PatternRecord(0, bytes.fromhex("8E0000001040 00".replace(" ", "")))
    assert beat_of_pattern(compose_pattern([PatternNote(0, "A1")], 1, others=[motion])) is None
    late = read_pattern(
        ONE_HIT.replace(b"\x87\x80", b"\xff\x80").replace(b"\0\x8c", b"\0\x2f\0\x8d\x5a\x40w\0\0\x8c")
    )
    assert [note.tick for note in notes_of(late)] == [0, 2_040]
    assert beat_of_pattern(late) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "A beat has 16 steps"),
        ('{"steps": {"A1": [1, 2]}}', "A beat has 16 steps"),
        ('{"steps": {"A17": [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1]}}', "A beat has 16 steps"),
        ('{"steps": {}, "late": 0.8}', "A beat has 16 steps"),
        ('{"steps": {}}', "no step yet"),
    ],
)
def test_what_is_no_beat_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(UnitFileError, match=words):
        pattern_of_beat(read_beat(text))


def test_patterns_are_part_of_a_kit_json_and_checked_there() -> None:
    kit = read_kit(kit_text({"B2": {"name": "Ämen", "ptn": pack_pattern(ONE_HIT)}}))
    assert read_kit(write_kit(kit)) == kit
    assert unpack_pattern(kit.patterns["B2"].ptn) == ONE_HIT
    assert "patterns" not in write_kit(read_kit(kit_text({})))


def kit_text(patterns: dict[str, Any]) -> str:
    return json.dumps({"name": "x", "patterns": patterns})


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    ("place", "pattern", "words"),
    [
        ("A17", {"ptn": packed(ONE_HIT)}, "Its patterns are named A1 to J16."),
        ("A1", {"ptn": "%%"}, "Pattern A1: its ptn is the unit's PTN file"),
        ("A1", {"ptn": packed(ONE_HIT)[:-8]}, "Pattern A1: its ptn is the unit's PTN file"),
        ("A1", {"ptn": packed(ONE_HIT[:-8])}, "Pattern A1: its ptn is the unit's PTN file"),
        ("A1", {"ptn": packed(bytes(10**7))}, "Pattern A1: its ptn is the unit's PTN file"),
        ("A1", {"name": "x"}, "Pattern A1: its ptn is the unit's PTN file"),
        ("A1", {"name": "x" * 61, "ptn": packed(ONE_HIT)}, "Pattern A1: its name has at most 60"),
    ],
)
def test_wrong_patterns_of_a_kit_json_are_named(place: str, pattern: Any, words: str) -> None:
    with pytest.raises(KitDocumentError, match=words):
        read_kit(kit_text({place: pattern}))


def test_more_patterns_than_a_worker_can_hold_are_refused() -> None:
    count = MAX_PATTERNS_BYTES // len(LONGEST) + 1
    patterns = {place: {"ptn": packed(LONGEST)} for place in PAD_NAMES[:count]}
    with pytest.raises(KitDocumentError, match="at most 4 MB together"):
        read_kit(kit_text(patterns))
