"""Similar samples are the same on PostgreSQL as on SQLite, to the last digit."""

from __future__ import annotations

import pytest
from flask import Flask

from app.auth import accounts
from app.models import User
from app.search import nearest
from app.search.sample_query import SampleQuery
from tests.search import test_similar_samples as on_sqlite
from tests.search import test_vector_cache as cache_on_sqlite
from tests.search.vectors import names, random_vector, shelve_vectors, similar
from tests.support import PASSWORD

pytestmark = pytest.mark.services
Answers = list[tuple[list[str], list[object]]]
"""Names, and what is said of each, by search."""
SEARCHES = (SampleQuery(), SampleQuery(sound="snare"), SampleQuery(ask="not kicks"), SampleQuery(q="7"))


def new_user(name: str) -> User:
    return accounts.register_user(f"{name}@example.com", PASSWORD, "UTC")


def answers(owner: User) -> Answers:
    """Return the names, distances, matches and reasons of several searches in a library with many ties."""
    made = shelve_vectors(owner, {f"{n}": random_vector(n % 150) for n in range(300)}, brightness=50.0)
    shelve_vectors(owner, {f"s{n}": random_vector(n) for n in range(70)}, sound="snare", brightness=70.0)
    found: Answers = []
    for preset in ("balanced", "timbre", "rhythm", "harmony"):
        for search in SEARCHES:
            for but in ("", "brighter"):
                hits = similar(owner, made["7"], search=search, preset=preset, but=but)
                found.append((names(hits), [(hit.distance, hit.match, hit.reason) for hit in hits]))
    return found


@pytest.fixture
def of_sqlite(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Answers:
    monkeypatch.setattr(nearest, "MIN_COMPARED", 60)
    return answers(new_user("sqlite"))


def test_answers_are_the_same_on_both_databases(of_sqlite: Answers, postgres_app: Flask) -> None:
    of_postgresql = answers(new_user("postgresql"))
    assert of_postgresql == of_sqlite
    assert sum(len(each[0]) for each in of_sqlite) > 500


def test_every_way_to_search_works_on_postgresql(
    postgres_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_sqlite.test_filters_and_the_sentence_are_in_force(new_user("filters"))
    on_sqlite.test_like_this_but_brighter(new_user("changes"))
    on_sqlite.test_deleted_samples_are_never_found(new_user("deleted"))
    on_sqlite.test_a_new_measurement_replaces_the_vector(new_user("measured"))
    on_sqlite.test_few_matches_among_many_are_found_however_far_they_are(new_user("few"), monkeypatch, 5)


def test_vectors_are_kept_and_followed_on_postgresql(postgres_app: Flask) -> None:
    cache_on_sqlite.test_a_row_that_is_committed_late_is_seen(new_user("late"))
    users = [new_user(name) for name in ("one", "two", "three")]
    cache_on_sqlite.test_memory_stays_below_the_limit(*users)
