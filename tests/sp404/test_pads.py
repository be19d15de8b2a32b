"""The names of the pads, and where sounds go whose files are named after pads."""

from __future__ import annotations

import re

import pytest

from app.sp404.pads import PAD_NAMES, PAD_PATTERN, lay_out, pad_in_file_name, pads_of_bank


def test_there_are_ten_banks_of_sixteen_pads() -> None:
    assert len(PAD_NAMES) == 160
    assert (PAD_NAMES[0], PAD_NAMES[15], PAD_NAMES[16], PAD_NAMES[-1]) == ("A1", "A16", "B1", "J16")
    assert pads_of_bank("J") == PAD_NAMES[-16:]
    assert all(re.fullmatch(PAD_PATTERN, name) for name in PAD_NAMES)
    assert not any(re.fullmatch(PAD_PATTERN, name) for name in ("A0", "A17", "K1", "a1", "A01", "A1 "))


@pytest.mark.parametrize(
    ("name", "pad"),
    [
        ("C05 snare.wav", "C5"), ("C05.wav", "C5"), ("J16-hat.wav", "J16"), ("A01_kick.wav", "A1"),
        ("C5 snare.wav", None), ("C17 snare.wav", None), ("C00 snare.wav", None), ("K01 snare.wav", None),
        ("C053 snare.wav", None), ("C05b.wav", None), ("Am C05.wav", None), ("snare.wav", None),
    ],
)  # fmt: skip
def test_a_file_name_may_begin_with_its_pad(name: str, pad: str | None) -> None:
    assert pad_in_file_name(name) == pad


def test_sounds_stand_in_their_order() -> None:
    assert lay_out(["b.wav", "a.wav", "c.wav"]) == {0: "A1", 1: "A2", 2: "A3"}


def test_named_pads_keep_their_places_and_gaps() -> None:
    assert lay_out(["C07 x.wav", "C05 y.wav", "loose.wav"]) == {0: "C7", 1: "C5", 2: "A1"}


def test_a_pad_that_is_named_twice_goes_to_the_first() -> None:
    assert lay_out(["A01 x.wav", "A01 y.wav"]) == {0: "A1", 1: "B1"}


def test_the_seventeenth_goes_to_the_next_bank_and_the_161st_to_none() -> None:
    found = lay_out([f"{number}.wav" for number in range(161)])
    assert (found[15], found[16], found[159]) == ("A16", "B1", "J16")
    assert 160 not in found
    full = lay_out([f"{bank}01.wav" for bank in "ABCDEFGHIJ"] + ["loose.wav"])
    assert full[10] == "A2"
