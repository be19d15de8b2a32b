"""Shaped sounds are cached within the plan's room, and whatever happens to their jobs leaves no file."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest

from app.audio.render.recipe import RenderRecipe
from app.billing import plans
from app.billing.plans import Plan
from app.extensions import db, settings
from app.integrations.storage import StorageError, open_store
from app.jobs import cleanup, run, transitions
from app.jobs.transitions import Transition
from app.models import Job, Render, Sample, User
from app.models.base import new_id, transaction, utcnow
from app.shaping import orders, presets, render_downloads, renders
from app.shaping.render_making import REPORTED, new_render
from tests.search.test_text_conditions import shelve
from tests.support import Browser, drum_loop, finished_job


@pytest.fixture
def loop(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "loop_93bpm.wav", drum_loop(93)).id)


def order(owner: User, sample: Sample, *, gain_db: float) -> Job:
    made = orders.order_render(owner, sample, RenderRecipe(gain_db=gain_db))
    assert isinstance(made, Job)
    return made


def cached_files() -> list[str]:
    return sorted(open_store(settings()).older_than("made/", utcnow() + timedelta(minutes=1)))


def cached_gains() -> set[float]:
    return {render.recipe["gain_db"] for render in db.session.scalars(db.select(Render))}


def test_the_oldest_makes_room_and_what_was_asked_for_again_stays(
    owner: User, loop: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(owner, loop, gain_db=-1.0)
    run.run_next()
    size_bytes = db.session.scalars(db.select(Render.size_bytes)).one()
    # Room for two and a half.
    monkeypatch.setattr(Plan, "render_cache_bytes", property(lambda _: size_bytes * 5 // 2), raising=False)
    order(owner, loop, gain_db=-2.0)
    run.run_next()
    assert isinstance(orders.order_render(owner, loop, RenderRecipe(gain_db=-1.0)), Render)
    order(owner, loop, gain_db=-3.0)
    run.run_next()
    assert cached_gains() == {-1.0, -3.0}
    assert len(cached_files()) == 2
    cache = renders.cache_usage(owner)
    assert (cache.count, cache.size_bytes) == (2, 2 * size_bytes)


def test_shaped_sounds_of_others_are_neither_shown_nor_removed(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plan, "render_cache_bytes", property(lambda _: 1000), raising=False)
    theirs, mine = (shaped_row(user, size_bytes=500) for user in (stranger, owner))  # theirs is the older one
    assert renders.find_of_sample(mine.sample, mine.id) is mine
    assert renders.find_of_sample(mine.sample, theirs.id) is None
    same = RenderRecipe(gain_db=-1.0)
    assert [renders.find_render(each.sample_id, same) for each in (theirs, mine)] == [theirs, mine]
    renders.make_room(owner.id, 600)
    assert db.session.scalars(db.select(Render.user_id)).all() == [stranger.id]


def test_what_another_producer_has_downloaded_is_not_free(owner: User, stranger: User) -> None:
    theirs, mine = (shaped_row(user, size_bytes=500) for user in (stranger, owner))
    with transaction():
        theirs.sample.content_sha256 = mine.sample.content_sha256 = "0" * 64
    render_downloads.count_download(stranger, theirs)
    assert render_downloads.is_counted(stranger, theirs)
    assert not render_downloads.is_counted(owner, mine)


def test_presets_of_one_name_belong_to_each_producer(owner: User, stranger: User) -> None:
    for user, gain_db in ((stranger, -1.0), (owner, -2.0), (owner, -3.0)):
        presets.save_preset(user, "Quieter", RenderRecipe(gain_db=gain_db))
    kept = [[each.recipe["gain_db"] for each in presets.list_presets(user)] for user in (stranger, owner)]
    assert kept == [[-1.0], [-3.0]]


def shaped_row(user: User, **values: Any) -> Render:
    """Return the row of a shaped sound, made without the engine and without a file."""
    sample, recipe = shelve(user, {"Loop": {}})["Loop"], RenderRecipe(gain_db=-1.0)
    found = dict.fromkeys(REPORTED) | {"frames": 1, "channels": 1, "done": [], "peaks": []} | values
    with transaction() as session:
        row = new_render(new_id(), user.id, sample.id, recipe, f"made/{user.id}/{sample.id}", found)
        session.add(row)
    return row


def test_a_sound_larger_than_the_room_is_refused_in_words(
    owner: User, loop: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plan, "render_cache_bytes", property(lambda _: 1000), raising=False)
    job = order(owner, loop, gain_db=-1.0)
    assert run.run_next() == Transition("failed")
    db.session.refresh(job)
    assert job.error is not None
    assert "Use a shorter part." in job.error
    assert cached_files() == []


def test_a_failed_store_is_waited_for_and_nothing_is_kept_twice(
    owner: User, loop: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = order(owner, loop, gain_db=-1.0)
    real = type(open_store(settings())).put

    def fail(*_: object) -> None:
        raise StorageError("away")

    with monkeypatch.context() as away:
        away.setattr(type(open_store(settings())), "put", fail)
        ending = run.run_next()
    assert ending is not None
    assert ending.state == "pending"
    assert real is type(open_store(settings())).put
    with transaction():
        job.run_at = utcnow()
    run.run_next()
    assert cached_files() == [f"made/{owner.id}/{job.id}"]


def test_an_attempt_that_dies_after_storing_leaves_one_file_and_one_row(
    owner: User, loop: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = order(owner, loop, gain_db=-1.0)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(transitions, "complete", die)
        with pytest.raises(KeyboardInterrupt):
            run.run_next()
    assert cached_files() == [f"made/{owner.id}/{job.id}"]
    db.session.refresh(job)
    transitions.end_abandoned(job.id, job.lease_token)
    run.run_next()
    assert cached_files() == [f"made/{owner.id}/{job.id}"]
    assert cached_gains() == {-1.0}


def test_a_cancelled_job_leaves_no_file(owner: User, loop: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    job = order(owner, loop, gain_db=-1.0)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(transitions, "complete", die)
        with pytest.raises(KeyboardInterrupt):
            run.run_next()
    transitions.cancel(job.id)
    assert cached_files() == []


def test_the_sweep_removes_files_of_samples_that_are_gone(owner: User, loop: Sample) -> None:
    order(owner, loop, gain_db=-1.0)
    run.run_next()
    for key in cached_files():
        two_days_ago = (utcnow() - timedelta(days=2)).timestamp()
        os.utime(settings().data_dir / "store" / key, (two_days_ago, two_days_ago))
    cleanup.remove_orphans()
    assert len(cached_files()) == 1
    with transaction() as session:
        session.delete(session.get_one(Sample, loop.id))
    cleanup.remove_orphans()
    assert cached_files() == []


def test_the_plans_have_the_promised_room() -> None:
    promised = {"free": (50, 10**8), "pro": (2_000, 5 * 10**9), "enterprise": (20_000, 50 * 10**9)}
    assert {plan.name: (plan.renders, plan.render_cache_bytes) for plan in plans.PLANS.values()} == promised
