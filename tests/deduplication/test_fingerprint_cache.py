"""The cache of fingerprints always shows what the database holds, and stays within its limit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.deduplication import fingerprint_cache
from app.deduplication.fingerprint_cache import FingerprintCache
from app.extensions import db
from app.models import Sample, SampleVector, User
from app.models.base import transaction, utcnow
from app.models.sample_vector import replace_vector
from tests.measurements import loop_analysis
from tests.query_counter import counted_queries
from tests.search.vectors import shelve_vectors, vector


def read(cache: FingerprintCache, user: User) -> list[str]:
    """Return the names of the samples that the cache yields, each as often as it does."""
    names = dict(db.session.execute(select(Sample.id, Sample.name)).all())
    return sorted(names[each.decode()] for block in cache.read_blocks(user.id) for each in block.ids.tolist())


def settle() -> None:
    with transaction() as session:
        session.execute(update(SampleVector).values(created_at=utcnow() - timedelta(minutes=2)))


@pytest.mark.parametrize("is_settled", [False, True])
def test_new_rows_are_seen_at_once_and_none_twice(owner: User, is_settled: bool) -> None:
    cache = FingerprintCache()
    for number in range(3):
        shelve_vectors(owner, {str(number): vector()})
        if is_settled:
            settle()
        assert read(cache, owner) == [str(each) for each in range(number + 1)]


def test_settled_rows_are_not_read_again(owner: User) -> None:
    cache = FingerprintCache()
    shelve_vectors(owner, dict.fromkeys("abcdef", vector()))
    settle()
    read(cache, owner)
    with counted_queries() as sent:
        assert len(read(cache, owner)) == 6
    assert len([each for each in sent if "fingerprint" in each]) == 2  # what is new, and what is not settled
    assert sum(len(block.ids) for block in cache._settled.values()) == 6


def test_a_new_measurement_is_seen(owner: User) -> None:
    cache = FingerprintCache()
    sample = shelve_vectors(owner, {"a": vector()})["a"]
    settle()
    read(cache, owner)
    with transaction():
        assert replace_vector(sample, loop_analysis(similarity=vector(), fingerprint=(7,) * 96))
    assert any((block.prints == 7).all() for block in cache.read_blocks(owner.id))


def test_silence_and_other_versions_are_left_out(owner: User) -> None:
    shelve_vectors(owner, {"silence": vector()}, fingerprint=())
    shelve_vectors(owner, {"old": vector()}, similarity_version=0)
    shelve_vectors(owner, {"new": vector()})
    assert read(FingerprintCache(), owner) == ["new"]


def test_the_limit_is_kept_and_everything_is_still_yielded(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint_cache, "READ_ROWS", 2)
    cache = FingerprintCache(max_rows=6)
    for user in (owner, stranger):
        shelve_vectors(user, dict.fromkeys("abcdefghi", vector()))
    settle()
    for user in (owner, stranger, owner):
        for _ in range(2):
            assert read(cache, user) == list("abcdefghi")
            assert sum(len(block.ids) for block in cache._settled.values()) <= 6
