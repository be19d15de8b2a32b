"""The bytes of an account are the sum of its ledger, however much of that sum is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

import tasks
from app.billing import quota, storage_totals
from app.extensions import db
from app.models import StorageTotal, Usage, User
from app.models.base import transaction, utcnow
from app.models.usage import STORAGE, UPLOAD

OLD = timedelta(days=1, minutes=1)


def store(user: User, *sizes: int, age: timedelta = timedelta(0), kind: str = STORAGE) -> None:
    with transaction() as session:
        first = session.scalar(select(func.count()).select_from(Usage)) or 0
        session.add_all(
            Usage(
                user_id=user.id,
                kind=kind,
                entry_key=f"test:{first + i}",
                quantity=size,
                created_at=utcnow() - age,
            )
            for i, size in enumerate(sizes)
        )


def kept(user: User) -> tuple[int, int] | None:
    db.session.expire_all()
    total = db.session.get(StorageTotal, user.id)
    return (total.quantity, total.up_to) if total else None


def test_the_sum_is_the_same_before_and_after_it_is_kept(owner: User, stranger: User) -> None:
    store(owner, 100, 50, age=OLD)
    store(stranger, 7, age=OLD)
    store(owner, -30, age=OLD)
    store(owner, 1, kind=UPLOAD, age=OLD)
    store(owner, 5, age=timedelta(hours=23, minutes=59))
    before = storage_totals.stored_bytes(owner.id)
    assert before == 125
    tasks.reconcile_usage.call_local()
    total, up_to = kept(owner) or (0, 0)
    assert total == 120
    assert storage_totals.stored_bytes(owner.id) == quota.plan_usage(owner).storage_bytes == 125
    assert storage_totals.stored_bytes(stranger.id) == 7
    store(owner, -25)
    assert storage_totals.stored_bytes(owner.id) == 100
    storage_totals.keep_totals()
    assert kept(owner) == (total, up_to)


def test_a_rebuilt_search_index_leaves_kept_totals(app: Flask, owner: User) -> None:
    store(owner, 100, 50, age=OLD)
    assert app.test_cli_runner().invoke(args=["search", "rebuild"]).exit_code == 0
    assert (kept(owner) or (0, 0))[0] == 150


def test_totals_are_carried_on(owner: User) -> None:
    store(owner, 100, age=OLD)
    storage_totals.keep_totals()
    store(owner, 10, -100, age=OLD)
    storage_totals.keep_totals()
    assert (kept(owner) or (None,))[0] == storage_totals.stored_bytes(owner.id) == 10


@pytest.mark.usefixtures("app")
def test_an_account_without_settled_rows_has_no_total(owner: User) -> None:
    storage_totals.keep_totals()
    assert kept(owner) is None
    assert storage_totals.stored_bytes(owner.id) == 0
    store(owner, 5)
    storage_totals.keep_totals()
    assert kept(owner) is None, "the row before it may not be committed yet"


def test_two_processes_add_nothing_twice_and_nothing_to_another_account(owner: User, stranger: User) -> None:
    storage_totals.add_to_total(stranger.id, 7, None, 5)
    for after, up_to in ((None, 5), (5, 9)):
        storage_totals.add_to_total(owner.id, 100, after, up_to)
        storage_totals.add_to_total(owner.id, 100, after, up_to)
    assert (kept(owner), kept(stranger)) == ((200, 9), (7, 5))


def test_what_is_kept_is_not_read_again(owner: User) -> None:
    store(owner, 100, age=OLD)
    storage_totals.keep_totals()
    total = db.session.get_one(StorageTotal, owner.id)
    assert total.up_to == db.session.scalar(select(func.max(Usage.id)))
    with transaction() as session:
        session.execute(update(Usage).where(Usage.user_id == owner.id).values(quantity=0))
    assert storage_totals.stored_bytes(owner.id) == 100
