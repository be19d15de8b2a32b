"""Which orders to free duplicates a producer is told of, and how long they are kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.extensions import db
from app.library import cleanups, trash
from app.models import DuplicateCleanup, User
from app.models.base import new_id, transaction, utcnow
from app.models.duplicate_group import FREED, FREEING, UNDOING, UNDONE

SECOND = timedelta(seconds=30)


def order_of(user: User, state: str, age: timedelta = timedelta(0), **values: Any) -> str:
    row = DuplicateCleanup(
        id=new_id(), user_id=user.id, state=state, requested_at=utcnow() - age, **{"samples": 1} | values
    )
    with transaction() as session:
        session.add(row)
    return row.id


def listed(user: User) -> set[str]:
    return {each.id for each in cleanups.recent_cleanups(user)}


def test_an_order_is_told_while_it_goes_on_can_be_undone_or_has_lost_something(
    owner: User, stranger: User
) -> None:
    span = trash.UNDO_PERIOD
    told = {
        order_of(owner, FREEING, 3 * span),
        order_of(owner, UNDOING, 3 * span),
        order_of(owner, FREED, span - SECOND),
        order_of(owner, UNDONE, 2 * span - SECOND, problem="1 of these samples had been removed for good."),
    }
    order_of(owner, FREED, span + SECOND)
    order_of(owner, FREED, span + SECOND, problem="Your plan has no room for it.")
    order_of(owner, FREED, samples=0)
    order_of(owner, UNDONE)
    order_of(owner, UNDONE, 2 * span + SECOND, problem="1 of these samples had been removed for good.")
    theirs = order_of(stranger, FREED)
    assert listed(owner) == told
    assert listed(stranger) == {theirs}


def test_only_old_orders_that_ended_are_removed(owner: User) -> None:
    kept = {
        order_of(owner, FREEING, cleanups.KEPT_FOR + SECOND),
        order_of(owner, FREED, cleanups.KEPT_FOR - SECOND),
    }
    for state in (FREED, UNDONE):
        order_of(owner, state, cleanups.KEPT_FOR + SECOND)
    cleanups.remove_leftovers()
    assert set(db.session.scalars(select(DuplicateCleanup.id))) == kept
