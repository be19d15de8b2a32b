"""Patterns are read to notes and written from notes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sp404.errors import UnitFileError
from app.sp404.pads import PAD_NAMES
from app.sp404.project.pattern_files import (
    BEATS,
    METRES,
    Pattern,
    PatternRecord,
    count_bars,
    outline_pattern,
    pattern_length,
    read_pattern,
)
from app.sp404.project.pattern_notes import (
    PatternMotion,
    PatternNote,
    compose_pattern,
    count_unknown,
    motions_of,
    notes_of,
    with_notes,
)
from tests.sp404.project.made_files import ONE_HIT


def ending(bars: int = 1, metre: int = 0, first: int = 0, last: int | None = None) -> bytes:
    last = bars if last is None else last
    return bytes([0, 0x8C, *[0] * 6, bars, 0, 0, 0, metre, 0x80 + first, last, 1])


@st.composite
def note_lists(draw: st.DrawFn) -> tuple[list[PatternNote], int, str]:
    bars, metre = draw(st.integers(1, 64)), draw(st.sampled_from(METRES))
    length = pattern_length(bars, metre)
    note = st.builds(
        PatternNote,
        st.integers(0, length - 1),
        st.sampled_from(PAD_NAMES),
        st.integers(1, 127),
        st.integers(1, 65_536),
        st.integers(-141, 114),
        st.sampled_from([0, 0x40]),
        st.integers(0, 255),
    )
    return draw(st.lists(note, max_size=30)), bars, metre


def test_one_hit_is_what_the_unit_writes() -> None:
    hit = PatternNote(0, "A1", velocity=90, gate=120)
    assert compose_pattern([hit], bars=1).to_bytes() == ONE_HIT
    assert notes_of(read_pattern(ONE_HIT)) == (hit,)


def test_a_note_off_the_grid_and_of_the_far_banks() -> None:
    note = PatternNote(12, "F1", velocity=127, gate=240, semitones=-6)
    made = compose_pattern([note], bars=1, metre="3/4").to_bytes()
    assert made[:16] == bytes.fromhex("0C80000000000000" + "F32F01877F40EF00")
    assert made[-16:] == ending(bars=1, metre=1)
    assert sum(made[:-16:8]) == 3 * 480


@settings(deadline=None)
@given(note_lists())
def test_any_notes_come_back(wanted: tuple[list[PatternNote], int, str]) -> None:
    notes, bars, metre = wanted
    made = compose_pattern(notes, bars, metre).to_bytes()
    found = read_pattern(made)
    assert notes_of(found) == tuple(sorted(notes, key=lambda note: note.tick))
    assert (found.bars, found.metre, found.loop) == (bars, metre, (1, bars))
    assert sum(made[:-16:8]) == bars * BEATS[METRES.index(metre)] * 480
    assert found.to_bytes() == made


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 255), st.binary(min_size=7, max_size=7)), max_size=40),
    st.integers(1, 64),
    st.integers(0, 6),
)
def test_bytes_that_nobody_changed_stay(rows: list[tuple[int, bytes]], bars: int, metre: int) -> None:
    data = b"".join(bytes([step]) + row for step, row in rows if row[0] != 0x8C) + ending(bars, metre)
    found = read_pattern(data)
    assert found.to_bytes() == data
    assert with_notes(found, notes_of(found)).to_bytes() == data


def test_motions_and_unknown_records_stay_when_notes_change() -> None:
    motion = bytes([0x8E, 1, 0, 0, 0x50, 99, 0])
    live = bytes([0x80, 0, 0, 0, 0, 0, 0xFF])
    unknown = bytes([0x99, 1, 2, 3, 4, 5, 6])
    rows = [b"\x0a" + unknown, b"\x00" + motion, b"\xf5" + bytes.fromhex("2F008D5A407700"), b"\x00" + live]
    found = read_pattern(b"".join(rows) + b"\xe1\x80" + bytes(6) + ending(bars=2, first=1, last=2))
    assert motions_of(found) == (PatternMotion(10, 2, 0x50, 99),)
    assert count_unknown(found) == 1
    assert found.loop == (2, 2)
    louder = [replace(note, velocity=100) for note in notes_of(found)]
    changed = with_notes(found, louder)
    assert notes_of(changed) == tuple(louder)
    kept = [record for record in changed.records if record.data in (motion, live, unknown)]
    assert kept == [PatternRecord(0, unknown), PatternRecord(10, motion), PatternRecord(255, live)]
    assert changed.ending == found.ending


def test_a_loop_is_set_by_bars() -> None:
    looped = compose_pattern([PatternNote(0, "A1")], bars=8).with_loop(3, 4)
    assert looped.to_bytes()[-16:] == ending(bars=8, first=2, last=4)
    assert looped.loop == (3, 4)
    for first, last in ((1, 8), (1, 1), (8, 8)):
        assert looped.with_loop(first, last).loop == (first, last)
    for first, last in ((0, 4), (5, 4), (3, 9)):
        with pytest.raises(UnitFileError, match="does not fit a pattern of 8"):
            looped.with_loop(first, last)


def test_a_note_with_a_velocity_that_no_note_has_is_unknown() -> None:
    found = read_pattern(bytes.fromhex("002F008D80407700") + ending())
    assert (notes_of(found), count_unknown(found)) == ((), 1)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (ONE_HIT[:-1], "in the middle of a record"),
        (ONE_HIT[:-16], "has no end"),
        (b"", "has no end"),
        (ONE_HIT[:-8], "does not finish with its end"),
        (ONE_HIT + bytes(8), "does not finish with its end"),
        (ending(bars=0), "says that it has 0 bars"),
        (ending(bars=65), "says that it has 65 bars"),
        (ending(metre=7), "a metre of unknown number 7"),
        (ending(bars=2, first=2), "repeats bars 3 to 2, but it has 2"),
        (ending(bars=2, last=3), "repeats bars 1 to 3"),
        (ONE_HIT[:8] * (1 << 15) + ONE_HIT, "at most 262,144 bytes"),
    ],
)
def test_a_damaged_pattern_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(UnitFileError, match=sentence):
        read_pattern(data)


@pytest.mark.parametrize(
    ("note", "sentence"),
    [
        (PatternNote(1920, "A1"), "tick of a note is 0 to 1,919, not 1,920"),
        (PatternNote(-1, "A1"), "tick"),
        (PatternNote(0, "K1"), "pads A1 to J16, and no “K1”"),
        (PatternNote(0, "A1", velocity=0), "velocity of a note is 1 to 127"),
        (PatternNote(0, "A1", gate=0), "gate of a note is 1 to 65,536"),
        (PatternNote(0, "A1", semitones=115), "pitch of a note"),
    ],
)
def test_a_note_outside_of_the_pattern_is_refused(note: PatternNote, sentence: str) -> None:
    with pytest.raises(UnitFileError, match=sentence):
        compose_pattern([note], bars=1)


def test_lengths_and_metres_of_the_unit_only() -> None:
    for bars, metre, sentence in (
        (0, "4/4", "1 to 64 bars, not 0"),
        (65, "4/4", "65"),
        (1, "6/8", "not in 6/8"),
    ):
        with pytest.raises(UnitFileError, match=sentence):
            compose_pattern([], bars, metre)


def test_the_metres_are_named_where_there_is_no_such_one() -> None:
    with pytest.raises(UnitFileError) as refused:
        pattern_length(1, "7/8 and so on and so on")
    sentence = "A pattern is in 4/4, 3/4, 2/4, 1/4, 5/4, 6/4 or 7/4, not in 7/8 and so on and so."
    assert str(refused.value) == sentence
    assert [pattern_length(2, metre) // 960 for metre in METRES] == [4, 3, 2, 1, 5, 6, 7]
    assert pattern_length(64, "7/4") == 215_040


def test_a_file_of_the_greatest_size_is_read_and_outlined() -> None:
    data = ONE_HIT[:8] * ((1 << 15) - 2) + ending(bars=3, metre=1, first=1, last=2)
    assert len(data) == 1 << 18
    assert outline_pattern(data) == Pattern((), 0, ending(bars=3, metre=1, first=1, last=2))
    assert count_bars(data) == 3
    for read in (outline_pattern, count_bars):
        with pytest.raises(UnitFileError, match="at most 262,144 bytes, not 262,152"):
            read(ONE_HIT[:8] + data)


def test_records_begin_at_zero_and_follow_each_other_within_255_ticks() -> None:
    first = PatternRecord(0, bytes(7))
    for second, end in ((0, 255), (255, 510)):
        made = Pattern((first, PatternRecord(second, bytes(7))), end, ending()).to_bytes()
        assert read_pattern(made).end_tick == end
    for ticks, end in (((0, 256), 256), ((0, 1), 257), ((0, 9), 8), ((1, 2), 3)):
        with pytest.raises(UnitFileError, match="must follow each other within 255 ticks"):
            Pattern(tuple(PatternRecord(tick, bytes(7)) for tick in ticks), end, ending()).to_bytes()
