"""Keys: their words, their place on the Camelot wheel, and the notations they are shown in."""

from __future__ import annotations

import pytest

from app.music import musical_keys
from app.music.musical_keys import ALL_KEYS


@pytest.mark.parametrize(
    ("key", "code"),
    [("A minor", "8A"), ("C major", "8B"), ("E minor", "9A"), ("F minor", "4A"), ("B major", "1B")],
)
def test_a_key_has_its_place_on_the_wheel(key: str, code: str) -> None:
    assert musical_keys.camelot_code(key) == code
    assert musical_keys.key_of_camelot(code.lower()) == key


def test_the_wheel_has_every_key_once() -> None:
    assert {musical_keys.key_of_camelot(f"{n}{letter}") for n in range(1, 13) for letter in "AB"} == {
        *ALL_KEYS
    }


def test_a_place_off_the_wheel_is_refused() -> None:
    with pytest.raises(KeyError):
        musical_keys.key_of_camelot("13A")


def test_relative_keys_share_their_notes() -> None:
    assert musical_keys.relative_key("A minor") == "C major"
    assert musical_keys.relative_key("F# major") == "D# minor"
    assert all(musical_keys.relative_key(musical_keys.relative_key(key)) == key for key in ALL_KEYS)


@pytest.mark.parametrize("key", ALL_KEYS)
def test_four_keys_mix_with_a_key(key: str) -> None:
    found = musical_keys.compatible_keys(key)
    assert len(found) == 4
    assert {key, musical_keys.relative_key(key)} < set(found)
    assert all(key in musical_keys.compatible_keys(other) for other in found)


@pytest.mark.parametrize(
    ("word", "mode"),
    [
        ("m", "minor"), ("M", "major"), ("min", "minor"), ("MIN", "minor"), ("Maj", "major"),
        ("dur", "major"), ("Moll", "minor"), ("dorian", None), ("", None),
    ],
)  # fmt: skip
def test_words_name_a_mode(word: str, mode: str | None) -> None:
    assert musical_keys.parse_mode(word) == mode


def test_a_mode_has_twelve_keys() -> None:
    assert len(musical_keys.keys_of_mode("minor")) == 12
    assert musical_keys.keys_of_mode("major")[0] == "C major"


@pytest.mark.parametrize(
    ("notation", "text"), [("musical", "F♯ min"), ("camelot", "11A"), ("both", "F♯ min · 11A")]
)
def test_a_key_is_shown_in_the_chosen_notation(notation: str, text: str) -> None:
    assert musical_keys.format_key("F# minor", notation) == text
    assert musical_keys.format_key(None, notation) == "–"


@pytest.mark.parametrize(("key", "symbol"), [("A minor", "Am"), ("F# minor", "F#m"), ("C major", "C")])
def test_a_key_has_the_symbol_of_its_chord(key: str, symbol: str) -> None:
    assert musical_keys.key_symbol(key) == symbol
