"""Slow models hold all slots of a worker but one, and are not asked for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.ai import answer_cache
from app.extensions import db
from app.jobs import describe_step, model_places, run
from app.jobs.model_places import FIRST_PAUSE_S, LONGEST_PAUSE_S, ModelPlaces, ModelsBusyError
from app.models import Attempt, Job, Sample
from app.vibe.sound_description import SoundDescription
from tests.fake_openrouter import KEY, FakeOpenRouter
from tests.support import Browser, drum_loop, kick, uploaded_job


@pytest.fixture
def environ(environ: dict[str, str], fake: FakeOpenRouter) -> dict[str, str]:
    return environ | {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": fake.url, "WORKER_SLOTS": "2"}


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> ModelPlaces:
    made = ModelPlaces()
    monkeypatch.setattr(describe_step, "PLACES", made)
    monkeypatch.setattr(model_places, "WAIT_S", 0.1)
    return made


@pytest.mark.parametrize(("slots", "most"), [(1, 1), (2, 1), (3, 2), (8, 7)])
def test_a_worker_keeps_a_slot_for_jobs_that_ask_no_model(
    slots: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_places, "WAIT_S", 0.0)
    made = ModelPlaces()
    with ExitStack() as held:
        for _ in range(most):
            held.enter_context(made.take(slots))
        with pytest.raises(ModelsBusyError), made.take(slots):
            pass
    with made.take(slots):
        pass


def test_while_a_model_hangs_other_jobs_run_and_one_that_would_ask_waits_in_the_queue(
    app: Flask, as_owner: Browser, as_freeloader: Browser, fake: FakeOpenRouter, places: ModelPlaces
) -> None:
    """A worker of two slots: one is held by a model; the other goes from job to job."""
    fake.script = ["hold"]
    asking = uploaded_job(as_owner, "asking.wav", drum_loop(93))

    def run_one() -> None:
        with app.app_context():
            run.run_next()

    holding = threading.Thread(target=run_one)
    holding.start()
    assert fake.is_held.acquire(timeout=60)
    second = uploaded_job(as_owner, "second.wav", drum_loop(94))
    without = uploaded_job(as_owner, "plain.wav", kick())
    without.ai_analysis = False
    db.session.commit()
    for _ in range(2):
        run.run_next()
    db.session.rollback()
    states = {job.filename: job.state for job in db.session.scalars(select(Job))}
    assert states == {"asking.wav": "processing", "second.wav": "pending", "plain.wav": "completed"}
    assert second.attempt == 0  # it has lost no try, and its measurement is kept
    assert "analysis" in second.results
    detail = db.session.scalar(select(Attempt.detail).where(Attempt.job_id == second.id))
    assert detail == "as many jobs of this worker are asking models as may"
    fake.released.set()
    holding.join(60)
    db.session.rollback()
    assert asking.state == "completed"


def test_models_that_take_long_are_not_asked_for_a_while(
    places: ModelPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("app.jobs.model_places.time.monotonic", lambda: now[0])

    def ask(took_s: float) -> None:
        with places.timed():
            now[0] += took_s

    ask(model_places.SLOW_S)
    ask(1.0)
    ask(model_places.SLOW_S)
    assert not places.is_paused  # not twice in a row
    for pause_s in (FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S):
        ask(model_places.SLOW_S)
        assert places.is_paused
        now[0] += pause_s - 1
        assert places.is_paused
        now[0] += 2
        assert not places.is_paused
    for _ in range(20):
        ask(model_places.SLOW_S)
    now[0] += LONGEST_PAUSE_S + 1
    assert not places.is_paused
    ask(model_places.SLOW_S)
    monkeypatch.undo()


def test_waiting_for_the_answer_of_another_worker_is_no_slow_answer(
    as_owner: Browser, fake: FakeOpenRouter, places: ModelPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(model_places, "time", SimpleNamespace(monotonic=lambda: now[0]))
    single_flight, ask_model = answer_cache.single_flight, describe_step._ask_model

    @contextmanager
    def wait_first(*options: Any) -> Iterator[bool]:
        now[0] += model_places.SLOW_S
        with single_flight(*options) as is_first:
            yield is_first

    def ask_slowly(*options: Any) -> SoundDescription | None:
        now[0] += model_places.SLOW_S
        return ask_model(*options)

    def describe(*tempos: int) -> None:
        for bpm in tempos:
            uploaded_job(as_owner, "break.wav", drum_loop(bpm))
            run.run_next()

    monkeypatch.setattr(answer_cache, "single_flight", wait_first)
    describe(93, 94)
    assert not places.is_paused
    monkeypatch.setattr(describe_step, "_ask_model", ask_slowly)
    describe(95, 96)
    assert places.is_paused
    assert len(fake.asked) == 4


def test_while_asking_is_paused_the_rules_describe(
    as_owner: Browser, fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ModelPlaces()
    made._paused_until = float("inf")
    monkeypatch.setattr(describe_step, "PLACES", made)
    job = uploaded_job(as_owner, "break.wav", drum_loop(93))
    run.run_next()
    db.session.refresh(job)
    assert job.state == "completed"
    assert fake.asked == []
    assert db.session.get_one(Sample, job.id).described["source"] == "local"
