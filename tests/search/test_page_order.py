"""However rows are found, a search finds the same ones in the same order, page by page."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.extensions import db
from app.library import samples
from app.models import SearchRow, User
from app.models.base import transaction
from app.search import indexing, match_counts, matching, page_order, page_walk, ranking, tiers
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from tests.search.sentences import HELD_OUT, SENTENCES
from tests.search.test_text_conditions import VIBES, shelve

FREE_TEXTS = (
    "dusty",
    "ust",
    "k",
    "KI",
    "am-1",
    "90",
    "bd",
    '"deep kick"',
    "-kick",
    "vox hit",
    "zzz",
    "#",
    "80s",
    "ic",
)
SORTS = ("", *ranking.SORT_ORDERS)
PACK = "01JAAAAAAAAAAAAAAAAAAAAAAA"
FILTERS: tuple[dict[str, Any], ...] = (
    {}, {"kind": "one-shot"}, {"sound": "drums"},
    {"sound": "hi-hat", "kind": "one-shot"}, {"key": "A minor", "compatible": True}, {"liked": True},
    {"tag": "dusty"}, {"bpm_min": 85.0, "bpm_max": 95.0}, {"q": "ki"}, {"ask": "dusty"},
    {"ask": "longest kicks"}, {"ask": "darkest"}, {"ask": "90 bpm in A minor"},
    {"collection": PACK}, {"collection": PACK, "folder": "drums/KICKS X"},
    {"collection": PACK, "folder": "drums"},
)  # fmt: skip
SHELF = {f"{name} {number}": vibe for number in range(3) for name, vibe in VIBES.items()} | {
    "Deep Kick": {}, "AM-1 vocal hit": {}, "kick_02 dusty": {"tags": ["dusty"]}, "80s tom": {},
    "Beat (90 bpm)": {},
}  # fmt: skip


WAYS = ("gathered", "walked and gathered", "walked")


def find_only(monkeypatch: pytest.MonkeyPatch, way: str, most: int = 2) -> None:
    """Let pages of more matches than `most` be found in one way, in however small a library."""
    page_order.kept_ids.cache_clear()
    page_order.kept_page.cache_clear()
    monkeypatch.setattr(match_counts, "MAX_COUNTED", most)
    monkeypatch.setattr(page_walk, "MAX_COUNTED", 0)
    monkeypatch.setattr(page_walk, "MAX_TRIED", 1)
    monkeypatch.setattr(page_walk, "_few_rows", lambda *_: 1000 if way == "gathered" else 1)
    if way == "walked":
        monkeypatch.setattr(matching, "MAX_GATHERED", most)


@pytest.fixture
def shelf(owner: User) -> User:
    return fill_shelf(owner)


def fill_shelf(owner: User) -> User:
    """Give a user samples of every kind, tempo, key and length."""
    for number, sample in enumerate(shelve(owner, SHELF).values()):
        with transaction():
            sample.duration_s = 0.25 * (number % 5 + 1)
            sample.liked = number % 3 == 0
            if number % 2:
                sample.collection_id, sample.folder = PACK, ("", "Drums", "Drums/Kicks x")[number % 3]
            if number % 2:
                sample.correct(
                    kind="one-shot",
                    sound=("kick", "closed hat", "tom", "open hat", "snare")[number % 5],
                    bpm=None,
                )
            else:
                sample.correct(
                    bpm=(88.0, 90.0, 174.0)[number % 3], key=("A minor", None, "C major")[number % 3]
                )
        if number % 4 == 0:
            samples.edit_sample(sample, tags="dusty, warm")
    indexing.follow_changes(owner.id)
    return owner


def all_pages(owner: User, query: SampleQuery, limit: int) -> list[str]:
    seen, after = list[str](), ""
    while True:
        page = find_samples(owner, query, after, limit)
        seen += [sample.id for sample in page.samples]
        if page.next_after is None:
            return seen
        after = page.next_after


def missing_from_index(owner: User) -> list[str]:
    """Return the searches for which the inverted index leaves out a sample that meets the conditions."""
    searches = [SampleQuery(ask=each) for each in (*SENTENCES, *HELD_OUT)]
    searches += [SampleQuery(q=each) for each in FREE_TEXTS] + [SampleQuery(**each) for each in FILTERS]
    wrong = []
    for query in searches:
        conditions = page_order.row_conditions(query)
        gathered = db.session.scalars(matching.gathered(owner.id, conditions, SearchRow.sample_id)).all()
        walked = db.session.scalars(matching.walked(owner.id, conditions, SearchRow.sample_id)).all()
        if sorted(gathered) != sorted(walked):
            wrong.append(f"{query.q}{query.ask}: {len(gathered)} of {len(walked)}")
    return wrong


def test_the_index_leaves_no_sample_out(shelf: User) -> None:
    assert missing_from_index(shelf) == []


def test_most_searches_use_the_index(shelf: User) -> None:
    asked = [page_order.row_conditions(SampleQuery(**each)) for each in FILTERS if each and "ask" not in each]
    assert all(any(condition.groups for condition in conditions) for conditions in asked)


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_every_way_finds_the_same_in_the_same_order(
    shelf: User, filters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for sort in SORTS:
        query = SampleQuery(**filters, sort=sort)
        sorted_whole = all_pages(shelf, query, 100)
        assert sorted_whole
        assert all_pages(shelf, query, 3) == sorted_whole
        assert find_samples(shelf, query, "").total == len(sorted_whole)
        for way in WAYS:
            with monkeypatch.context() as patch:
                find_only(patch, way)
                for limit in (3, 100):
                    assert all_pages(shelf, query, limit) == sorted_whole, (sort, way)


@pytest.mark.parametrize("sort", SORTS)
def test_a_page_continues_after_a_sample_that_was_deleted_meanwhile(
    shelf: User, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = SampleQuery(sort=sort)
    every = all_pages(shelf, query, 100)
    with transaction() as session:
        session.query(SearchRow).filter_by(sample_id=every[4]).update({"live": False})
    for way in ("", *WAYS):
        if way:
            find_only(monkeypatch, way)
        rest = find_samples(shelf, query, every[4], 100).samples
        assert [sample.id for sample in rest] == every[5:], way


@pytest.mark.parametrize("filters", [{}, {"ask": "dusty"}, {"ask": "darkest"}, {"q": "ki"}], ids=str)
@pytest.mark.parametrize("most", [100, 2])
def test_nothing_comes_after_a_sample_that_is_not_the_users(
    shelf: User, stranger: User, filters: dict[str, Any], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelve(stranger, {"Alien": {}})
    alien = find_samples(stranger, SampleQuery(), "").samples[0].id
    find_only(monkeypatch, "walked", most)
    for sort in ("", "name", "kind", "key", "bpm", "length"):
        for after in (alien, "1e400"):
            query = SampleQuery(**filters, sort=sort)
            if filters.get("ask") or sort:
                assert find_samples(shelf, query, after).samples == [], (sort, after)


@pytest.mark.parametrize("sort", ["", "name", "bpm"])
def test_samples_of_others_take_no_place_on_a_page(owner: User, stranger: User, sort: str) -> None:
    shelve(owner, {"Mine 1": {}, "Mine 2": {}})
    shelve(stranger, {f"A {number}": {} for number in range(3)})
    indexing.follow_changes(stranger.id)
    found = find_samples(owner, SampleQuery(sort=sort), "", 2).samples
    assert {sample.name for sample in found} == {"Mine 1", "Mine 2"}


def test_of_too_many_matches_those_with_the_word_and_the_newest_are_ranked(
    shelf: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = SampleQuery(ask="dusty, darkest")
    assert tiers.split_order(query) is None
    whole = all_pages(shelf, query, 100)
    preferred = ranking.preferred_rows(query.ask, query.terms)
    assert preferred is not None
    with_word = set(db.session.scalars(matching.walked(shelf.id, [preferred], SearchRow.sample_id)))
    assert 3 < len(with_word) < len(whole) - 3
    monkeypatch.setattr(match_counts, "MAX_COUNTED", 2)
    newest = all_pages(shelf, SampleQuery(), 100)
    for ranked in (len(with_word), len(with_word) + 3):
        monkeypatch.setattr(page_order, "MAX_RANKED", ranked)
        listed = with_word | set(newest[:ranked])
        assert all_pages(shelf, query, 100) == [each for each in whole if each in listed]
    monkeypatch.setattr(page_order, "MAX_RANKED", 3)  # too many have the word, too
    listed = set([each for each in newest if each in with_word][:3])
    assert all_pages(shelf, query, 100) == [each for each in whole if each in listed]


def test_counts_are_exact_up_to_a_limit_and_only_a_minimum_beyond(
    shelf: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = SampleQuery(q="dusty", kind="loop")
    exact = match_counts.count_matches(shelf.id, query)
    assert not exact.is_more
    assert exact.total == dict(exact.kinds)["loop"] == len(all_pages(shelf, query, 100))
    either = match_counts.count_matches(shelf.id, SampleQuery(q="dusty"))
    monkeypatch.setattr(match_counts, "MAX_COUNTED", exact.total)
    assert exact.total < either.total
    beyond = match_counts.count_matches(shelf.id, SampleQuery(q="dusty"))
    assert (beyond.total, beyond.is_more) == (exact.total, True)
    assert all(count is None for values in (beyond.kinds, beyond.sounds, beyond.keys) for _, count in values)
    narrowed = match_counts.count_matches(shelf.id, query)
    assert (narrowed.total, narrowed.is_more) == (exact.total, False)
    in_all = match_counts.count_matches(shelf.id, SampleQuery(kind="loop"))
    assert in_all.total > exact.total
    assert not in_all.is_more


@pytest.mark.parametrize("sentence", ["longest", "shortest loops", "darkest", "punchiest one-shots"])
def test_of_too_many_matches_all_are_sorted_by_a_single_axis(
    shelf: User, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (f"The {sentence} I", f"{sentence} II"):
        shelve(shelf, {name: {}})
    query = SampleQuery(ask=sentence)
    sorted_whole = all_pages(shelf, query, 100)
    find_only(monkeypatch, "walked", 3)
    for limit in (1, 3, 100):
        assert all_pages(shelf, query, limit) == sorted_whole


@pytest.mark.parametrize(
    "sentence",
    ["dusty", "dusty and warm", "dusty kicks", "not too dusty", "risers", "warm uplifter", "kick 1"],
)
def test_of_too_many_matches_all_are_ranked_by_words(
    shelf: User, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named: dict[str, dict[str, Any]] = {
        f"The {sentence} I": {},
        f"{sentence} II": {},
        "Warm riser": {},
        "uplifter": {},
    }
    shelve(shelf, named | {"Second riser, an uplifter": {"character": ["rising"]}})
    query = SampleQuery(ask=sentence)
    sorted_whole = all_pages(shelf, query, 100)
    assert len(sorted_whole) > 2
    assert tiers.split_order(query) is not None
    for way in WAYS:
        with monkeypatch.context() as patch:
            find_only(patch, way)
            for limit in (1, 3, 100):
                assert all_pages(shelf, query, limit) == sorted_whole, way


def test_a_sample_is_in_exactly_one_tier(shelf: User) -> None:
    split = 0
    for sentence in (*SENTENCES, *HELD_OUT, "longest", "dusty, warm"):
        found = tiers.split_order(SampleQuery(ask=sentence))
        if found:
            split += len(found)
            is_in = [tier.exact.label(f"tier_{number}") for number, tier in enumerate(found)]
            rows = db.session.execute(select(*is_in).where(SearchRow.user_id == shelf.id)).all()
            assert {sum(map(bool, row)) for row in rows} == {1}, sentence
    assert split > 100
