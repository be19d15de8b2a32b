"""Pad names load on the unit, are short, and keep the useful part."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sp404 import pad_names
from app.sp404.name_shortening import shorten_name

LOADS = re.compile(r"[A-Za-z0-9_!&()+,=@\[\]{}][A-Za-z0-9 _!&()+\-,.=@\[\]{}]*")
WORDS = st.sampled_from(
    [
        "SP_Lofi",
        "Essentials",
        "Vol",
        "Drum",
        "Loop",
        "Dusty",
        "Breakbeat",
        "Collection",
        "Kick",
        "The",
        "é",
        "ドラム",
    ]
)


@given(st.text(max_size=300))
def test_any_text_becomes_a_name_that_loads(text: str) -> None:
    name = pad_names.safe_name(text)
    assert 1 <= len(name) <= 23
    assert LOADS.fullmatch(name)
    assert name[-1] not in " ."
    assert pad_names.safe_name(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Bröken Béat", "Broken Beat"),
        ("ドラム", "doramu"),
        ("a/b\\c:d*e?f", "a b c d e f"),
        (".hidden", "hidden"),
        ("???", "sample"),
        ("F# minor", "Fs minor"),
        ("F#m7 C♯ G♭ b♭ A##", "Fsm7 Cs Gb bb Ass"),
        ("Bass1_D#2", "Bass1_Ds2"),
        ("Loop #1", "Loop 1"),
        ("#1 loop", "1 loop"),
        ("Take ♯2", "Take 2"),
        ("Mix#12 for DB#3", "Mix 12 for DB 3"),
        ("Ｆ＃ ＃１", "Fs 1"),
        ("CON", "_CON"),
        ("aux.b", "_aux.b"),
        ("LPT¹", "_LPT1"),
        ("Contact", "Contact"),
        ("-12 dB kick", "12 dB kick"),
        ("- .kick. -.", "kick. -"),
    ],
)
def test_names_stay_readable(text: str, name: str) -> None:
    assert pad_names.safe_name(text) == name


@pytest.mark.parametrize(
    ("name", "bpm", "key", "expected"),
    [
        ("Dusty break", 92.6, "A minor", "Dusty break 93 Am"),
        ("Dusty break", None, None, "Dusty break"),
        ("Loop 93", 93.0, None, "Loop 93"),
        ("A very long name that goes on", 120.0, "F# minor", "A very long on 120 Fsm"),
        ("SP_Lofi Essentials Vol 2 Drum Loop 01", 93.0, "A minor", "SP_Lofi Esse 2 01 93 Am"),
        ("((Dusty)) Break From The Crate 01", None, None, "Dusty Break From The 01"),
        ("SP_Loop_93_Am", 93.0, "A minor", "SP_Loop_93_Am"),
        ("Loop F#m", 93.0, "F# minor", "Loop Fsm 93"),
        ("Am Essentials of lofi collection", 93.0, "A minor", "Am Essentia collecti 93"),
        ("Kick Break Am Kick Loop Break Essentials", 93.0, "A minor", "Kick Brea Essenti 93 Am"),
    ],
)
def test_tempo_and_key_survive_in_the_name(
    name: str, bpm: float | None, key: str | None, expected: str
) -> None:
    found = pad_names.append_facts(name, bpm, key)
    assert found == expected
    assert len(found) <= 23


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("SP_Lofi Essentials Vol 2 Drum Loop 01", "SP_Lofi Essentials 2 01"),
        ("Vintage Breakbeat Collection Dusty Kick", "Vintage Breakbeat Kick"),
        ("Vintage Breakbeat Collection Dusty Snare", "Vintage Breakbeat Snare"),
        ("Vintage Breakbeat Collection 01 (dry)", "Vintage Breakbea 01 dry"),
        ("Vintage Breakbeat Collection 01 (wet)", "Vintage Breakbea 01 wet"),
        ("DustyDrumLoopSuperLongName01", "DustyDrumLoopSuperLo01"),
        ("Recording 20240311124533001", "Recor 20240311124533001"),
        ("Kit 01 Sub 02 Layer 03 Take 04 Mic 05 Vel 06", "Kit 01 S 02 03 04 05 06"),
        ("x" * 40, "x" * 23),
        ("(" * 40, "(" * 23),
    ],
)
def test_a_long_name_keeps_its_numbers_and_its_end(name: str, short: str) -> None:
    assert pad_names.safe_name(name) == short


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("a) Essentials) a", "a) Essentials) a"),  # 16 already
        ("a_307082497-Snare", "a_082497-Snare"),  # the last digits of a number, and a fifth for the beginning
        ("Loop (1025 35a) Break", "Loo 025 35 Break"),
        ("Kick 8022 (304266963", "Kick 8 304266963"),  # two digits are no number
        ("((Loop-Loop (7 7010 321322034)", "Loop-L 321322034"),  # no number before one that does not fit
        ("(Essentials (Vol)", "(Essentials Vol"),  # a mark stays, two become a blank
        ("(613 - 3-10_4 (9)", "(613 3-10_4 9"),
        ("Dusty-75 (a3B) 86", "Dusty-75 a3B 86"),
        ("Snare Dusty (a2Essentials7", "Snare Dusty2 7"),  # two numbers stay two
        ("(Kick_87 (Snare379Kick)", "(Kick_87 379Kick"),
    ],
)
def test_sixteen_characters_keep_what_tells_names_apart(name: str, short: str) -> None:
    assert shorten_name(name, 16) == short


@settings(max_examples=1000)
@given(
    st.lists(WORDS, min_size=1, max_size=8),
    st.sampled_from(
        ["{} {:02d}", "{}_{}", "{}-{:03d}", "{} ({})", "{} #{}", "{}{:04d}", "{} Take {}", "{} [v{}]"]
    ),
    st.sampled_from(["", " dry", " (wet)", " L", "_R", " 120bpm", "a"]),
    st.lists(st.integers(0, 9999), min_size=2, max_size=9, unique=True),
    st.sampled_from([(None, None), (93.0, "A minor"), (174.0, "F# minor")]),
)
def test_names_of_a_family_differ_one_by_one(
    words: list[str], pattern: str, ending: str, numbers: list[int], facts: tuple[float | None, str | None]
) -> None:
    family = [pattern.format(" ".join(words), number) + ending for number in numbers]
    made = [pad_names.append_facts(name, *facts) for name in family]
    assert len({name.casefold() for name in made}) == len(made), made
    assert all(1 <= len(name) <= 23 and LOADS.fullmatch(name) for name in made), made


@given(
    st.lists(WORDS, min_size=5, max_size=9),
    st.sampled_from(["A B", "L R", "dry wet", "Kick Snare", "1a 1b", "i iv"]),
)
def test_names_that_end_differently_differ_one_by_one(words: list[str], endings: str) -> None:
    first, second = (pad_names.safe_name(" ".join([*words, ending])) for ending in endings.split())
    assert first.casefold() != second.casefold()


@given(st.text(min_size=1), st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_numbered_name_is_known_as_one(name: str, number: int, other: int) -> None:
    made = pad_names.numbered_name(name, number)
    assert len(made) <= 23
    assert pad_names.is_numbered_name(made, name)
    assert (made == pad_names.numbered_name(name, other)) == (number == other)
    assert not pad_names.is_numbered_name(f"{made}x"[-23:], name)


@pytest.mark.parametrize(
    ("text", "is_numbered"),
    [
        ("Kick", True),
        ("Kick-2", True),
        ("Kick-10", True),
        ("Snare-2", False),
        ("Kick-02", False),
        ("Kick-1", False),
    ],
)
def test_a_number_counts_only_behind_the_same_name(text: str, is_numbered: bool) -> None:
    assert pad_names.is_numbered_name(text, "Kick") == is_numbered


def test_the_first_of_several_has_no_number() -> None:
    assert [pad_names.numbered_name("Kick", number) for number in (1, 2, 3)] == ["Kick", "Kick-2", "Kick-3"]
    assert pad_names.unique_names(["Kick", "kick", "Snare", "KICK"]) == ["Kick", "kick-2", "Snare", "KICK-3"]


@given(
    st.lists(
        st.sampled_from(["Kick", "kick", "KICK!", "Kick-2", "x" * 40, "x" * 21 + "-2", "é", "e", "NUL", "?"])
        | st.text(max_size=40),
        max_size=60,
    )
)
def test_names_are_made_unique(wanted: list[str]) -> None:
    made = pad_names.unique_names(wanted)
    assert len(made) == len(wanted)
    assert len({name.casefold() for name in made}) == len(made)
    assert all(len(name) <= 23 and pad_names.safe_name(name) == name for name in made)
    assert pad_names.unique_names(["CON"] * 300)[-1] == "_CON-300"
