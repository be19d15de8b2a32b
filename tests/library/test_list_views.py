"""The open list: what it learns of changes, how its headers sort, and what it remembers of its user."""

from __future__ import annotations

import re
from html import unescape

from app.extensions import db
from app.library import samples, trash
from app.models import User
from tests.query_counter import counted_queries
from tests.search.test_text_conditions import shelve
from tests.support import Browser, row_names


def news_url(page: str) -> str:
    found = re.search(r'data-url="([^"]+)"', page.partition('id="news"')[2])
    assert found is not None
    return unescape(found[1])


def number_new(part: str) -> str:
    found = re.search(r'id="news" hidden data-new="(\d+)"', part)
    assert found is not None
    return found[1]


def test_an_open_list_learns_of_new_samples_and_counts(as_owner: Browser, owner: User) -> None:
    shelve(owner, {"Old": {}})
    url = news_url(as_owner.get("/samples").text)
    with counted_queries() as statements:
        assert as_owner.get(url).status_code == 204
    assert len([each for each in statements if "libraries" in each]) == 1
    shelve(owner, {"Late": {}, "Later": {}})
    part = as_owner.get(url).text
    assert row_names(part)[:2] == ["Later", "Late"]
    assert '<span class="num">3</span>' in part
    assert '<div id="filters"' in part
    assert as_owner.get(news_url(part)).status_code == 204


def test_a_delete_changes_the_counts_and_brings_no_rows(as_owner: Browser, owner: User) -> None:
    made = shelve(owner, {"One": {}, "Two": {}})
    url = news_url(as_owner.get("/samples?sort=name").text)
    trash.delete_sample(made["One"])
    part = as_owner.get(url).text
    assert '<span class="num">1</span>' in part
    assert (number_new(part), row_names(part)) == ("0", [])


def test_in_another_order_new_samples_are_only_counted(as_owner: Browser, owner: User) -> None:
    shelve(owner, {"Old": {}})
    url = news_url(as_owner.get("/samples?sort=name").text)
    shelve(owner, {"Late": {}})
    part = as_owner.get(url).text
    assert (number_new(part), row_names(part)) == ("1", [])


def test_only_what_the_search_asks_for_is_new(as_owner: Browser, as_stranger: Browser, owner: User) -> None:
    shelve(owner, {"Old": {}})
    url = news_url(as_owner.get("/samples?q=kick").text)
    shelve(owner, {"Kick": {}, "Snare": {}})
    assert row_names(as_owner.get(url).text) == ["Kick"]
    assert row_names(as_stranger.get(url).text) == []


def test_an_address_of_news_that_no_page_makes_is_refused(as_owner: Browser) -> None:
    for search in ("", "?version=1", "?version=x&since=2026-01-01T00:00:00%2B00:00", "?version=1&since=2026"):
        assert as_owner.get(f"/samples/news{search}").status_code == 400, search


def test_headers_sort_both_ways_and_samples_without_a_tempo_come_last(as_owner: Browser, owner: User) -> None:
    made = shelve(owner, {"Slow": {}, "Still": {}, "Fast": {}})
    for name, bpm in (("Slow", 80.0), ("Fast", 160.0), ("Still", None)):
        samples.edit_sample(made[name], corrections={"bpm": bpm})
    page = as_owner.get("/samples?sort=bpm").text
    assert row_names(page) == ["Slow", "Fast", "Still"]
    assert '<th scope="col" class="col-bpm" aria-sort="ascending">' in page
    assert '<a href="/samples?sort=-bpm">BPM</a>' in page
    page = as_owner.get("/samples?sort=-bpm").text
    assert row_names(page) == ["Fast", "Slow", "Still"]
    assert '<th scope="col" class="col-bpm" aria-sort="descending">' in page
    assert '<a href="/samples?sort=bpm">BPM</a>' in page


def test_the_order_is_remembered_until_another_is_chosen(as_owner: Browser, owner: User) -> None:
    shelve(owner, {"B": {}, "A": {}, "C": {}})
    as_owner.get("/samples?sort=name")
    assert row_names(as_owner.get("/samples").text) == ["A", "B", "C"]
    assert 'value="name" selected' in as_owner.get("/samples?liked=1").text
    assert " selected" not in as_owner.get("/samples?ask=darkest").text.partition("</select>")[0]
    as_owner.get("/samples?sort=")
    assert row_names(as_owner.get("/samples").text) == ["C", "A", "B"]


def test_columns_are_remembered(as_owner: Browser, owner: User) -> None:
    shelve(owner, {"A": {}})
    assert '<table class="rows"' in as_owner.get("/samples").text
    answer = as_owner.post("/samples/columns", column=["kind", "bpm", "like", "words", "name"], liked="1")
    assert (answer.status_code, answer.location) == (303, "/samples?liked=1")
    db.session.refresh(owner)
    assert owner.hidden_columns == "wave key length"
    page = as_owner.get("/samples").text
    assert '<table class="rows no-wave no-key no-length"' in page
    assert re.search(r'value="key"> Key', page)
    assert re.search(r'value="kind" checked> Kind', page)
    assert as_owner.post("/samples/columns", {"HX-Request": "true"}).status_code == 204
