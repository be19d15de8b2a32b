"""Vectors of samples that an older engine measured are made while workers have no jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

import tasks
from app.audio.similarity import layout
from app.engine import dispatch, local_engine
from app.engine.contract import EngineAnswer
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import workers
from app.models import Job, OutboxMessage, Sample, SampleVector, Usage, VectorOrder
from app.models.base import transaction, utcnow
from app.models.worker_process import PAUSED, RUNNING
from app.reprocessing import vector_orders
from app.sandbox.errors import EngineCrashed
from app.search.indexing import follow_changes
from tests.support import Browser, chord, finished_job, kick, uploaded_job


@pytest.fixture
def old(as_owner: Browser) -> Sample:
    """A kick as an engine without vectors left it, and a worker that has nothing to do."""
    sample = db.session.get_one(Sample, finished_job(as_owner, "Deep kick.wav", kick()).id)
    with transaction() as session:
        session.execute(delete(SampleVector))
    workers.send_heartbeat()
    db.session.refresh(sample)
    return sample


def order_and_make() -> None:
    tasks.remove_leftovers.call_local()
    tasks.run_housekeeping.call_local()


def find_vector(sample: Sample) -> SampleVector | None:
    db.session.expire_all()
    return db.session.scalar(select(SampleVector).where(SampleVector.sample_id == sample.id))


def find_order(sample: Sample) -> VectorOrder | None:
    db.session.expire_all()
    return db.session.get(VectorOrder, sample.id)


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_an_old_sample_gets_its_vector_and_nothing_else(old: Sample) -> None:
    tables = (Job, Usage, OutboxMessage)
    before = {column.key: getattr(old, column.key) for column in Sample.__table__.columns}
    measured, rows = dict(old.features.measured), [count(table) for table in tables]
    order_and_make()
    vector = find_vector(old)
    assert vector is not None
    assert vector.version == layout.SIMILARITY_VERSION
    assert len(layout.from_bytes(vector.vector)) == layout.LENGTH
    assert {column.key: getattr(old, column.key) for column in Sample.__table__.columns} == before
    assert old.features.measured == measured
    assert [count(table) for table in tables] == rows
    assert find_order(old) is None


def test_a_vector_of_an_older_version_is_made_again(old: Sample) -> None:
    with transaction() as session:
        session.add(SampleVector(sample_id=old.id, user_id=old.user_id, version=0, vector=bytes(4)))
    order_and_make()
    vector = find_vector(old)
    assert vector is not None
    assert vector.version == layout.SIMILARITY_VERSION


def test_what_has_its_vector_is_not_ordered(as_owner: Browser) -> None:
    finished_job(as_owner, "Deep kick.wav", kick())
    vector_orders.order_missing_vectors()
    assert count(VectorOrder) == 0


def test_orders_are_placed_once_and_for_all_samples(
    old: Sample, as_owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished_job(as_owner, "Other kick.wav", chord())
    with transaction() as session:
        session.execute(delete(SampleVector))
    monkeypatch.setattr(vector_orders, "ORDERED_AT_ONCE", 1)
    vector_orders.order_missing_vectors()
    vector_orders.order_missing_vectors()
    assert count(VectorOrder) == 2


def test_a_sample_in_the_trash_waits_until_it_is_restored(old: Sample) -> None:
    with transaction():
        old.deleted_at = utcnow()
    order_and_make()
    assert find_vector(old) is None
    with transaction():
        old.deleted_at = None
    order_and_make()
    assert find_vector(old) is not None


def test_a_sample_that_is_deleted_meanwhile_leaves_no_order(old: Sample) -> None:
    vector_orders.order_missing_vectors()
    with transaction():
        old.deleted_at = utcnow()
    vector_orders.make_missing_vectors()
    assert find_order(old) is None


def test_a_ready_job_goes_first(old: Sample, as_owner: Browser) -> None:
    uploaded_job(as_owner, "Next.wav", chord())
    order_and_make()
    assert find_vector(old) is None
    order = find_order(old)
    assert order is not None
    assert order.tries == 0
    tasks.run_job.call_local()
    tasks.run_housekeeping.call_local()
    assert find_vector(old) is not None


def test_a_job_that_comes_during_the_work_costs_no_try(old: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_engine, "CANCEL_CHECK_S", 0)
    vector_orders.order_missing_vectors()
    assert vector_orders.take_order() == old.id
    assert vector_orders.make_vector(old.id, lambda: False) is False
    order = find_order(old)
    assert order is not None
    assert order.due_at is not None
    assert order.due_at <= utcnow()
    assert (order.tries, order.error) == (0, "")


def test_a_paused_worker_makes_none(old: Sample) -> None:
    workers.set_mode(workers.own_worker_id(), PAUSED)
    order_and_make()
    assert find_vector(old) is None
    workers.set_mode(workers.own_worker_id(), RUNNING)
    order_and_make()
    assert find_vector(old) is not None


def test_an_order_of_a_worker_that_died_is_due_again(old: Sample) -> None:
    vector_orders.order_missing_vectors()
    with transaction() as session:
        held = update(VectorOrder).values(due_at=utcnow() + vector_orders.HELD_FOR, tries=1)
        session.execute(held)
    vector_orders.make_missing_vectors()
    assert find_vector(old) is None
    with transaction() as session:
        session.execute(update(VectorOrder).values(due_at=utcnow() - timedelta(seconds=1)))
    vector_orders.make_missing_vectors()
    assert find_vector(old) is not None


@pytest.mark.parametrize("content", [None, b"no audio at all"])
def test_a_file_that_is_missing_or_broken_is_given_up_until_the_next_version(
    old: Sample,
    content: bytes | None,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = open_store(settings())
    store.delete(old.original_key)
    if content is not None:
        broken = tmp_path_factory.mktemp("broken") / "broken.wav"
        broken.write_bytes(content)
        store.put(old.original_key, broken, "audio/wav")
    order_and_make()
    order = find_order(old)
    assert order is not None
    assert (order.due_at, order.tries) == (None, 1)
    assert order.error
    order_and_make()
    order = find_order(old)
    assert order is not None
    assert order.tries == 1
    monkeypatch.setattr(layout, "SIMILARITY_VERSION", layout.SIMILARITY_VERSION + 1)
    vector_orders.order_missing_vectors()
    order = find_order(old)
    assert order is not None
    assert order.due_at is not None


def test_an_older_engine_leaves_the_order_for_a_newer_one(
    old: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "SIMILARITY_VERSION", layout.SIMILARITY_VERSION + 1)
    plain = dispatch.process_file

    def answer(*arguments: Any) -> EngineAnswer:
        found = plain(*arguments)
        older = replace(found.measurement.analysis, similarity_version=layout.SIMILARITY_VERSION - 1)
        return replace(found, measurement=replace(found.measurement, analysis=older))

    monkeypatch.setattr(dispatch, "process_file", answer)
    order_and_make()
    order = find_order(old)
    assert order is not None
    assert (find_vector(old), order.tries) == (None, 0)


def test_a_file_that_kills_its_worker_is_given_up(old: Sample) -> None:
    vector_orders.order_missing_vectors()
    with transaction() as session:
        session.execute(update(VectorOrder).values(tries=vector_orders.MAX_TRIES))
    assert vector_orders.take_order() is None


def test_an_engine_that_fails_is_asked_three_times(old: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    vector_orders.order_missing_vectors()

    def crash(*_: object) -> None:
        raise EngineCrashed("signal 11")

    monkeypatch.setattr(dispatch, "process_file", crash)
    for tries in (1, 2, 3):
        with transaction() as session:
            session.execute(update(VectorOrder).values(due_at=utcnow()))
        vector_orders.make_missing_vectors()
        order = find_order(old)
        assert order is not None
        assert (order.tries, order.due_at is None) == (tries, tries == 3)


def test_a_newer_engine_corrects_the_sound_unless_the_user_has(old: Sample) -> None:
    def mishear() -> None:
        with transaction():
            old.features.measured = old.features.measured | {"sound": "snare", "sound_confidence": 0.4}
            old.sound = "snare"
            old.index_for_search()

    heard = old.sound
    mishear()
    order_and_make()
    db.session.refresh(old)
    assert old.sound == heard
    assert "snare" not in old.search_text
    with transaction() as session:
        session.execute(delete(SampleVector))
        old.correct(sound="tom")
    mishear()
    with transaction():
        old.sound = "tom"
    order_and_make()
    db.session.refresh(old)
    assert find_vector(old) is not None
    assert (old.sound, old.features.measured["sound"]) == ("tom", "snare")


def test_a_sample_that_is_now_taken_for_another_kind_keeps_its_values(old: Sample) -> None:
    with transaction():
        old.features.measured = old.features.measured | {"kind": "loop", "sound": "drums"}
        old.kind, old.sound = "loop", "drums"
        old.index_for_search()
    follow_changes(old.user_id)
    order_and_make()
    assert find_vector(old) is not None
    assert (old.kind, old.sound) == ("loop", "drums")
