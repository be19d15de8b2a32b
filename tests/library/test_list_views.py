"""The open list: what it learns of changes, how its headers sort, and what it remembers of its user."""

from __future__ import annotations

import re
from functools import partial
from html import unescape

import pytest

from app.collections import collection_rows
from app.extensions import db
from app.library import routes, samples, trash
from app.models import Sample, User
from app.models.base import transaction
from app.search import sample_search
from app.search.indexing import follow_changes
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


def chosen_orders(page: str) -> list[str]:
    select = page.partition('<select id="sort"')[2].partition("</select>")[0]
    return re.findall(r'value="([^"]*)" selected', select)


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
    midnight = "T00:00:00%2B00:00"
    searches = (f"version=x&since=2026-01-01{midnight}", f"version=1&since=0001-01-01{midnight}")
    for search in ("", "?version=1", "?version=1&since=2026", *(f"?{each}" for each in searches)):
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
    part = as_owner.get("/samples?sort=name&liked=1").text
    assert chosen_orders(part) == ["name"]
    as_owner.get("/samples?sort=")
    assert row_names(as_owner.get("/samples").text) == ["C", "A", "B"]
    assert chosen_orders(as_owner.get("/samples").text) == []


def test_a_remembered_order_leaves_a_sentence_its_own(as_owner: Browser, owner: User) -> None:
    shelve(owner, {"Kick B": {}, "Aged kick": {}, "Kick C": {}})
    as_owner.get("/samples?sort=name")
    page = as_owner.get("/samples").text
    assert chosen_orders(page) == ["remembered"]
    assert "Name, or best match for a sentence</option>" in page
    links = re.findall(
        r'href="(/samples\?[^"]+)"', page.partition('id="filters"')[2].partition('id="found"')[0]
    )
    assert links, "the filters name no order that nobody asked for, so the form behind them does not either"
    assert [link for link in links if "sort=" in link] == []
    for search in ("ask=kick", "ask=kick&sort=remembered"):
        page = as_owner.get(f"/samples?{search}").text
        assert (row_names(page), chosen_orders(page)) == (["Kick C", "Aged kick", "Kick B"], ["remembered"])
    for search in ("sort=remembered", "ask=&sort=remembered&bpm_min="):
        assert row_names(as_owner.get(f"/samples?{search}").text) == ["Aged kick", "Kick B", "Kick C"]
    assert row_names(as_owner.get("/samples?ask=kick&sort=name").text)[0] == "Aged kick"
    url = news_url(as_owner.get("/samples").text)
    shelve(owner, {"Late": {}})
    part = as_owner.get(url).text
    assert (number_new(part), row_names(part)) == ("1", []), "the list is still in the remembered order"
    assert "sort=" not in news_url(part)


def test_the_next_page_goes_on_in_the_remembered_order(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_two = partial(sample_search.list_samples, limit=2)
    monkeypatch.setattr(routes, "list_samples", first_two)
    shelve(owner, {"B": {}, "A": {}, "C": {}})
    as_owner.get("/samples?sort=name")
    page = as_owner.get("/samples").text
    for attribute, headers in (("href", {}), ("hx-get", {"HX-Request": "true"})):
        found = re.search(rf'{attribute}="(/samples\?after=[^"]+)"', page)
        assert found is not None
        assert row_names(as_owner.get(unescape(found[1]), headers=headers).text) == ["C"]


def test_news_bring_the_folds_and_the_words_of_the_order_along(as_owner: Browser, owner: User) -> None:
    shelve(owner, {"Old": {}})
    with transaction() as session:
        collection = collection_rows.find_or_create(owner.id, "Night pack")
        session.execute(db.update(Sample).values(collection_id=collection.id, folder="Drums"))
    follow_changes(owner.id)
    urls = [
        news_url(as_owner.get(f"/samples?{s}").text) for s in ("ask=dusty", f"collection={collection.id}")
    ]
    shelve(owner, {"Late": {}})
    asked, narrowed = (as_owner.get(url).text for url in urls)
    assert "<summary>Collections</summary>" in asked
    assert "· dusty first" in asked
    assert "<summary>Folders</summary>" in narrowed
    assert "Drums" in narrowed


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
