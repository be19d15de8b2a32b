"""What pages and the API say when a search finds more than it counts or ranks, or is still behind."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import insert

from app.models import User
from app.models.base import new_id, transaction
from app.models.search_row import SampleChange
from app.reprocessing import reprocess_offer
from app.search import facets, indexing, match_counts, page_order
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples, list_samples
from tests.reprocessing.support import words
from tests.search.test_text_conditions import shelve
from tests.support import ApiScript, Browser

HTMX = {"HX-Request": "true"}
NOT_RANKED = "There are too many to rank them all, so some older than the newest 2,000 are not listed"
COUNTED = r'<span class="num">(.*?)</span>'


@pytest.fixture
def six(owner: User) -> None:
    shelve(owner, {f"Loop {number}": {"tags": ["dusty"]} for number in range(6)})


@pytest.fixture
def counts_to_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_counts, "MAX_COUNTED", 3)
    monkeypatch.setattr(page_order, "MAX_RANKED", 5)


@pytest.mark.usefixtures("six", "counts_to_three")
class TestMoreThanCounted:
    @pytest.mark.parametrize("headers", [{}, HTMX])
    def test_the_page_says_that_there_are_more(self, as_owner: Browser, headers: dict[str, str]) -> None:
        page = as_owner.get("/samples?q=loop", headers=headers).text
        assert re.search(r'<span class="num">3\+</span>\s+samples', page)
        assert re.search(r'select all <span class="num" id="all-count">3\+</span>\s+that match', page)

    def test_a_library_is_always_counted_to_the_end(self, as_owner: Browser) -> None:
        page = as_owner.get("/samples?kind=loop").text
        assert re.search(r'<span class="num">6</span>\s+samples', page)
        assert "3+" not in page

    def test_filters_without_a_count_show_only_their_name(self, as_owner: Browser) -> None:
        filters = as_owner.get("/samples?q=loop").text.partition('<div id="filters"')[2]
        assert re.search(r'href="/samples\?q=loop&amp;kind=loop">loop</a>', filters)
        filters = as_owner.get("/samples").text.partition('<div id="filters"')[2]
        assert re.search(r'href="/samples\?kind=loop">loop <span class="num">6</span></a>', filters)

    def test_the_api_says_that_the_total_is_a_minimum(self, script: ApiScript) -> None:
        for search, total, is_minimum in (("?q=loop&limit=2", 3, True), ("", 6, False)):
            answer = script.get(f"/api/samples{search}").get_json()
            assert (answer["total"], answer["total_is_minimum"]) == (total, is_minimum)

    def test_doing_all_of_them_again_says_so_too(
        self, as_owner: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reprocess_offer, "MAX_SAMPLES", 2)
        chosen = {"all": "1", "purpose": "analyse"}
        assert "You selected 3+ samples." in words(as_owner.post("/again", q="loop", **chosen).text)
        assert "You selected 6 samples." in words(as_owner.post("/again", **chosen).text)

    def test_the_page_says_which_are_not_ranked(self, as_owner: Browser) -> None:
        page = re.sub(r"\s+", " ", as_owner.get("/samples?ask=dusty,+darkest&q=loop").text)
        assert NOT_RANKED in page
        assert "select all that are listed" in page
        assert NOT_RANKED in re.sub(r"\s+", " ", as_owner.get("/samples?ask=dusty,+darkest").text)
        for search in (
            "?ask=dusty,+darkest&q=loop&sort=newest", "?q=loop", "?ask=newest+first&q=loop", "?ask=longest",
            "?ask=dusty&q=loop", "",
        ):  # fmt: skip
            page = re.sub(r"\s+", " ", as_owner.get(f"/samples{search}").text)
            assert "too many to rank" not in page, search
            assert "that are listed" not in page, search


def test_few_matches_are_all_ranked(as_owner: Browser, six: None) -> None:
    page = as_owner.get("/samples?ask=dusty&q=loop").text
    assert re.search(r'<span class="num">6</span>\s+samples', page)
    assert "too many to rank" not in page


@pytest.mark.parametrize(("most", "shown"), [(5, "5+"), (6, "6")])
def test_a_wider_search_says_when_it_finds_more_than_it_counts(
    as_owner: Browser, six: None, monkeypatch: pytest.MonkeyPatch, most: int, shown: str
) -> None:
    monkeypatch.setattr(facets, "MAX_WIDER", most)
    page = unescape(as_owner.get("/samples?q=loop&bpm_min=300").text)
    found = re.findall(rf'Without <a href="([^"]+)">[^<]+</a>:\s+{COUNTED} samples', page)
    assert found == [("/samples?q=loop", shown)]


def change(owner: User, count: int) -> None:
    """Note changes as a trigger does: of samples that are gone again, which are the quickest to follow."""
    changes = [{"user_id": owner.id, "sample_id": new_id()} for _ in range(count)]
    with transaction() as session:
        session.execute(insert(SampleChange), changes)


class TestWaiting:
    def test_pages_say_how_many_samples_the_search_does_not_know_yet(
        self, as_owner: Browser, owner: User
    ) -> None:
        for path in ("/samples", "/dashboard"):
            change(owner, indexing.MAX_FOLLOWED_AT_ONCE + 1_200)
            page = as_owner.get(path).text
            assert "1,200 samples are still being added to the search and may be missing here." in words(page)
            assert "Your library is empty." not in page
            assert "200 samples are still being added" in words(as_owner.get(path).text)
            page = as_owner.get(path).text
            assert "still being added" not in page
            assert "Your library is empty." in page

    def test_one_sample_is_not_many(self, as_owner: Browser, owner: User) -> None:
        change(owner, indexing.MAX_FOLLOWED_AT_ONCE + 1)
        assert "1 sample is still being added to the search" in words(as_owner.get("/samples").text)

    def test_a_fragment_says_so_too(self, as_owner: Browser, owner: User, six: None) -> None:
        change(owner, indexing.MAX_FOLLOWED_AT_ONCE + 7)
        part = as_owner.get("/samples?q=loop", headers=HTMX).text
        assert re.search(r'<span class="num">\d+</span> samples are still being added', part)

    def test_both_ways_to_find_samples_pass_it_on(self, owner: User) -> None:
        change(owner, 2 * indexing.MAX_FOLLOWED_AT_ONCE + 30)
        waiting = [find(owner, SampleQuery(), None).waiting for find in (list_samples, find_samples)]
        assert waiting == [indexing.MAX_FOLLOWED_AT_ONCE + 30, 30]
