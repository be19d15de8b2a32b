"""Changes of a kit: each can be undone and redone, by data, in any number and in two windows at once."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.extensions import db
from app.kits import history, kit_list, pad_edits
from app.kits.history import KitConflictError, KitEdit
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState, PadState, apply_values, differing_values
from app.models import Kit, KitChange, User
from app.models.base import transaction
from app.models.kit_change import MAX_CHANGES
from tests.kits.operations import some_edits
from tests.kits.stock import held_ids, kit_of, some_samples

SOUNDS = [PadState(f"sample {number}", f"Sound {number}", "0" * 64) for number in range(3)]


@given(st.lists(some_edits(SOUNDS), max_size=12))
def test_what_is_stored_of_a_change_gives_both_sides_back(edits: list[KitEdit]) -> None:
    kit = KitState("Empty")
    for edit in edits:
        after = edit(kit)
        assert apply_values(after, differing_values(kit, after)) == kit
        assert apply_values(kit, differing_values(after, kit)) == after
        kit = after


class TestStored:
    @pytest.fixture
    def sounds(self, owner: User) -> list[PadState]:
        return [pad_edits.pad_for_sample(sample) for sample in some_samples(owner)]

    def test_any_operations_undone_give_the_kit_before_and_redone_after(
        self, owner: User, sounds: list[PadState]
    ) -> None:
        seen = 0

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(some_edits(sounds), min_size=4, max_size=8))
        def check(edits: list[KitEdit]) -> None:
            nonlocal seen
            kit = kit_list.create_kit(owner, KitState("Start"))
            states = [load_state(kit)]
            for edit in edits:
                if history.change_kit(kit, "Change", edit):
                    states.append(load_state(kit))
            seen += len(states) - 1
            for before in reversed(states[:-1]):
                assert history.undo_change(kit) == "Change"
                assert load_state(kit) == before
            assert history.undo_change(kit) == ""
            for after in states[1:]:
                assert history.redo_change(kit) == "Change"
                assert load_state(kit) == after
            assert history.redo_change(kit) == ""
            with transaction() as session:
                session.delete(kit)

        check()
        assert seen > 20

    def test_the_last_fifty_changes_can_be_undone(self, owner: User) -> None:
        kit = kit_of(owner)
        for number in range(MAX_CHANGES + 5):
            assert history.change_kit(kit, f"Tempo {number}", pad_edits.change_values(tempo=5_000 + number))
        assert db.session.scalar(select(func.count()).select_from(KitChange)) == MAX_CHANGES
        undone = 0
        while history.undo_change(kit):
            undone += 1
        assert (undone, kit.tempo) == (MAX_CHANGES, 5_004)

    def test_a_change_after_undo_forgets_what_was_undone(self, owner: User) -> None:
        kit, other = kit_of(owner), kit_of(owner)
        for tempo in (5_000, 6_000):
            for each, words in ((kit, "To"), (other, "Back to")):
                history.change_kit(each, f"{words} {tempo}", pad_edits.change_values(tempo=tempo))
        history.undo_change(kit)
        assert history.next_steps(kit) == ("To 5000", "To 6000")
        history.change_kit(kit, "To 7000", pad_edits.change_values(tempo=7_000))
        assert history.next_steps(kit) == ("To 7000", "")
        assert history.redo_change(kit) == ""
        assert history.undo_change(kit) == "To 7000"
        assert kit.tempo == 5_000
        assert history.undo_change(other) == "Back to 6000"

    def test_what_changes_nothing_is_no_change(self, owner: User) -> None:
        kit = kit_of(owner)
        before = kit.revision
        assert not history.change_kit(kit, "Nothing", pad_edits.clear(["A1"]))
        assert (kit.revision, history.next_steps(kit)) == (before, ("", ""))


class TestTwoWindows:
    def test_a_change_of_an_older_revision_is_refused_and_overwrites_nothing(self, owner: User) -> None:
        first, second, _ = some_samples(owner)
        kit = kit_of(owner)
        seen = kit.revision
        place = pad_edits.place("A1", pad_edits.pad_for_sample(first))
        assert history.change_kit(kit, "First", place, seen)
        for late in (
            lambda: history.change_kit(
                kit, "Second", pad_edits.place("A1", pad_edits.pad_for_sample(second)), seen
            ),
            lambda: history.undo_change(kit, seen),
            lambda: history.redo_change(kit, seen),
        ):
            with pytest.raises(KitConflictError, match="changed in another window"):
                late()
        assert held_ids(kit) == {"A1": first.id}

    def test_of_two_changes_at_the_same_time_one_is_made_and_the_other_refused(
        self, app: Flask, owner: User
    ) -> None:
        kit = kit_of(owner)
        kit_id, seen, made, refused = kit.id, kit.revision, list[int](), list[int]()
        db.session.commit()

        def change(tempo: int) -> None:
            with app.app_context():
                mine = db.session.get_one(Kit, kit_id)
                try:
                    history.change_kit(mine, "Tempo", pad_edits.change_values(tempo=tempo), seen)
                    made.append(tempo)
                except KitConflictError:
                    refused.append(tempo)

        threads = [Thread(target=change, args=(5_000 + number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        db.session.expire_all()
        assert (len(made), len(refused)) == (1, 5)
        assert db.session.get_one(Kit, kit_id).tempo == made[0]

    def test_changes_without_a_revision_lose_nothing_of_each_other(self, app: Flask, owner: User) -> None:
        sample = some_samples(owner, 1)[0]
        kit = kit_of(owner)
        kit_id, held = kit.id, pad_edits.pad_for_sample(sample)
        db.session.commit()

        def change(pad: str) -> None:
            with app.app_context():
                mine = db.session.get_one(Kit, kit_id)
                history.change_kit(mine, "Place", pad_edits.place(pad, held))

        threads = [Thread(target=change, args=(f"A{number}",)) for number in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        db.session.expire_all()
        assert set(held_ids(db.session.get_one(Kit, kit_id))) == {f"A{number}" for number in range(1, 9)}


def test_a_kit_of_too_many_slices_is_refused(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_KIT_CHARACTERS", 2_000)
    kit = kit_of(owner, A1=some_samples(owner, 1)[0])
    onsets = [number / 100 for number in range(1_000)]
    with pytest.raises(history.KitTooLargeError, match="Use fewer slices on some pads"):
        history.change_kit(kit, "Shape", pad_edits.change_settings("A1", {"recipe": {"onsets": onsets}}))
    assert load_state(kit).pad("A1").settings.recipe is None


def test_a_kit_that_is_too_large_can_be_made_smaller(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    kit = kit_of(owner, A1=some_samples(owner, 1)[0])
    onsets = [number / 100 for number in range(1_000)]
    history.change_kit(kit, "Shape", pad_edits.change_settings("A1", {"recipe": {"onsets": onsets}}))
    monkeypatch.setattr(history, "MAX_KIT_CHARACTERS", 2_000)
    with pytest.raises(history.KitTooLargeError):
        history.change_kit(kit, "Note", pad_edits.change_values(notes="more"))
    fewer = pad_edits.change_settings("A1", {"recipe": {"onsets": onsets[:900]}})
    assert history.change_kit(kit, "Shape", fewer)


def test_a_large_history_forgets_its_oldest_changes(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    other, kit = kit_of(owner), kit_of(owner)
    monkeypatch.setattr(history, "MAX_HISTORY_CHARACTERS", 500)
    for each, changes in ((other, 7), (kit, 8)):
        for number in range(changes):
            history.change_kit(each, "Note", pad_edits.change_values(notes=str(number) * 100))
    kept = select(KitChange.kit_id, func.count()).group_by(KitChange.kit_id)
    assert dict(db.session.execute(kept).tuples().all()) == {other.id: 2, kit.id: 2}
    assert history.undo_change(kit) == "Note"
    assert kit.notes == "6" * 100


def test_a_locked_pad_stays_locked_when_a_sound_is_placed() -> None:
    kit = pad_edits.lock(["A1"], True)(KitState("Empty"))
    placed = pad_edits.place("A1", SOUNDS[0])(kit)
    assert placed.pad("A1") == replace(SOUNDS[0], locked=True)
    assert pad_edits.clear(["A1"])(placed).pads == {}
