"""Pad names load on the unit, are short, and keep the useful part."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sp404 import pad_names

LOADS = re.compile(r"[A-Za-z0-9_!&()+\-,=@\[\]{}][A-Za-z0-9 _!&()+\-,.=@\[\]{}]*")


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
        ("A very long name that goes on", 120.0, "F# minor", "A very long nam 120 Fsm"),
    ],
)
def test_tempo_and_key_survive_in_the_name(
    name: str, bpm: float | None, key: str | None, expected: str
) -> None:
    found = pad_names.append_facts(name, bpm, key)
    assert found == expected
    assert len(found) <= 23


@given(st.lists(st.sampled_from(["Kick", "kick", "KICK!", "x" * 40, "é", "e"]), max_size=30))
def test_names_are_made_unique(wanted: list[str]) -> None:
    made = pad_names.unique_names(wanted)
    assert len(made) == len(wanted)
    assert len({name.casefold() for name in made}) == len(made)
    assert all(len(name) <= 23 for name in made)
