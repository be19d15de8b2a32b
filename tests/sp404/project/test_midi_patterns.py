"""MIDI files become patterns and patterns become MIDI files. The files are made byte by byte."""

from __future__ import annotations

from io import BytesIO

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sp404.errors import UnitFileError
from app.sp404.pads import PAD_NAMES
from app.sp404.project.midi_reader import pattern_from_midi
from app.sp404.project.midi_writer import pattern_to_midi
from app.sp404.project.pad_notes import note_of_pad, pad_of_note
from app.sp404.project.pattern_files import pattern_length
from app.sp404.project.pattern_notes import PatternNote, compose_pattern, notes_of

END = "00FF2F00"
HIT = "00903064" + "18803000"  # note 48 of channel 1, 24 ticks long


def midi(*tracks: str, file_format: int = 0, division: int = 96) -> bytes:
    """Return a MIDI file with these tracks, in hexadecimal digits."""
    head = b"MThd" + (6).to_bytes(4, "big")
    head += b"".join(value.to_bytes(2, "big") for value in (file_format, len(tracks), division))
    rows = [bytes.fromhex(track) for track in tracks]
    return head + b"".join(b"MTrk" + len(row).to_bytes(4, "big") + row for row in rows)


@pytest.mark.parametrize(
    ("place", "channel", "note"),
    [("A1", 0, 48), ("A4", 0, 51), ("A5", 0, 44), ("B12", 1, 43), ("C13", 2, 36), ("J16", 9, 39)],
)
def test_pads_have_the_notes_of_the_unit(place: str, channel: int, note: int) -> None:
    assert note_of_pad(place) == (channel, note)
    assert pad_of_note(channel, note) == place


def test_each_pad_has_a_note_of_its_own() -> None:
    assert [pad_of_note(*note_of_pad(place)) for place in PAD_NAMES] == list(PAD_NAMES)
    assert [pad_of_note(10, 40), pad_of_note(0, 35), pad_of_note(0, 52)] == [None, None, None]


def test_swing_stays() -> None:
    # Sixteenths at 96 a quarter, every second one 5 ticks late: 24 + 5 = 29 becomes 145.
    track = HIT + "0590306418803000" + "139030641880300000FF2F00"
    found = pattern_from_midi(midi(track))
    assert [(note.tick, note.gate, note.velocity) for note in notes_of(found.pattern)] == [
        (0, 120, 100), (145, 120, 100), (360, 120, 100),
    ]  # fmt: skip
    assert (found.pattern.bars, found.bpm, found.left_out) == (1, None, ())


def test_of_overlapping_hits_the_first_is_let_go_first() -> None:
    track = "00903064" + "18903032" + "18803000" + "30803000" + END  # hit at 0 and 24, let go at 48 and 96
    found = pattern_from_midi(midi(track))
    assert [(note.tick, note.gate, note.velocity) for note in notes_of(found.pattern)] == [
        (0, 240, 100), (120, 360, 50),
    ]  # fmt: skip


def test_several_tracks_play_together() -> None:
    tempo = "00FF510307A120" + "00FF580403021808" + END  # 120 BPM, 3/4
    drums = "00913064" + "6081306400902440" + "608024400081300000FF2F00"
    found = pattern_from_midi(midi(tempo, HIT + END, drums, file_format=1))
    assert [(note.tick, note.pad) for note in notes_of(found.pattern)] == [(0, "A1"), (0, "B1"), (480, "A13")]
    assert (found.pattern.metre, found.bpm) == ("3/4", 120.0)


def test_every_channel_may_play_on_one_bank() -> None:
    track = HIT.replace("90", "99").replace("8030", "8930") + "009F3164" + "188F3100" + END
    played = pattern_from_midi(midi(track), bank="C")
    assert [note.pad for note in notes_of(played.pattern)] == ["C1", "C2"]
    by_channel = pattern_from_midi(midi(track))
    assert [note.pad for note in notes_of(by_channel.pattern)] == ["J1"]
    assert by_channel.left_out == ("Left out: 1 note with a number or channel that no pad of the unit has.",)
    with pytest.raises(UnitFileError, match="banks A to J, and no “K”"):
        pattern_from_midi(midi(track), bank="K")


