"""Vectors kept in memory: what others add is seen, and the memory has a limit."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import update

from app.models import Sample, SampleVector, User
from app.models.base import transaction, utcnow
from app.search import vector_cache
from app.search.vector_cache import ROW_BYTES, VectorCache
from tests.query_counter import counted_queries
from tests.search.vectors import random_vector, shelve_vectors


def ids(cache: VectorCache, user: User) -> list[str]:
    return [each.decode() for block in cache.read_vectors(user.id) for each in block.ids.tolist()]


def shelve_random(user: User, *seeds: int) -> list[Sample]:
    return list(shelve_vectors(user, {f"{seed}": random_vector(seed) for seed in seeds}).values())


def age_vectors(age: timedelta) -> None:
    with transaction() as session:
        session.execute(update(SampleVector).values(created_at=utcnow() - age))


def test_vectors_are_read_once(owner: User) -> None:
    cache = VectorCache(10**6)
    made = shelve_random(owner, 1, 2, 3)
    age_vectors(timedelta(hours=1))
    assert ids(cache, owner) == [each.id for each in made]
    with counted_queries() as statements:
        assert ids(cache, owner) == [each.id for each in made]
    assert len(statements) == 1
    assert "vector," not in statements[0]
    [block] = cache.read_vectors(owner.id)
    assert np.array_equal(block.rows[1], np.array(random_vector(2), dtype=np.float32))
    assert np.allclose(block.norms.sum(axis=1), (block.rows**2).sum(axis=1))


@pytest.mark.parametrize("age", [timedelta(), timedelta(hours=1)])
def test_what_was_chosen_is_kept_until_there_are_other_vectors(owner: User, age: timedelta) -> None:
    cache = VectorCache(10**6)

    def choose() -> list[int]:
        [block] = cache.read_vectors(owner.id)
        return [int(place) for place in block.keep("nearest", lambda: np.arange(len(block.ids)))]

    shelve_random(owner, 1, 2)
    age_vectors(age)
    assert [choose(), choose()] == [[0, 1], [0, 1]]
    shelve_random(owner, 3)
    assert choose() == [0, 1, 2]


def test_few_choices_are_kept(owner: User) -> None:
    cache = VectorCache(10**6)
    shelve_random(owner, 1)
    [block] = cache.read_vectors(owner.id)
    for name in range(3 * vector_cache.MAX_CHOICES_KEPT):
        assert block.keep(name, lambda: np.array([0])).tolist() == [0]
        assert len(block.kept) <= vector_cache.MAX_CHOICES_KEPT


@pytest.mark.parametrize("age", [timedelta(), timedelta(hours=1)])
def test_what_another_process_adds_is_seen(owner: User, age: timedelta) -> None:
    here, there = VectorCache(10**6), VectorCache(10**6)
    made = shelve_random(owner, 1, 2)
    age_vectors(age)
    assert ids(here, owner) == ids(there, owner)
    made += shelve_random(owner, 3)
    assert ids(here, owner) == ids(there, owner) == [each.id for each in made]


def test_a_row_that_is_committed_late_is_seen(owner: User) -> None:
    """On PostgreSQL a row may show up whose number is below one that was seen."""
    cache = VectorCache(10**6)
    [seen] = shelve_random(owner, 1)
    renumber(seen, 100)
    assert ids(cache, owner) == [seen.id]
    [late] = shelve_random(owner, 2)
    renumber(late, 50)
    assert ids(cache, owner) == [seen.id, late.id]


def renumber(sample: Sample, number: int) -> None:
    with transaction() as session:
        session.execute(update(SampleVector).where(SampleVector.sample_id == sample.id).values(number=number))


def test_memory_stays_below_the_limit(owner: User, stranger: User, freeloader: User) -> None:
    cache = VectorCache(7 * ROW_BYTES)
    users = (owner, stranger, freeloader)
    for seed, user in enumerate(users):
        shelve_random(user, *range(10 * seed, 10 * seed + 3))
    for user in (*users, *users):
        assert len(ids(cache, user)) == 3
        assert cache.used_bytes <= cache.max_bytes
    with counted_queries() as statements:
        ids(cache, freeloader)
        ids(cache, stranger)
    assert len(statements) == 2, "the two used last are kept"


def test_a_library_beyond_the_limit_is_read_in_blocks_and_not_kept(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_cache, "READ_ROWS", 4)
    cache = VectorCache(5 * ROW_BYTES)
    made = shelve_random(owner, *range(10))
    for _ in range(2):
        blocks = list(cache.read_vectors(owner.id))
        assert [len(block.ids) for block in blocks] == [4, 4, 2]
        assert b"".join(each for block in blocks for each in block.ids.tolist()).decode() == "".join(
            each.id for each in made
        )
        assert cache.used_bytes == 0


def test_a_library_that_grows_beyond_the_limit_is_given_up(owner: User) -> None:
    cache = VectorCache(5 * ROW_BYTES)
    shelve_random(owner, 1, 2)
    assert len(ids(cache, owner)) == 2
    shelve_random(owner, *range(10, 18))
    assert len(ids(cache, owner)) == len(ids(cache, owner)) == 10
    assert cache.used_bytes == 0
