"""Duplicates on PostgreSQL: the same groups, and several workers and users at once."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.auth import accounts
from app.billing import quota
from app.deduplication import comparison, groups
from app.deduplication.comparison import compare_due_samples
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.library import cleanups, trash
from app.models import DuplicateGroup, DuplicateMember, Sample, SampleVector, Subscription, User
from app.models.base import transaction, utcnow
from tests.deduplication import test_comparison, test_grouping
from tests.deduplication.copies import Audio, snare
from tests.library import test_cleanups
from tests.search.vectors import shelve_vectors, vector
from tests.support import PASSWORD, Browser, wav

pytestmark = pytest.mark.services

RECORDINGS, COPIES = 3, 8


def new_user(name: str) -> User:
    user = accounts.register_user(f"{name}@example.com", PASSWORD, "UTC")
    with transaction():
        user.subscription = Subscription(plan="pro", status="active")  # its jobs run at once
    return user


def test_the_same_is_found_and_freed_on_postgresql(
    postgres_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = new_user("copies")
    test_grouping.test_copies_of_a_recording_join_its_group(Browser(postgres_app, user), user)
    test_comparison.test_a_third_sample_brings_two_groups_together_if_it_is_the_same_as_all(new_user("third"))
    test_comparison.test_a_third_sample_joins_only_one_of_two_groups_that_differ(new_user("differ"))
    test_comparison.test_a_group_that_changes_meanwhile_is_looked_at_again(new_user("meanwhile"))
    test_cleanups.test_freeing_a_group_of_fifty_gives_its_space_back_and_can_be_undone(new_user("fifty"))
    test_cleanups.test_what_stays_inherits_what_its_user_did_with_the_others(new_user("heir"))
    test_cleanups.test_many_groups_are_freed_by_a_worker(new_user("many"), monkeypatch)


def add_copies(user: User, folder: Path) -> list[str]:
    """Add copies of some recordings at other levels, with their WAVs; all of them are near one another."""
    made = shelve_vectors(
        user, {f"{n} {copy}": vector() for copy in range(COPIES) for n in range(RECORDINGS)}
    )
    for name, sample in made.items():
        recording, copy = map(int, name.split())
        store_wav(sample.sp404_key, (0.4 + 0.05 * copy) * snare(recording), folder)
    return [sample.id for sample in made.values()]


def store_wav(key: str, sound: Audio, folder: Path) -> None:
    path = folder / "made.wav"
    path.write_bytes(wav(sound, 48_000))
    open_store(settings()).put(key, path, "audio/wav")


def at_once(app: Flask, *actions: Callable[[], object]) -> None:
    """Run actions at the same time, each in a context of its own; the first error is raised."""
    errors: list[BaseException] = []

    def run(action: Callable[[], object]) -> None:
        with app.app_context():
            try:
                action()
            except BaseException as error:
                errors.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def found_recordings(user: User) -> list[set[str]]:
    db.session.expire_all()
    rows = select(DuplicateMember.group_id, Sample.name).join(Sample, Sample.id == DuplicateMember.sample_id)
    found: dict[str, set[str]] = {}
    for group_id, name in db.session.execute(rows.where(Sample.user_id == user.id)):
        found.setdefault(group_id, set()).add(name)
    return sorted(found.values(), key=sorted)


@pytest.mark.parametrize("attempt", range(3))
def test_workers_at_the_same_time_find_the_same_groups(
    postgres_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempt: int
) -> None:
    """Each takes one sample at a time, so they always work on the same library."""
    monkeypatch.setattr(comparison, "BATCH_SAMPLES", 1)
    user = new_user(f"workers{attempt}")
    add_copies(user, tmp_path)
    at_once(postgres_app, *[compare_due_samples] * 4)
    with transaction() as session:  # what gave up after three changes is due again in minutes
        due = update(SampleVector).where(SampleVector.compare_at.is_not(None))
        session.execute(due.values(compare_at=utcnow()))
    compare_due_samples()
    assert found_recordings(user) == [{f"{n} {copy}" for copy in range(COPIES)} for n in range(RECORDINGS)]


def test_two_samples_that_arrive_at_the_same_moment_find_each_other(
    postgres_app: Flask, tmp_path: Path
) -> None:
    for attempt in range(5):
        user = new_user(f"moment{attempt}")
        barrier = threading.Barrier(2)

        def arrive(name: str, user_id: str = user.id, barrier: threading.Barrier = barrier) -> None:
            owner = db.session.get_one(User, user_id)
            folder = tmp_path / f"{user_id} {name}"
            folder.mkdir()
            made = shelve_vectors(owner, {name: vector()})[name]
            store_wav(made.sp404_key, snare(), folder)
            barrier.wait()
            compare_due_samples()

        at_once(postgres_app, lambda: arrive("a"), lambda: arrive("b"))  # run before the next turn
        assert found_recordings(user) == [{"a", "b"}]


def test_deleting_restoring_freeing_and_comparing_at_once_end_in_true_figures(
    postgres_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "BATCH_SAMPLES", 2)
    user = new_user("all")
    ids = add_copies(user, tmp_path)
    user_id = user.id

    def delete_and_restore(seed: int) -> None:
        chosen = random.Random(seed)
        for _ in range(40):
            sample = db.session.get_one(Sample, chosen.choice(ids), populate_existing=True)
            (trash.restore_sample if sample.deleted_at else trash.delete_sample)(sample)

    def free_and_undo() -> None:
        for _ in range(6):
            cleanups.undo_cleanup(cleanups.free_all(db.session.get_one(User, user_id)))

    at_once(
        postgres_app,
        compare_due_samples,
        compare_due_samples,
        free_and_undo,
        lambda: delete_and_restore(1),
        lambda: delete_and_restore(2),
    )
    before = figures()
    with transaction():
        groups.refresh_groups(list(before))
    assert figures() == before
    in_trash = select(func.coalesce(func.sum(Sample.size_bytes), 0)).where(Sample.deleted_at.is_not(None))
    assert quota.plan_usage(user).storage_bytes == -(db.session.scalar(in_trash) or 0)


def figures() -> dict[str, tuple[int, int]]:
    db.session.expire_all()
    return {each.id: (each.samples, each.spare_bytes) for each in db.session.scalars(select(DuplicateGroup))}
