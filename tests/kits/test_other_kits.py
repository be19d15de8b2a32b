"""A kit beside others: what is read, counted, changed and removed is its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.extensions import db, settings
from app.integrations.storage import open_store
from app.kits import history, kit_bases, kit_list, kit_rows, measured_pads, pad_edits, placements
from app.kits.kit_list import TooManyKitsError
from app.kits.kit_rows import load_state
from app.kits.kit_state import BankState, KitState, PatternState
from app.kits.pad_swaps import swap_pad
from app.library import trash
from app.models import Kit, KitBase, KitPad, User
from app.models.base import transaction, utcnow
from app.music.sound_classes import ONE_SHOT
from tests.kits.fill_stock import shelve_sound, vector_at
from tests.kits.stock import held_ids, kit_of, some_samples
from tests.many_rows import PTN

MINUTE = timedelta(minutes=1)


def test_a_change_of_a_kit_leaves_the_same_places_of_another_as_they_are(owner: User) -> None:
    [sample] = some_samples(owner, 1)
    pads = {name: pad_edits.pad_for_sample(sample) for name in ("A1", "A2")}
    banks = {name: BankState(8_000) for name in ("A", "B")}
    patterns = {name: PatternState("Beat", 1, PTN) for name in ("A1", "A2")}
    whole = KitState("Kit", banks=banks, pads=pads, patterns=patterns)
    kit, other = (kit_list.create_kit(owner, whole) for _ in range(2))
    empty = kit_list.create_kit(owner, KitState("Empty"))
    state = load_state(kit)
    changed = replace(
        state,
        banks={**state.banks, "A": BankState(9_000)},
        pads={"A2": state.pads["A2"]},
        patterns={"A2": state.patterns["A2"]},
    )
    history.change_kit(kit, "Change it", lambda _: changed)
    assert load_state(kit) == changed
    assert load_state(other) == whole
    assert load_state(empty) == KitState("Empty")
    assert [kit_rows.has_patterns(each) for each in (kit, other, empty)] == [True, True, False]


def test_a_sample_of_somebody_else_comes_into_no_kit(owner: User, stranger: User) -> None:
    [theirs], [mine] = some_samples(stranger, 1), some_samples(owner, 1)
    pads = {"A1": pad_edits.pad_for_sample(theirs), "A2": pad_edits.pad_for_sample(mine)}
    kit = kit_list.create_kit(owner, KitState("Kit", pads=pads))
    assert held_ids(kit) == {"A1": None, "A2": mine.id}


def test_the_list_counts_pads_with_a_sound_and_kits_that_are_there(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, _ = some_samples(owner)
    kit, other, deleted = kit_of(owner, A1=one, A2=two), kit_of(owner, A1=one), kit_of(owner, A1=one)
    kit_of(stranger)
    kit_list.delete_kit(deleted)
    with transaction() as session:
        session.add(KitPad(kit_id=kit.id, pad="A3", settings={"version": 1}))
    assert kit_list.list_kits(owner) == [other, kit]
    assert kit_list.count_pads([kit]) == {kit.id: 2}
    monkeypatch.setattr(kit_list, "MAX_KITS", 3)
    kit_of(owner)
    with pytest.raises(TooManyKitsError):
        kit_of(owner)


def test_only_what_was_deleted_long_ago_is_removed(owner: User) -> None:
    kits = {name: kit_of(owner) for name in ("there", "just deleted", "old")}
    ages = {"just deleted": kit_list.UNDO_PERIOD - MINUTE, "old": kit_list.UNDO_PERIOD + MINUTE}
    ids = {name: kit.id for name, kit in kits.items()}
    with transaction():
        for name, age in ages.items():
            kits[name].deleted_at = utcnow() - age
    kit_list.purge_deleted_kits()
    assert set(db.session.scalars(select(Kit.id))) == {ids["there"], ids["just deleted"]}


def test_a_page_of_a_sample_names_the_pads_of_kits_that_are_there(owner: User) -> None:
    one, two, _ = some_samples(owner)
    kit, deleted = kit_of(owner, A1=one, A2=two), kit_of(owner, A3=one)
    kit_list.delete_kit(deleted)
    assert [(each.kit_id, each.pad) for each in placements.pads_with(one)] == [(kit.id, "A1")]


def test_only_sounds_that_are_there_and_ones_own_are_fitted(owner: User, stranger: User) -> None:
    one, gone, unused = some_samples(owner)
    [theirs] = some_samples(stranger, 1)
    kit = kit_of(owner, A1=one, A2=gone)
    trash.delete_sample(gone)
    assert list(measured_pads.measured_bank(owner, load_state(kit), "A")) == ["A1"]
    assert measured_pads.load_measured(owner, {one.id, gone.id, theirs.id}).keys() == {one.id}
    assert measured_pads.load_measured(owner, {unused.id}).keys() == {unused.id}


def test_each_kit_walks_through_its_own_alternatives(owner: User) -> None:
    kicks = [
        shelve_sound(owner, f"Kick {n}", ONE_SHOT, "kick", similarity=vector_at(n + 1.0)) for n in range(8)
    ]
    first, last = kit_of(owner, A1=kicks[0]), kit_of(owner, A1=kicks[7])
    walks = [[swap_pad(owner, kit, "A1").name for _ in range(3)] for kit in (first, last)]
    assert walks == [["Kick 1", "Kick 2", "Kick 3"], ["Kick 6", "Kick 5", "Kick 4"]]
    history.change_kit(first, "Set A1", pad_edits.change_settings("A1", {"level": 90}))
    history.undo_change(first)
    assert swap_pad(owner, first, "A1").name == "Kick 4", "what was undone ends no walk"


def test_what_a_kit_keeps_of_its_project_is_its_own(
    owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_bases, "read_base", Path.read_bytes)
    kits = [kit_of(owner) for _ in range(3)]
    keys = [kit_bases.base_key(owner.id, kit.id) for kit in kits[:2]]
    for kit, key in zip(kits, keys, strict=False):
        path = tmp_path / "base"
        path.write_text(kit.id)
        open_store(settings()).put(key, path, "application/zip")
        with transaction() as session:
            session.add(KitBase(kit_id=kit.id, user_id=owner.id, store_key=key, size_bytes=26))
    found = [kit_bases.fetch_base(kit.id, tmp_path) for kit in kits]
    assert found == [kits[0].id.encode(), kits[1].id.encode(), None]  # type: ignore[comparison-overlap]  # not parsed
    kept = [tuple(each) for each in kit_bases.base_keys(Kit.id == kits[1].id)]
    assert kept == [(owner.id, keys[1], 26)]
    with transaction() as session:
        session.delete(session.get_one(Kit, kits[0].id))
        session.flush()
        assert kit_bases.release_unused([(owner.id, key, 26) for key in keys]) == [keys[0]]
