"""Files dropped together: how many a batch expects, who may join it, and what a refused file does to it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from app.extensions import db
from app.models import Batch, OutboxMessage, User
from app.models.base import transaction, utcnow
from app.upload import intake
from tests.upload.test_upload import rows

BATCH = "2b0d7b3d-7f6c-4a44-9a0e-0d8a2b9f4a10"


def batch_of(user: User, expected: int, batch_id: str | None = None) -> Batch:
    return db.session.get_one(Batch, intake.open_batch(user, batch_id, expected))


@pytest.mark.parametrize(
    ("expected", "kept"), [(-5, 1), (0, 1), (1, 1), (2, 2), (20_000, 20_000), (20_001, 20_000)]
)
def test_a_batch_expects_one_file_at_least_and_no_more_than_any_plan_takes(
    owner: User, expected: int, kept: int
) -> None:
    assert batch_of(owner, expected).expected == kept


@pytest.mark.parametrize("malformed", ["", "x", BATCH.upper(), f"{{{BATCH}}}", BATCH.replace("-", ""), None])
def test_a_batch_without_a_proper_id_gets_one_of_its_own(owner: User, malformed: str | None) -> None:
    made = {batch_of(owner, 1, malformed).id for _ in range(2)}
    assert len(made) == 2
    assert all(str(UUID(each)) == each != malformed for each in made)


def test_a_batch_is_joined_by_its_owner_alone(owner: User, stranger: User) -> None:
    assert batch_of(owner, 2, BATCH).id == BATCH
    assert batch_of(owner, 5, BATCH).id == BATCH
    assert batch_of(owner, 5, BATCH).expected == 2
    assert batch_of(stranger, 2, BATCH).id != BATCH
    assert rows(Batch) == 2


def test_two_files_that_open_a_batch_at_the_same_time_share_it(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_of(owner, 2, BATCH)
    monkeypatch.setattr(db.session, "scalar", lambda _: None)  # as before the other file's request ended
    assert intake.open_batch(owner, BATCH, 2) == BATCH
    monkeypatch.undo()
    assert rows(Batch) == 1


def test_a_refused_file_counts_in_its_own_batch_and_may_end_it(owner: User) -> None:
    mine, other = batch_of(owner, 2), batch_of(owner, 2)
    long_ago = utcnow() - timedelta(hours=1)
    with transaction():
        mine.touched_at = other.touched_at = long_ago
    for refused, is_settled in ((1, False), (2, True)):
        intake.count_refusal(mine.id)
        db.session.expire_all()
        assert (mine.refused, mine.settled_at is not None) == (refused, is_settled)
    assert mine.touched_at > long_ago
    assert (other.refused, other.touched_at, other.settled_at) == (0, long_ago, None)
    assert rows(OutboxMessage) == 0
