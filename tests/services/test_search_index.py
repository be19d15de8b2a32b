"""The search index on PostgreSQL: the same answers as on SQLite, by plans that use its indexes."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.auth import accounts
from app.extensions import db
from app.models import LibraryCount, SearchRow, User
from app.models.base import transaction
from app.search import facets, indexing
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from tests.search import test_indexing as on_sqlite
from tests.search.test_page_order import (
    FILTERS,
    SORTS,
    WAYS,
    all_pages,
    fill_shelf,
    find_only,
    missing_from_index,
)
from tests.search.test_text_conditions import shelve
from tests.support import PASSWORD

pytestmark = pytest.mark.services

SEARCHED = re.compile(r"Seq Scan on (?:search_rows|search_index|samples|library_counts|library_tags)")

# Each order with every second filter: the tests on SQLite try all.
SEARCHES = [(filters, sort) for place, filters in enumerate(FILTERS) for sort in SORTS[place % 2 :: 2]]


@pytest.fixture
def owner(postgres_app: Flask) -> User:
    return accounts.register_user("owner@example.com", PASSWORD, "UTC")


def test_changes_are_followed_on_postgresql(owner: User) -> None:
    on_sqlite.test_every_change_is_found_by_the_next_search(owner)


def test_what_others_write_is_followed_on_postgresql(owner: User) -> None:
    on_sqlite.test_what_others_write_into_the_tables_is_followed(owner)


def test_a_deleted_sample_leaves_no_row_on_postgresql(owner: User) -> None:
    on_sqlite.test_a_sample_that_is_deleted_for_good_leaves_no_row(owner)


def test_the_index_is_made_again_on_postgresql(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    on_sqlite.test_the_index_can_be_made_again_while_it_is_used(owner, monkeypatch)


def test_every_way_of_searching_finds_the_same_on_postgresql(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_shelf(owner)
    assert missing_from_index(owner) == []
    for filters, sort in SEARCHES:
        query = SampleQuery(**filters, sort=sort)
        sorted_whole = all_pages(owner, query, 100)
        assert all_pages(owner, query, 3) == sorted_whole
        for way in WAYS:
            with monkeypatch.context() as patch:
                find_only(patch, way)
                assert all_pages(owner, query, 3) == sorted_whole, (query, way)


@contextmanager
def plans_on_postgresql() -> Iterator[list[tuple[str, str]]]:
    """Collect each statement that reads rows of the index, with its plan.

    With a few rows PostgreSQL would rather scan, so it is told that scanning is dear.
    """
    plans: list[tuple[str, str]] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")) and "search_rows" in statement:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {statement}", parameters)
            plans.append((statement, "\n".join(row[0] for row in cursor.fetchall())))

    sa.event.listen(db.engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", explain)


def test_no_search_scans_a_table_on_postgresql(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_shelf(owner)
    found: list[tuple[str, str]] = []
    for way in ("", *WAYS):
        if way:
            find_only(monkeypatch, way)
        with plans_on_postgresql() as plans:
            for filters, sort in SEARCHES:
                query = SampleQuery(**filters, sort=sort)
                page = find_samples(owner, query, "", 3)
                find_samples(owner, query, page.next_after, 3)
                facets.samples_named_so(owner, query)
        found += plans
    assert len(found) > 100
    assert [(statement, plan) for statement, plan in found if SEARCHED.search(plan)] == []


def test_rows_without_a_sample_are_found_by_one_join_on_postgresql(owner: User) -> None:
    """In a library of a million, comparing each row with a list of all samples would take days."""
    fill_shelf(owner)
    with plans_on_postgresql() as plans:
        list(indexing.rebuild(owner.id))
    found = [plan for statement, plan in plans if "EXISTS" in statement]
    assert found
    assert all("Anti Join" in plan for plan in found)


def test_several_processes_may_follow_the_same_changes(postgres_app: Flask, owner: User) -> None:
    shelve(owner, {f"Sound {number}": {"tags": ["a"]} for number in range(40)})
    failed: list[BaseException] = []

    def follow() -> None:
        try:
            with postgres_app.app_context():
                indexing.follow_changes(user_id)
                db.session.remove()
        except BaseException as error:
            failed.append(error)

    user_id = owner.id
    db.session.commit()
    threads = [threading.Thread(target=follow) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SearchRow)) == 40
    assert db.session.scalar(sa.select(sa.func.sum(LibraryCount.samples))) == 40
    with transaction() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM search_index")) == 40
