"""A search is counted and sorted once. Only a change of the library makes it count and sort again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.library import bulk_edits
from app.models import User
from app.models.base import utcnow
from app.search import facets, match_counts, text_conditions
from app.search.sample_query import SampleQuery
from app.search.sample_search import list_samples
from tests.query_counter import counted_queries
from tests.search.test_text_conditions import shelve

DUSTY = SampleQuery(q="dusty")
COUNTING = "count("


@pytest.fixture
def three(owner: User) -> list[str]:
    shelved = shelve(owner, {f"Loop {number}": {"tags": ["dusty"]} for number in range(3)})
    return [sample.id for sample in shelved.values()]


def counting(user: User, query: SampleQuery, after: str = "") -> tuple[int, int]:
    """Return how many samples a page says match, and how many statements counted them."""
    with counted_queries() as statements:
        page = list_samples(user, query, after, limit=2)
    return page.total, sum(COUNTING in statement.lower() for statement in statements)


@pytest.mark.parametrize("query", [DUSTY, SampleQuery(ask="dusty loops"), SampleQuery(bpm_min=1.0)])
def test_the_next_page_and_another_order_are_not_counted_again(
    owner: User, three: list[str], query: SampleQuery
) -> None:
    first = list_samples(owner, query, "", limit=2)
    assert (first.total, first.next_after) == (3, three[1])
    assert counting(owner, query, three[1]) == (3, 0)
    assert counting(owner, replace(query, sort="name")) == (3, 0)


def test_each_change_of_the_library_is_counted(owner: User, stranger: User, three: list[str]) -> None:
    liked = SampleQuery(q="dusty", liked=True)
    assert [counting(owner, each)[0] for each in (DUSTY, liked)] == [3, 0]
    bulk_edits.like_samples(owner, three[:1], liked=True)
    assert counting(owner, liked)[0] == 1
    bulk_edits.delete_samples(owner, three[1:2])
    assert counting(owner, DUSTY)[0] == 2
    shelve(owner, {"Dusty kick": {}})
    assert counting(owner, DUSTY)[0] == 3
    assert counting(stranger, DUSTY)[0] == 0


def sorting(user: User, query: SampleQuery, after: str = "") -> tuple[list[str], int]:
    """Return the names on a page, and how many statements sorted what was found."""
    with counted_queries() as statements:
        page = list_samples(user, query, after, limit=2)
    return [sample.name for sample in page.samples], sum(" AS place" in each for each in statements)


@pytest.mark.parametrize(
    "query", [DUSTY, SampleQuery(ask="dusty, darkest"), SampleQuery(q="dusty", sort="-kind")]
)
def test_the_next_page_is_not_sorted_again(owner: User, three: list[str], query: SampleQuery) -> None:
    assert sorting(owner, query) == (["Loop 2", "Loop 1"], 1)
    assert sorting(owner, query, three[1]) == (["Loop 0"], 0)
    assert sorting(owner, replace(query, sort="oldest")) == (["Loop 0", "Loop 1"], 1)
    assert sorting(owner, query) == (["Loop 2", "Loop 1"], 0)
    shelve(owner, {"Loop 3": {"tags": ["dusty"]}})
    assert sorting(owner, query) == (["Loop 3", "Loop 2"], 1)


def test_a_page_of_many_matches_is_kept_until_the_library_changes(
    owner: User, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match_counts, "MAX_COUNTED", 1)
    first, second = ["Loop 2", "Loop 1"], ["Loop 0"]
    assert [sorting(owner, DUSTY)[0], sorting(owner, DUSTY, three[1])[0]] == [first, second]
    assert [sorting(owner, DUSTY), sorting(owner, DUSTY, three[1])] == [(first, 0), (second, 0)]
    assert sorting(owner, replace(DUSTY, sort="oldest"))[0] == ["Loop 0", "Loop 1"]
    bulk_edits.delete_samples(owner, three[:1])
    assert [sorting(owner, DUSTY)[0], sorting(owner, DUSTY, three[1])[0]] == [first, []]


def test_the_version_of_a_filtered_library_is_asked_before_its_counts(owner: User, three: list[str]) -> None:
    bulk_edits.like_samples(owner, three, liked=True)
    assert (
        list_samples(owner, SampleQuery(kind="loop"), "").total == 3
    )  # and the index has followed the changes
    for query in (SampleQuery(kind="loop"), SampleQuery(liked=True)):
        with counted_queries() as statements:
            list_samples(owner, query, "")
        tables = [
            table
            for each in statements
            for table in ("libraries", "library_counts")
            if f"FROM {table}" in each
        ]
        assert tables == ["libraries", "library_counts"]


def test_a_page_continues_after_a_sample_that_is_not_found_any_more(
    owner: User, stranger: User, three: list[str]
) -> None:
    assert sorting(owner, DUSTY)[0] == ["Loop 2", "Loop 1"]
    bulk_edits.delete_samples(owner, three[1:2])
    assert sorting(owner, DUSTY, three[1])[0] == ["Loop 0"]
    [foreign] = shelve(stranger, {"Loop 9": {"tags": ["dusty"]}}).values()
    assert sorting(stranger, DUSTY)[0] == ["Loop 9"]
    assert sorting(owner, replace(DUSTY, sort="name"), foreign.id)[0] == []


def wider_totals(user: User, query: SampleQuery) -> tuple[list[int], int]:
    """Return what wider searches find, and how many statements counted it."""
    with counted_queries() as statements:
        found = [wider.total for wider in facets.wider_searches(user, query)]
    return found, sum(COUNTING in statement.lower() for statement in statements)


def test_wider_searches_are_counted_once_until_the_library_changes(owner: User, three: list[str]) -> None:
    nothing = SampleQuery(q="dusty", bpm_min=999.0)
    assert list_samples(owner, nothing, "").total == 0
    assert wider_totals(owner, nothing) == ([3], 1)
    assert wider_totals(owner, nothing) == ([3], 0)
    bulk_edits.delete_samples(owner, three[:1])
    assert list_samples(owner, DUSTY, "").total == 2  # and the index has followed the change
    assert wider_totals(owner, nothing) == ([2], 1)


def test_what_comes_close_is_found_once_until_the_library_changes(owner: User, three: list[str]) -> None:
    nothing = SampleQuery(q="dusty", bpm_min=999.0)
    assert list_samples(owner, nothing, "").total == 0
    wider = facets.wider_searches(owner, nothing)
    numbers = []
    for expected in (three, three, three[1:]):
        with counted_queries() as statements:
            found = facets.close_matches(owner, nothing, wider)
        assert [sample.id for sample in found] == expected[::-1]
        numbers.append(sum("search_rows.sample_id" in each for each in statements))
        if len(numbers) == 2:
            bulk_edits.delete_samples(owner, three[:1])
            assert list_samples(owner, DUSTY, "").total == 2  # and the index has followed the change
    assert numbers == [1, 0, 1]


def test_what_the_index_names_is_counted_once_until_the_library_changes(
    owner: User, stranger: User, three: list[str]
) -> None:
    assert list_samples(owner, DUSTY, "").total == 3  # and the index has followed the changes
    dusty = text_conditions.mentions_word("dusty").groups
    with counted_queries() as statements:
        numbers = [match_counts.number_named(owner.id, dusty, most) for most in (10, 10, 1)]
    assert (numbers, sum(COUNTING in statement.lower() for statement in statements)) == ([3, 3, 2], 2)
    assert match_counts.number_named(stranger.id, dusty, 10) == 0
    bulk_edits.delete_samples(owner, three[:1])
    shelve(owner, {"Loop 4": {"tags": ["dusty"]}, "Loop 5": {"tags": ["dusty"]}})
    assert list_samples(owner, DUSTY, "").total == 4
    assert match_counts.number_named(owner.id, dusty, 10) >= 4  # rows in the trash may be named too


def test_other_filters_and_words_are_counts_of_their_own(owner: User, three: list[str]) -> None:
    found: list[Any] = [{}, {"liked": True}, {"bpm_min": 200.0}, {"kind": "texture"}, {"seconds_max": 0.1}]
    totals = [list_samples(owner, SampleQuery(q="dusty", **each), "").total for each in found]
    assert totals == [3, 0, 0, 0, 0]
    assert list_samples(owner, SampleQuery(q="dusty", learned={"dusty": ()}), "").total == 3


def test_what_was_added_within_some_days_is_counted_each_minute(
    owner: User, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lately, now = SampleQuery(ask="last 3 days"), utcnow().replace(second=0)
    found = []
    for seconds in (0, 59, 60):
        monkeypatch.setattr(match_counts, "utcnow", lambda at=now + timedelta(seconds=seconds): at)
        found.append(counting(owner, lately))
    assert found == [(3, 1), (3, 0), (3, 1)]


def test_a_wider_search_about_days_is_counted_each_minute(
    owner: User, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words, now = SampleQuery(ask="last snare 3 days"), utcnow().replace(second=0)
    assert list_samples(owner, words, "").total == 0
    found = []
    for seconds in (0, 59, 60):
        monkeypatch.setattr(match_counts, "utcnow", lambda at=now + timedelta(seconds=seconds): at)
        found.append(wider_totals(owner, words)[1])
    assert found == [1, 0, 1]
