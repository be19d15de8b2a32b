"""Freeing duplicates: what the one that stays inherits, many groups at once, and bringing them back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from time import sleep
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.billing import plans, quota
from app.deduplication import groups
from app.extensions import db
from app.library import cleanups, samples, trash
from app.models import DuplicateCleanup, DuplicateGroup, Sample, User
from app.models.base import transaction, utcnow
from app.models.duplicate_group import FREED, FREEING, UNDONE
from app.models.usage import STORAGE
from tests.deduplication.made_up import group_of, shelve_group
from tests.query_counter import counted_queries
from tests.search.vectors import shelve_vectors, vector


def live_names(owner: User) -> list[str]:
    db.session.expire_all()
    own = select(Sample.name).where(Sample.user_id == owner.id, Sample.deleted_at.is_(None))
    return list(db.session.scalars(own.order_by(Sample.name)))


def test_what_stays_inherits_what_its_user_did_with_the_others(owner: User) -> None:
    kept, first, second = shelve_group(owner, "a", "b", "c")
    samples.edit_sample(kept, tags="dusty")
    samples.edit_sample(first, tags="dusty, warm", liked=True, corrections={"sound": "snare"})
    samples.edit_sample(second, name="My snare", corrections={"sound": "clap", "era": "90s"})
    with transaction():
        group_of(kept).kept_id, group_of(kept).is_chosen = kept.id, True
    cleanups.free_groups(owner, [group_of(kept).id])
    db.session.expire_all()
    assert live_names(owner) == ["My snare"]
    assert (kept.tag_names, kept.liked) == (["dusty", "warm"], True)
    assert (kept.sound, kept.corrections["era"]) == ("snare", "90s")


def test_what_stays_keeps_its_own_name_and_corrections(owner: User) -> None:
    kept, other = shelve_group(owner, "a", "b")
    samples.edit_sample(kept, name="Mine", liked=True, corrections={"sound": "rim", "era": "80s"})
    theirs = {"kind": "loop", "sound": "drums", "bpm": 90.0, "era": "90s"}
    samples.edit_sample(other, name="Other", corrections=theirs)
    cleanups.free_groups(owner, [group_of(kept).id])
    db.session.expire_all()
    assert (kept.name, kept.liked) == ("Mine", True)
    assert (kept.kind, kept.sound, kept.bpm, kept.vibe["era"]) == ("one-shot", "rim", None, "80s")


def test_freeing_a_group_of_fifty_gives_its_space_back_and_can_be_undone(owner: User) -> None:
    made = shelve_group(owner, *(f"{n:02}" for n in range(50)))
    before = quota.plan_usage(owner).storage_bytes
    cleanup = cleanups.free_groups(owner, [group_of(made[0]).id])
    assert (cleanup.samples, cleanup.freed_bytes, cleanup.state) == (49, 49_000, FREED)
    assert live_names(owner) == ["00"]
    assert quota.plan_usage(owner).storage_bytes == before - 49_000
    assert (group_of(made[0]).samples, group_of(made[0]).spare_bytes) == (0, 0)
    cleanups.undo_cleanup(cleanup)
    assert (len(live_names(owner)), cleanup.state, cleanup.samples) == (50, UNDONE, 0)
    assert quota.plan_usage(owner).storage_bytes == before
    assert (group_of(made[0]).samples, group_of(made[0]).spare_bytes) == (50, 49_000)
    cleanups.undo_cleanup(cleanup)  # pressing it twice changes nothing
    assert quota.plan_usage(owner).storage_bytes == before


def test_freeing_costs_as_many_queries_for_fifty_samples_as_for_five(owner: User) -> None:
    counts = []
    for size in (5, 50):
        made = shelve_group(owner, *(f"{size} {n}" for n in range(size)))
        group_id = group_of(made[0]).id
        with counted_queries() as sent:
            cleanups.free_groups(owner, [group_id])
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 26


def test_many_groups_are_freed_by_a_worker(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanups, "GROUPS_AT_ONCE", 2)
    made = [shelve_group(owner, f"a{n}", f"b{n}", size_bytes=100 + n // 3) for n in range(5)]
    cleanup = cleanups.free_all(owner)
    assert (cleanup.state, len(live_names(owner))) == (FREEING, 10)
    cleanups.continue_cleanups()
    assert live_names(owner) == [f"a{n}" for n in range(5)]
    assert (cleanup.state, cleanup.samples) == (FREED, 5)
    cleanups.undo_cleanup(cleanup)
    assert len(live_names(owner)) == 10
    assert all(group_of(pair[0]).samples == 2 for pair in made)


def test_a_group_with_many_samples_is_freed_in_parts_by_a_worker(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanups, "SAMPLES_AT_ONCE", 3)
    made = shelve_group(owner, *"abcdefgh")
    small, other = shelve_group(owner, "x", "y"), shelve_group(owner, "m", "n")
    parts: list[int] = []
    hide = trash.hide_samples

    def count_parts(user_id: str, sample_ids: Collection[str], at: datetime) -> Mapping[str, int]:
        parts.append(len(sample_ids))
        return hide(user_id, sample_ids, at)

    monkeypatch.setattr(trash, "hide_samples", count_parts)
    cleanup = cleanups.free_groups(owner, [group_of(made[0]).id, group_of(small[0]).id])
    assert (cleanup.state, parts) == (FREEING, [])
    cleanups.continue_cleanups()
    assert (cleanup.state, cleanup.samples, live_names(owner)) == (FREED, 8, ["a", "m", "n", "x"])
    assert group_of(other[0]).samples == 2
    assert sum(parts) == 8
    assert max(parts) == 3


def test_a_sample_that_arrives_while_its_group_is_freed_stays(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanups, "SAMPLES_AT_ONCE", 2)
    made = shelve_group(owner, *"abcd")
    group = group_of(made[0])
    cleanup = cleanups.free_groups(owner, [group.id])
    sleep(0.002)  # ids sort by the millisecond
    new = shelve_vectors(owner, {"new": vector()})["new"]
    with transaction():
        groups.join_group(owner.id, made[0].id, [new.id], [group.id])
    cleanups.continue_cleanups()
    assert (cleanup.state, live_names(owner)) == (FREED, ["a", "new"])


def test_a_large_order_can_be_stopped_and_undone_by_a_worker(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanups, "GROUPS_AT_ONCE", 1)
    monkeypatch.setattr(cleanups, "SAMPLES_AT_ONCE", 1)
    for n in range(3):
        shelve_group(owner, f"a{n}", f"b{n}")
    cleanup = cleanups.free_all(owner)
    cleanups.undo_cleanup(cleanup)
    cleanups.continue_cleanups()
    assert (cleanup.state, len(live_names(owner))) == (UNDONE, 6)
    cleanup = cleanups.free_all(owner)
    cleanups.continue_cleanups()
    assert len(live_names(owner)) == 3
    cleanups.undo_cleanup(cleanup)
    assert len(live_names(owner)) == 3
    cleanups.continue_cleanups()
    assert (cleanup.state, len(live_names(owner))) == (UNDONE, 6)


def late(cleanup: DuplicateCleanup, minutes: int) -> None:
    """Make an order, and what it moved to the trash, so many minutes older."""
    earlier = cleanup.requested_at - timedelta(minutes=minutes)
    with transaction() as session:
        in_trash = update(Sample).where(Sample.deleted_at == cleanup.requested_at)
        session.execute(in_trash.values(deleted_at=earlier))
        cleanup.requested_at = earlier


def test_the_hour_to_undo_begins_when_a_late_worker_frees(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanups, "GROUPS_AT_ONCE", 1)
    for n in range(2):
        shelve_group(owner, f"a{n}", f"b{n}")
    cleanup = cleanups.free_all(owner)
    late(cleanup, 70)
    assert [each.state for each in cleanups.recent_cleanups(owner)] == [FREEING]
    cleanups.continue_cleanups()
    assert (cleanup.state, live_names(owner)) == (FREED, ["a0", "a1"])
    trash.purge_deleted()
    cleanups.undo_cleanup(cleanup)
    cleanups.continue_cleanups()
    assert live_names(owner) == ["a0", "a1", "b0", "b1"]


def test_an_order_that_was_interrupted_for_long_ends_with_what_is_freed(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanups, "GROUPS_AT_ONCE", 1)
    for n in range(3):
        shelve_group(owner, f"a{n}", f"b{n}")
    cleanup = cleanups.free_all(owner)
    free = cleanups._free
    freed: list[None] = []

    def break_down(*arguments: Any) -> None:
        if freed:
            raise ZeroDivisionError
        freed.append(free(*arguments))

    monkeypatch.setattr(cleanups, "_free", break_down)
    cleanups.continue_cleanups()
    monkeypatch.setattr(cleanups, "_free", free)
    assert (cleanup.state, cleanup.samples) == (FREEING, 1)
    late(cleanup, 50)
    cleanups.continue_cleanups()
    assert (cleanup.state, cleanup.samples, len(live_names(owner))) == (FREED, 1, 5)


def test_an_order_that_fails_stops_no_other(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cleanups, "GROUPS_AT_ONCE", 1)
    for user in (owner, stranger):
        for n in range(2):
            shelve_group(user, f"a{n}", f"b{n}")
    broken, whole = cleanups.free_all(owner), cleanups.free_all(stranger)
    free = cleanups._free

    def fail_for_owner(cleanup: DuplicateCleanup, *arguments: Any) -> None:
        free(cleanup, *arguments)
        if cleanup.user_id == owner.id:
            raise ZeroDivisionError

    monkeypatch.setattr(cleanups, "_free", fail_for_owner)
    cleanups.continue_cleanups()
    assert (whole.state, live_names(stranger)) == (FREED, ["a0", "a1"])
    assert (broken.state, broken.samples, len(live_names(owner))) == (FREEING, 0, 4)
    assert f"cleanup {broken.id} could not be continued" in caplog.text


def test_what_is_being_brought_back_is_not_purged(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    shelve_group(owner, *"abcd")
    shelve_group(owner, *"xyz")
    first, (deleted, _) = cleanups.free_all(owner), shelve_group(owner, "m", "n")
    deleted_id = deleted.id
    trash.delete_sample(deleted)
    monkeypatch.setattr(cleanups, "SAMPLES_AT_ONCE", 2)
    late(first, 59)
    cleanups.undo_cleanup(first)
    late(first, 2)
    with transaction():
        deleted.deleted_at = utcnow() - timedelta(minutes=61)
    trash.purge_deleted()
    cleanups.continue_cleanups()
    assert (first.state, live_names(owner)) == (UNDONE, [*"abcdnxyz"])
    assert db.session.get(Sample, deleted_id) is None


def test_an_undo_says_how_many_samples_were_removed_for_good(owner: User) -> None:
    made = shelve_group(owner, *"abcde")
    cleanup = cleanups.free_groups(owner, [group_of(made[0]).id])
    trash.restore_sample(made[4])  # by itself
    assert (cleanup.samples, cleanup.freed_bytes) == (3, 3000)
    with transaction() as session:
        for sample in made[1:3]:
            session.delete(session.get_one(Sample, sample.id))
    cleanups.undo_cleanup(cleanup)
    assert (cleanup.state, cleanup.samples, live_names(owner)) == (UNDONE, 0, ["a", "d", "e"])
    assert cleanup.problem == "2 of these samples had been removed for good."
    assert [each.id for each in cleanups.recent_cleanups(owner)] == [cleanup.id]


def test_a_full_plan_brings_nothing_back_and_says_why(owner: User) -> None:
    made = shelve_group(owner, "a", "b")
    cleanup = cleanups.free_groups(owner, [group_of(made[0]).id])
    with transaction():
        room = plans.plan_for_user(owner).storage_bytes - quota.plan_usage(owner).storage_bytes
        quota.add_usage(owner.id, STORAGE, "full", room)
    with pytest.raises(quota.QuotaExceededError, match="Not enough storage"):
        cleanups.undo_cleanup(cleanup)
    assert live_names(owner) == ["a"]
    (shown,) = cleanups.recent_cleanups(owner)
    assert (shown.state, shown.samples) == (FREED, 1)
    assert shown.problem is not None
    assert "Not enough storage" in shown.problem


def test_groups_of_others_are_not_freed(owner: User, stranger: User) -> None:
    made = shelve_group(stranger, "a", "b")
    assert cleanups.free_groups(owner, [group_of(made[0]).id]).samples == 0
    cleanups.free_all(owner)
    assert live_names(stranger) == ["a", "b"]


def test_old_orders_and_empty_groups_are_forgotten(owner: User) -> None:
    made = shelve_group(owner, "a", "b")
    cleanup = cleanups.free_groups(owner, [group_of(made[0]).id])
    with transaction() as session:
        cleanup.requested_at = utcnow() - cleanups.KEPT_FOR * 2
        for sample in made:
            session.delete(session.get_one(Sample, sample.id))
    cleanups.remove_leftovers()
    assert db.session.scalar(select(func.count()).select_from(DuplicateCleanup)) == 0
    assert db.session.scalars(select(DuplicateGroup)).all() == []