def test_length_is_what_the_file_fills() -> None:
    two_bars = HIT + "8518" + "FF2F00"  # the end of the track 768 - 24 ticks later
    late = "8300" + HIT[2:] + END  # a hit at tick 384: the first of bar 2
    assert pattern_from_midi(midi(HIT + END)).pattern.bars == 1
    assert pattern_from_midi(midi(HIT + "8568FF2F00")).pattern.bars == 2
    assert pattern_from_midi(midi(two_bars)).pattern.bars == 2
    assert pattern_from_midi(midi(late)).pattern.bars == 2
    assert pattern_from_midi(midi(HIT + END), bars=4).pattern.bars == 4
    # The last hit of a bar is held over the bar line: let go at tick 496, where the file ends or not.
    held = "827090306481008030" + "00"
    assert pattern_from_midi(midi(held + END)).pattern.bars == 1
    assert pattern_from_midi(midi(held + "01FF2F00")).pattern.bars == 2
    cut = pattern_from_midi(midi(HIT + late), bars=1)
    assert cut.left_out == ("Left out: 1 note after bar 1.",)
    on_the_line = pattern_from_midi(midi("00903064" + "8300803000" + "00" + HIT[2:] + END), bars=1)
    assert (len(notes_of(on_the_line.pattern)), on_the_line.left_out) == (1, cut.left_out)
    far = pattern_from_midi(midi(HIT + "88F000" + HIT[2:] + END))  # tick 145,432: bar 379
    assert (far.pattern.bars, far.left_out) == (64, ("Left out: 1 note after bar 64.",))


@pytest.mark.parametrize(
    ("signatures", "metre", "said"),
    [
        ("00FF580404021808", "4/4", 0),
        ("00FF580406031808", "3/4", 0),
        ("00FF580402011808", "4/4", 0),
        ("00FF580405021808", "5/4", 0),
        ("00FF580407031808", "4/4", 1),
        ("00FF58040302180800FF580404021808", "3/4", 1),
    ],
)
def test_metres(signatures: str, metre: str, said: int) -> None:
    found = pattern_from_midi(midi(signatures + HIT + END))
    assert (found.pattern.metre, len(found.left_out)) == (metre, said)


def test_a_note_that_never_ends_is_held_for_a_sixteenth() -> None:
    (note,) = notes_of(pattern_from_midi(midi("00903064" + "60" + "FF2F00")).pattern)
    assert note.gate == 120
    (short,) = notes_of(pattern_from_midi(midi("00903064" + "00803000" + END)).pattern)
    assert short.gate == 1, "one that ends as it begins is as short as a note can be"
    (soft,) = notes_of(pattern_from_midi(midi("00903064" + "30903000" + END)).pattern)
    assert soft.gate == 240, "a beginning of velocity 0 is an end"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (midi(HIT + END, file_format=2), "of format 2; formats 0 and 1 can be read"),
        (midi(HIT + END, division=0xE728), "counts frames a second instead of beats"),
        (midi(HIT + END, division=0), "counts frames a second instead of beats"),
        (midi(END), "no note of a pad"),
        (midi("0090346418803400" + END), "no note of a pad"),
        (midi(HIT + END)[:-9], "damaged"),
        (b"MThd", "damaged"),
        (b"RIFF" + bytes(100), "damaged"),
        (bytes(257 * 1024), "more than 256 KB"),
    ],
)
def test_other_files_are_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(UnitFileError, match=sentence):
        pattern_from_midi(data)


def test_a_length_that_the_unit_does_not_have_is_refused() -> None:
    with pytest.raises(UnitFileError, match="1 to 64 bars, not 65"):
        pattern_from_midi(midi(HIT + END), bars=65)


def test_a_pattern_becomes_the_midi_file_of_the_unit() -> None:
    pattern = compose_pattern([PatternNote(0, "A1", gate=120), PatternNote(130, "J13", velocity=7)], bars=1)
    made = pattern_to_midi(pattern, bpm=120.0, name="Beat")
    track = (
        "00FF030442656174" + "00FF580404021808" + "00FF510307A120"
        + "0090305A" + "7880304000"[:8] + "0A992407" + "78892440" + "8D06FF2F00"
    )  # fmt: skip
    assert made == midi(track, division=480)


def test_a_hit_that_follows_at_once_begins_after_the_end_of_the_one_before() -> None:
    pattern = compose_pattern([PatternNote(tick, "A1", gate=120) for tick in (0, 120)], bars=1)
    [track] = mido.MidiFile(file=BytesIO(pattern_to_midi(pattern))).tracks
    played = [(each.type, each.time) for each in track if not each.is_meta]
    assert played == [("note_on", 0), ("note_off", 120), ("note_on", 0), ("note_off", 120)]


@settings(deadline=None)
@given(
    st.lists(
        st.builds(PatternNote, st.integers(0, 7679), st.sampled_from(PAD_NAMES), st.integers(1, 127)),
        min_size=1,
        max_size=20,
        unique_by=lambda note: note.pad,
    ),
    st.sampled_from(["4/4", "3/4", "5/4"]),
)
def test_a_pattern_comes_back_from_midi(notes: list[PatternNote], metre: str) -> None:
    length = pattern_length(8, metre)
    inside = [note for note in notes if note.tick + note.gate <= length] or [PatternNote(0, "A1")]
    pattern = compose_pattern(sorted(inside, key=lambda note: PAD_NAMES.index(note.pad)), 8, metre)
    found = pattern_from_midi(pattern_to_midi(pattern, bpm=92.0))
    assert found.pattern == pattern
    assert (found.bpm, found.left_out) == (92.0, ())
