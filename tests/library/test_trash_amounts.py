"""What the trash frees, needs and keeps: by user, by time and by size."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.billing import quota
from app.billing.plans import MB
from app.billing.quota import QuotaExceededError
from app.extensions import db, settings
from app.library import bulk_edits, trash
from app.library.bulk_edits import BulkOutcome
from app.models import Sample, User
from app.models.base import transaction, utcnow
from app.models.sample import MAX_TAGS
from tests.search.test_text_conditions import shelve

SIZES = {"One": 1_003, "Two": 20_011, "Three": 300_007}


def shelf_of(user: User, **sizes: int) -> dict[str, Sample]:
    made = shelve(user, {name: {} for name in sizes})
    with transaction():
        for name, size_bytes in sizes.items():
            made[name].size_bytes = size_bytes
            quota.add_usage(user.id, "storage", f"storage:{made[name].id}", size_bytes)
    return made


def stored(user: User) -> int:
    db.session.expire_all()
    return quota.plan_usage(user).storage_bytes


def in_trash() -> set[str]:
    db.session.expire_all()
    return set(db.session.scalars(select(Sample.name).where(Sample.deleted_at.is_not(None))))


def test_each_deletion_frees_what_its_samples_took_and_its_undo_takes_it_again(
    owner: User, stranger: User
) -> None:
    mine, theirs = shelf_of(owner, **SIZES), shelf_of(stranger, Foreign=7)
    ids = [mine["One"].id, mine["Two"].id, theirs["Foreign"].id]
    count, at = bulk_edits.delete_samples(owner, ids)
    assert (count, stored(owner), stored(stranger)) == (2, 300_007, 7)
    trash.delete_sample(mine["Three"])
    trash.delete_sample(mine["Three"])
    assert (in_trash(), stored(owner)) == ({"One", "Two", "Three"}, 0)
    assert set(trash.deleted_ids(owner.id, at, 100)) == {mine["One"].id, mine["Two"].id}
    assert trash.deleted_ids(owner.id, at, 1) == [min(mine["One"].id, mine["Two"].id)]
    assert trash.deleted_ids(stranger.id, at, 100) == []
    assert bulk_edits.restore_samples(stranger, at, 100) == 0
    assert bulk_edits.restore_samples(owner, at, 100) == 2
    assert (in_trash(), stored(owner)) == ({"Three"}, 1_003 + 20_011)
    trash.restore_sample(mine["Three"])
    trash.restore_sample(mine["Three"])
    assert (in_trash(), stored(owner), stored(stranger)) == (set(), sum(SIZES.values()), 7)


@pytest.mark.parametrize(("left", "comes_back"), [(1_003 + 20_011, True), (1_003 + 20_010, False)])
def test_samples_come_back_all_together_when_the_plan_has_room_for_all(
    freeloader: User, left: int, comes_back: bool
) -> None:
    made = shelf_of(freeloader, **SIZES)
    _, at = bulk_edits.delete_samples(freeloader, [made["One"].id, made["Two"].id])
    with transaction():
        quota.add_usage(freeloader.id, "storage", "filled", 100 * MB - SIZES["Three"] - left)
    if comes_back:
        assert bulk_edits.restore_samples(freeloader, at, 100) == 2
    else:
        with pytest.raises(QuotaExceededError):
            bulk_edits.restore_samples(freeloader, at, 100)
    assert in_trash() == (set() if comes_back else {"One", "Two"})


def test_an_hour_after_a_deletion_the_row_and_both_files_are_removed(owner: User) -> None:
    made = shelf_of(owner, **SIZES)
    store = settings().data_dir / "store"
    files = {name: [store / made[name].original_key, store / made[name].sp404_key] for name in made}
    for path in (path for both in files.values() for path in both):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")
    with transaction():
        for name, minutes in (("One", 61), ("Two", 59)):
            made[name].deleted_at = utcnow() - timedelta(minutes=minutes)
    trash.purge_deleted()
    assert set(db.session.scalars(select(Sample.name))) == {"Two", "Three"}
    assert {name: [path.exists() for path in both] for name, both in files.items()} == {
        "One": [False, False],
        "Two": [True, True],
        "Three": [True, True],
    }


def test_what_can_not_be_changed_of_several_is_counted_by_its_reason(owner: User) -> None:
    made = shelf_of(owner, One=1, Two=2, Three=3, Four=4)
    ids = [sample.id for sample in made.values()]
    full = [f"tag {number}" for number in range(MAX_TAGS)]
    assert bulk_edits.tag_samples(owner, ids[:2], add=full) == BulkOutcome(2, {})
    assert bulk_edits.tag_samples(owner, ids[:3], add=["new"]) == BulkOutcome(
        1, {bulk_edits.TOO_MANY_TAGS: 2}
    )
    assert bulk_edits.tag_samples(owner, ids[:3], add=["new"], remove=["tag 0"]) == BulkOutcome(3, {})
    db.session.expire_all()
    assert set(made["One"].tag_names) == {*full[1:], "new"}
    assert (made["Three"].tag_names, made["Four"].tag_names) == (["new"], [])
    for sample, bpm in zip(made.values(), (200.0, 200.5, 20.0, None), strict=True):
        bulk_edits.correct_samples(owner, [sample.id], {"kind": "loop", "bpm": bpm})
    refused = {bulk_edits.TEMPO_OUT_OF_RANGE: 1, bulk_edits.NO_TEMPO: 1}
    assert bulk_edits.scale_tempos(owner, ids, 2) == BulkOutcome(2, refused)
    db.session.expire_all()
    assert [sample.bpm for sample in made.values()] == [400.0, 200.5, 40.0, None]
    assert bulk_edits.like_samples(owner, ids[1:3], True) == 2
    db.session.expire_all()
    assert [sample.liked for sample in made.values()] == [False, True, True, False]
