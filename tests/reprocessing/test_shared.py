"""An answer that was paid for serves exactly the same question, and no other."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.ai import answer_cache, budget
from app.extensions import db
from app.jobs import run
from app.models import Sample, SingleFlightLock, User
from app.models.base import transaction, utcnow
from app.reprocessing.reprocess_purposes import DESCRIBE
from tests.fake_openrouter import FakeOpenRouter
from tests.reprocessing.support import LARGE, SMALL, choose, ran
from tests.support import Browser, drum_loop, finished_job, uploaded_job


def test_the_same_question_of_two_users_is_paid_for_once(
    as_owner: Browser, as_stranger: Browser, stranger: User, sample: Sample, fake: FakeOpenRouter
) -> None:
    other = finished_job(as_stranger, "Dusty break.wav", drum_loop(93))
    assert len(fake.asked) == 1
    assert db.session.get_one(Sample, other.id).vibe == sample.vibe
    assert budget.spent_usd(budget.DAY, stranger.id) == 0


@pytest.mark.parametrize(("name", "bpm"), [("Dusty break 2.wav", 93), ("Dusty break.wav", 94)])
def test_another_name_or_other_bytes_are_another_question(
    as_owner: Browser, as_stranger: Browser, sample: Sample, fake: FakeOpenRouter, name: str, bpm: float
) -> None:
    finished_job(as_stranger, name, drum_loop(bpm))
    assert len(fake.asked) == 2


def test_tags_are_part_of_the_question(
    as_owner: Browser, as_stranger: Browser, sample: Sample, fake: FakeOpenRouter
) -> None:
    choose(as_owner, SMALL)
    choose(as_stranger, SMALL)
    other = db.session.get_one(Sample, finished_job(as_stranger, "Dusty break.wav", drum_loop(93)).id)
    assert [asked["model"] for asked in fake.asked] == [LARGE, SMALL]
    with transaction():
        sample.retag(["mine"])
    ran(as_owner, DESCRIBE, sample)
    assert len(fake.asked) == 3
    assert other.vibe["source"] == SMALL


@pytest.mark.parametrize("left_s", [-1.0, 0.5])
def test_a_dead_processs_lock_holds_only_as_long_as_asking_may_take(app: Flask, left_s: float) -> None:
    until = utcnow() + timedelta(seconds=left_s)
    with transaction() as session:
        session.add(SingleFlightLock(question="q", asker="dead", until=until))
    with answer_cache.single_flight(["q", "another"], 60.0):
        assert utcnow() > until
        held = db.session.scalars(select(SingleFlightLock.question).where(SingleFlightLock.asker != "dead"))
        assert set(held) == {"q", "another"}
    assert db.session.scalars(select(SingleFlightLock)).all() == []


def test_a_question_that_fails_releases_its_lock(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), answer_cache.single_flight(["q"], 60.0):
        raise ZeroDivisionError
    with answer_cache.single_flight(["q"], 60.0):
        pass


def test_two_at_once_in_one_process_pay_once(app: Flask, as_owner: Browser, fake: FakeOpenRouter) -> None:
    fake.script = ["slow"]
    for name in ("a.wav", "b.wav"):
        uploaded_job(as_owner, name, drum_loop(101))

    def work() -> None:
        with app.app_context():
            run.run_next()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.commit()
    sources = [sample.vibe["source"] for sample in db.session.scalars(select(Sample))]
    assert sources == [LARGE, LARGE]
    assert len(fake.asked) == 1
