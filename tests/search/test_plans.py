"""No search reads a table from end to end: the plan of each statement uses an index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from app.extensions import db
from app.models import User
from app.search import facets, indexing
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from tests.search.test_page_order import FILTERS, SORTS, WAYS, fill_shelf, find_only

TABLES = "search_rows|samples|sample_tags|audio_features|library_counts|library_tags|libraries|sample_changes"
# SQLite's words for reading a whole table; an index that covers a statement may still be read whole.
SCAN = re.compile(rf"SCAN (?:TABLE )?(?:{TABLES})\b")

WALK = re.compile(r"ORDER BY search_rows\.\w+ (?:ASC|DESC)")


@contextmanager
def plans_of_searches() -> Iterator[list[tuple[str, str]]]:
    """Collect each statement with its plan."""
    plans: list[tuple[str, str]] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append((statement, "\n".join(row[3] for row in cursor.fetchall())))

    event.listen(db.engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(db.engine, "before_cursor_execute", explain)


@pytest.mark.parametrize("way", ["", *WAYS])
def test_no_statement_of_a_search_scans_a_table(
    owner: User, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_shelf(owner)
    if way:
        find_only(monkeypatch, way)
    with plans_of_searches() as plans:
        for filters in FILTERS:
            for sort in SORTS:
                query = SampleQuery(**filters, sort=sort)
                page = find_samples(owner, query, "", 3)
                find_samples(owner, query, page.next_after, 3)
                facets.samples_named_so(owner, query)
                wider = facets.wider_searches(owner, query)
                facets.close_matches(owner, query, wider[:1])
                facets.close_matches(owner, query, [])
        facets.count_tags(owner)
    assert len(plans) > 100
    assert [(statement, plan) for statement, plan in plans if SCAN.search(plan)] == []


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (SampleQuery(sound="kick", sort="name"), "ix_search_rows_sound_name"),
        (SampleQuery(sound="hi-hat", sort="name"), "ix_search_rows_sound_name"),
        (SampleQuery(ask="90 bpm loops in A minor"), "ix_search_rows_key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_samples_that_are_far_apart_in_an_order_are_read_in_that_of_their_own_value(
    owner: User, query: SampleQuery, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names begin with what a sample is, and few samples have one key and one tempo."""
    fill_shelf(owner)
    find_only(monkeypatch, "walked", most=0)
    with plans_of_searches() as plans:
        find_samples(owner, query, "", 3)
    walks = [plan for statement, plan in plans if WALK.search(statement)]
    assert walks
    assert all(index in plan for plan in walks)


def test_following_changes_scans_no_table(owner: User) -> None:
    fill_shelf(owner)
    with plans_of_searches() as plans:
        indexing.follow_changes(owner.id)
        list(indexing.rebuild(owner.id))
    assert plans
    assert [(statement, plan) for statement, plan in plans if SCAN.search(plan)] == []
