"""The terms of the inverted index: which parts of a text find it, and whose text it is."""

from __future__ import annotations

import pytest

from app.models.text_folding import fold_text
from app.search import index_terms

TEXT = fold_text("Dusty Kick-01 (F#)\nドラムループ กลอง 808")


def is_found(part: str, text: str = TEXT) -> bool:
    """Say whether the index names a text for a part of it."""
    terms = index_terms.terms_of_words(index_terms.split_words(text))
    groups = index_terms.groups_of_part(fold_text(part))
    return all(group & terms for group in groups)


@pytest.mark.parametrize(
    "part", ["dusty", "ust", "kick-01", "ty kick", "d", "ck", "f#", "808", "08", "ドラム", "ム", "ムル", "ลอ"]
)
def test_the_parts_of_a_text_find_it(part: str) -> None:
    assert is_found(part)


@pytest.mark.parametrize("part", ["dustier", "kicks", "909", "z", "kk", "ドドド", "ルド"])
def test_other_texts_do_not(part: str) -> None:
    assert not is_found(part)


def test_in_names_only_words_and_parts_of_three_letters_are_terms() -> None:
    terms = index_terms.terms_of_words(["kick"], index_terms.NAME)
    assert terms == {"nwkick", "ngkic", "ngick"}
    assert index_terms.groups_of_part("ki", index_terms.NAME) == ()
    assert list(index_terms.groups_of_part("kick", index_terms.NAME)) == [{"ngkic"}, {"ngick"}]


def test_a_part_without_a_letter_names_no_terms() -> None:
    assert index_terms.groups_of_part("#!") == ()


def test_owners_share_no_term() -> None:
    own, others = (set(index_terms.hash_terms(user, {"wkick", "wsnare"}).split()) for user in ("A", "B"))
    assert len(own) == len(others) == 2
    assert not own & others
    assert own == set(index_terms.hash_terms("A", ["wsnare", "wkick", "wkick"]).split())


def test_traits_are_one_word_and_are_read_again() -> None:
    framed = index_terms.frame_traits(
        [index_terms.trait("genre", "drum and bass"), index_terms.trait("tag", "a b")]
    )
    assert len(framed.split(" ")) == 4  # two traits in a frame of blanks
    assert index_terms.values_of("genre", framed) == ["drum and bass"]
    assert index_terms.values_of("tag", framed) == ["a b"]


@pytest.mark.parametrize(
    ("bpm", "seconds", "traits"),
    [
        (120.0, 8.0, ["bpm:120", "bars:4"]),
        (93.5, 5.13, ["bpm:93", "bars:2"]),
        (120.0, 8.32, ["bpm:120", "bars:4"]),  # 4 % too long
        (120.0, 8.4, ["bpm:120"]),
        (120.0, 64.0, ["bpm:120", "bars:31", "bars:32", "bars:33"]),
        (120.0, 0.5, ["bpm:120"]),
        (None, 8.0, []),
    ],
)
def test_a_tempo_says_how_many_bars_a_sound_may_have(
    bpm: float | None, seconds: float, traits: list[str]
) -> None:
    assert index_terms.tempo_traits(bpm, seconds, 0.04) == traits


def test_a_narrow_range_of_tempi_is_looked_up_and_a_wide_one_is_not() -> None:
    [group] = index_terms.groups_of_tempo(89.5, 92.0)
    assert group == {f"tbpm:{bpm}" for bpm in (89, 90, 91, 92)}
    assert index_terms.groups_of_tempo(85.0, 125.0) == index_terms.groups_of_tempo(85.0, None) == ()
    assert index_terms.groups_of_tempo(92.0, 90.0) == ()
