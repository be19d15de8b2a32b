"""Kits on PostgreSQL: gaps by foreign keys, and several windows, purges and workers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from app.auth import accounts
from app.extensions import db
from app.kits import history, pad_edits
from app.kits.kit_rows import load_state
from app.library import trash
from app.models import Kit, Sample, User
from app.models.base import transaction, utcnow
from app.sp404.pads import PAD_NAMES
from tests.imports import test_kept_projects
from tests.kits import test_gaps, test_history
from tests.kits.stock import kit_of, some_samples
from tests.support import PASSWORD, Browser

pytestmark = pytest.mark.services


def new_user(name: str) -> User:
    return accounts.register_user(f"{name}@example.com", PASSWORD, "UTC")


def test_gaps_undo_and_conflicts_are_the_same_on_postgresql(postgres_app: Flask) -> None:
    windows, gaps = test_history.TestTwoWindows(), test_gaps.TestDuplicates()
    windows.test_of_two_changes_at_the_same_time_one_is_made_and_the_other_refused(
        postgres_app, new_user("two")
    )
    windows.test_changes_without_a_revision_lose_nothing_of_each_other(postgres_app, new_user("eight"))
    gaps.test_freed_duplicates_hand_their_pads_to_the_kept_sample(new_user("freed"))
    gaps.test_undo_in_a_kit_brings_no_freed_duplicate_back(new_user("undo"))
    for number, test in enumerate(
        (
            test_gaps.test_undo_brings_no_sample_back_that_is_gone_for_good,
            test_gaps.test_a_purge_by_sql_alone_leaves_the_same_gap,
        )
    ):
        user = new_user(f"gap{number}")
        sample = some_samples(user, 1)[0]
        kit = kit_of(user, B3=sample)
        history.change_kit(kit, "Set", pad_edits.change_settings("B3", {"level": 100}))
        test(kit, sample)


def test_projects_come_back_on_postgresql(postgres_app: Flask, tmp_path: Path) -> None:
    user = new_user("back")
    test_kept_projects.test_a_copy_keeps_the_project_too_and_the_last_one_gives_its_storage_back(
        Browser(postgres_app, user), user, tmp_path
    )


def test_samples_are_removed_while_their_pads_change(postgres_app: Flask) -> None:
    """Both lock samples before pads, so neither waits for the other in a circle."""
    user = new_user("busy")
    ids = [sample.id for sample in some_samples(user, 60)]
    kit_id = kit_of(user).id
    db.session.commit()
    failures: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        with postgres_app.app_context():
            try:
                work()
            except BaseException as error:
                failures.append(error)

    place, purge = partial(place_each, kit_id, ids), partial(purge_each, ids)
    threads = [threading.Thread(target=run, args=(work,)) for work in (place, place, purge)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    db.session.expire_all()
    state = load_state(db.session.get_one(Kit, kit_id))
    assert state.pads
    assert {pad.sample_id for pad in state.pads.values()} == {None}


def place_each(kit_id: str, sample_ids: list[str]) -> None:
    kit = db.session.get_one(Kit, kit_id)
    for number, sample_id in enumerate(sample_ids):
        sample = db.session.get(Sample, sample_id)
        if sample is None:
            continue
        held = pad_edits.pad_for_sample(sample)
        for pad in PAD_NAMES[number % 40 : number % 40 + 3]:
            history.change_kit(kit, "Place", pad_edits.place(pad, held))
        history.undo_change(kit)


def purge_each(sample_ids: list[str]) -> None:
    for sample_id in sample_ids:
        with transaction() as session:
            long_ago = utcnow() - 2 * trash.UNDO_PERIOD
            session.execute(update(Sample).where(Sample.id == sample_id).values(deleted_at=long_ago))
        trash.purge_deleted()
