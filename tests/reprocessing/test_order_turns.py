"""Which order of a vector is taken next, and that each ends or waits without the others."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select

from app.engine import dispatch
from app.engine.contract import EngineAnswer
from app.extensions import db
from app.library import trash
from app.models import Sample, SampleVector, User, VectorOrder
from app.models.base import transaction, utcnow
from app.reprocessing import vector_orders
from app.sandbox.errors import EngineUnavailable
from tests.measurements import loop_measurement
from tests.search.vectors import HIT, shelve_vectors

HOUR = timedelta(hours=1)
NAMES = ("due", "tried too often", "due since", "later")


@pytest.fixture
def ordered(owner: User) -> dict[str, Sample]:
    """Return samples without a vector, each with an order."""
    samples = shelve_vectors(owner, dict.fromkeys(NAMES, (1.0, 0.0)))
    with transaction() as session:
        session.execute(delete(SampleVector))
    vector_orders.order_missing_vectors()
    now = utcnow()
    times = dict(zip(NAMES, (now - HOUR, now - 3 * HOUR, now - 2 * HOUR, now + HOUR), strict=True))
    with transaction() as session:
        for name, sample in samples.items():
            order = session.get_one(VectorOrder, sample.id)
            order.due_at = times[name]
            order.tries = vector_orders.MAX_TRIES - (0 if name == "tried too often" else 1)
    return samples


def orders() -> dict[str, tuple[datetime | None, int]]:
    db.session.expire_all()
    return {order.sample_id: (order.due_at, order.tries) for order in db.session.scalars(select(VectorOrder))}


def test_the_order_that_is_due_longest_is_taken_alone(ordered: dict[str, Sample]) -> None:
    before = orders()
    taken = [vector_orders.take_order() for _ in range(3)]
    assert taken == [ordered["due since"].id, ordered["due"].id, None]
    changed = {sample_id for sample_id, order in orders().items() if order != before[sample_id]}
    assert changed == {ordered["due since"].id, ordered["due"].id}


def test_an_order_is_given_back_alone(ordered: dict[str, Sample], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> EngineAnswer:
        raise EngineUnavailable("away")

    monkeypatch.setattr(dispatch, "process_file", away)
    sample_id, before = ordered["due"].id, orders()
    assert not vector_orders.make_vector(sample_id, lambda: True)
    after = orders()
    assert after.pop(sample_id)[1] == before.pop(sample_id)[1] - 1
    assert after == before


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_vector_is_its_own_samples_and_ends_its_own_order(
    ordered: dict[str, Sample], monkeypatch: pytest.MonkeyPatch, is_deleted: bool
) -> None:
    sample = ordered["due since"]

    def answer(*_: object) -> EngineAnswer:
        if is_deleted:
            trash.delete_sample(sample)
        return EngineAnswer(loop_measurement(**(HIT | {"similarity": (1.0, 0.0)})))

    monkeypatch.setattr(dispatch, "process_file", answer)
    assert vector_orders.make_vector(sample.id, lambda: True)
    found = list(db.session.scalars(select(SampleVector.sample_id)))
    assert found == ([] if is_deleted else [sample.id])
    assert orders().keys() == {each.id for each in ordered.values()} - {sample.id}


def test_more_samples_than_at_once_are_ordered_but_none_in_the_trash(
    ordered: dict[str, Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_orders, "ORDERED_AT_ONCE", 1)
    trash.delete_sample(ordered["due"])
    with transaction() as session:
        session.execute(delete(VectorOrder))
    vector_orders.order_missing_vectors()
    assert orders().keys() == {each.id for each in ordered.values()} - {ordered["due"].id}
    before = orders()
    vector_orders.order_missing_vectors()
    assert orders() == before
