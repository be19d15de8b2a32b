"""The list of kits: whose, in which order, how many, and how long a deleted one can come back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.extensions import db
from app.kits import kit_list
from app.kits.kit_list import TooManyKitsError
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState, PadState
from app.models import Kit, Sample, User
from app.models.base import transaction, utcnow
from app.models.ownership import RowNotFoundError
from tests.kits.stock import kit_of, some_samples

GAP = PadState(None, "Gone", "9" * 64)


@pytest.fixture
def samples(owner: User) -> list[Sample]:
    return some_samples(owner, 3)


def test_ones_own_kits_are_listed_the_one_changed_last_first_with_their_filled_pads(
    owner: User, stranger: User, samples: list[Sample]
) -> None:
    one, two = kit_of(owner, A1=samples[0]), kit_of(owner, A1=samples[1], B2=samples[2])
    three = kit_list.create_kit(owner, KitState("Gaps", pads={"A1": GAP, "A2": PadState(locked=True)}))
    foreign = kit_list.create_kit(stranger, KitState("Foreign"))
    with transaction():
        for hours, kit in enumerate((two, three, one)):
            kit.changed_at = utcnow() - timedelta(hours=hours)
    assert [kit.id for kit in kit_list.list_kits(owner)] == [two.id, three.id, one.id]
    assert kit_list.count_pads([one, two, three, foreign]) == {one.id: 1, two.id: 2, three.id: 1}
    assert kit_list.count_pads([two]) == {two.id: 2}
    kit_list.delete_kit(two)
    assert [kit.id for kit in kit_list.list_kits(owner)] == [three.id, one.id]
    assert [kit.id for kit in kit_list.list_kits(stranger)] == [foreign.id]
    for user, kit in ((stranger, one), (owner, two)):
        with pytest.raises(RowNotFoundError):
            kit_list.owned_kit(user, kit.id)
    for user, kit in ((stranger, two), (owner, one)):
        with pytest.raises(RowNotFoundError):
            kit_list.deleted_kit(user, kit.id)
    assert (kit_list.owned_kit(owner, one.id), kit_list.deleted_kit(owner, two.id)) == (one, two)


def test_each_user_may_have_so_many_kits_and_those_in_the_trash_do_not_count(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_list, "MAX_KITS", 2)
    for user in (stranger, owner):
        first, _ = [kit_list.create_kit(user, KitState(name)) for name in ("One", "Two")]
    with pytest.raises(TooManyKitsError):
        kit_list.create_kit(owner, KitState("Three"))
    with pytest.raises(TooManyKitsError):
        kit_list.copy_kit(owner, first)
    kit_list.delete_kit(first)
    deleted_at = first.deleted_at
    kit_list.delete_kit(first)
    assert first.deleted_at == deleted_at, "it was deleted when it was deleted first"
    kit_list.create_kit(owner, KitState("Three"))
    with pytest.raises(TooManyKitsError):
        kit_list.restore_kit(owner, first)
    assert first.deleted_at is not None


def test_a_copy_has_the_same_content_and_the_next_free_name(owner: User, stranger: User) -> None:
    state = KitState("Dusty", 8_123, "bank", "some notes", pads={"B7": GAP})
    kit = kit_list.create_kit(owner, state)
    kit_list.create_kit(stranger, KitState("Dusty 2"))
    copies = [kit_list.copy_kit(owner, kit) for _ in range(2)]
    assert [load_state(copy) for copy in copies] == [
        KitState(name, 8_123, "bank", "some notes", pads={"B7": GAP}) for name in ("Dusty 2", "Dusty 3")
    ]
    assert {copy.user_id for copy in copies} == {owner.id}
    assert kit_list.next_name(owner, "DUSTY") == "DUSTY 4"
    assert kit_list.next_name(owner, "New") == "New"
    long = "A name of thirty-two letters, no"[:31] + "x"
    kit_list.create_kit(owner, KitState(long))
    assert kit_list.next_name(owner, long) == f"{long[: len(long) - 2].rstrip()} 2"


def test_a_kit_is_removed_an_hour_after_it_was_deleted(owner: User) -> None:
    kits = [kit_list.create_kit(owner, KitState(name)) for name in ("Old", "Recent", "Kept")]
    with transaction():
        for kit, minutes in zip(kits, (61, 59), strict=False):
            kit.deleted_at = utcnow() - timedelta(minutes=minutes)
    kit_list.purge_deleted_kits()
    assert set(db.session.scalars(select(Kit.name))) == {"Recent", "Kept"}
