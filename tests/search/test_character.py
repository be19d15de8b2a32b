"""Searching by the character of hits: such words rank, and filter with the name of the field."""

from __future__ import annotations

from typing import Any

import pytest

from app.models import Sample, User
from app.models.base import transaction
from app.search.learned_words import parse_with_meanings
from tests.search.test_text_conditions import names, shelve

HITS: dict[str, dict[str, Any]] = {
    "One": {"moods": [], "character": ["punchy", "dull", "short"]},
    "Two": {"moods": [], "character": ["crisp", "noisy", "ringing"]},
    "Three": {"moods": [], "character": ["gritty", "boomy", "long"]},
    "Old hit": {"moods": ["gloomy"]},
}


@pytest.fixture
def hits(owner: User) -> dict[str, Sample]:
    return shelve(owner, HITS)


# sentence: the first and the last sample, where the words decide which
RANKED = {
    "punchy": ("One", ""),
    "dull": ("One", "Two"),
    "short": ("One", "Three"),
    "long": ("Three", "One"),
    "crisp": ("Two", "One"),
    "noisy": ("Two", ""),
    "not noisy": ("", "Two"),
    "ringing": ("Two", ""),
    "gritty": ("Three", ""),
    "boomy": ("Three", ""),
    "ringing, not dull": ("Two", "One"),
}
LEFT = {
    "punchy character": {"One"},
    "character: ringing": {"Two"},
    "not short character": {"Two", "Three", "Old hit"},
    "mood gloomy": {"Old hit"},
}


@pytest.mark.parametrize("sentence", RANKED)
def test_a_word_of_a_character_ranks_and_leaves_nothing_out(
    owner: User, hits: dict[str, Sample], sentence: str
) -> None:
    check_ranking(owner, sentence)


@pytest.mark.parametrize("sentence", LEFT)
def test_the_name_of_the_field_makes_it_a_filter(owner: User, hits: dict[str, Sample], sentence: str) -> None:
    assert set(names(owner, sentence)) == LEFT[sentence]


def check_ranking(owner: User, sentence: str) -> None:
    found = names(owner, sentence)
    assert set(found) == set(HITS)
    first, last = RANKED[sentence]
    assert not first or found[0] == first
    assert not last or found[-1] == last


def test_a_corrected_character_counts(owner: User, hits: dict[str, Sample]) -> None:
    check_corrections(owner, hits)


def check_corrections(owner: User, hits: dict[str, Sample]) -> None:
    with transaction():
        hits["Old hit"].correct(character=["punchy"])
        hits["One"].correct(character=[])
    assert names(owner, "punchy")[0] == "Old hit"
    assert names(owner, "punchy character") == ["Old hit"]
    with transaction():
        hits["Old hit"].revert("character")
    assert names(owner, "punchy character") == []


def test_a_learned_word_may_mean_a_character() -> None:
    [term] = parse_with_meanings("boingy", {"boingy": ("character: ringing",)})
    assert (term.field, term.value, term.guess) == ("character", ("ringing",), "boingy")


# sentence: the first of three textures, in whatever order they were added
RISERS = {"risers": "Lift", "uplifters": "Lift", "downlifters": "Drop", "textures": ""}


@pytest.mark.parametrize("sentence", RISERS)
def test_what_rises_comes_first_among_risers(owner: User, sentence: str) -> None:
    courses = {"Lift": ["rising"], "Drop": ["falling", "noisy"], "Rain": ["noisy"]}
    added = shelve(owner, {name: {"moods": []} for name in courses})
    with transaction():
        for name, words in courses.items():
            added[name].correct(kind="texture", character=words)
    found = names(owner, sentence)
    assert set(found) == set(courses)
    assert found[0] == (RISERS[sentence] or "Rain")  # the newest
