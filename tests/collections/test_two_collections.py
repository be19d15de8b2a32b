"""Changing one collection, or undoing one move, leaves the others alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.collections import collection_list, collection_rows, moves
from app.collections.collection_edits import purge_collections
from app.collections.collection_rows import TooManyCollectionsError
from app.extensions import db
from app.library import collection_deletion, trash
from app.models import Collection, Job, Sample, SampleMove, User
from app.models.base import new_id, transaction, utcnow
from app.models.sample_places import NO_PLACE, SamplePlace
from tests.collections.conftest import LOOSE

Shelf = Mapping[str, Sample]


def place_of(sample: Sample) -> tuple[str | None, str]:
    db.session.refresh(sample)
    return sample.place.collection or None, sample.folder


def names_of(user: User) -> list[str]:
    return [each.name for each in collection_list.named_collections(user)]


def test_removing_a_collection_for_good_changes_no_other(owner: User, shelf: Shelf, pack: Collection) -> None:
    collection_deletion.delete_collection(pack, with_samples=False)
    with transaction() as session:
        session.execute(update(Collection).values(deleted_at=utcnow() - timedelta(hours=2)))
        session.execute(update(SampleMove).values(moved_at=utcnow() - timedelta(hours=2)))
    moves.move_samples(owner, [shelf[LOOSE].id], SamplePlace("Fresh", "Soft"))
    moves.move_samples(owner, [shelf["Rim"].id], SamplePlace("Fresh", "Hard"))
    _, at = moves.move_samples(owner, [shelf[LOOSE].id], NO_PLACE)
    purge_collections()
    assert names_of(owner) == ["Fresh"]
    assert place_of(shelf["Hat"]) == (None, "")
    assert place_of(shelf["Rim"]) == ("Fresh", "Hard")
    assert moves.undo_move(owner, at) == 1, "a move of the last hour can still be undone"
    assert place_of(shelf[LOOSE]) == ("Fresh", "Soft")


def test_each_of_two_moves_can_be_undone(owner: User, shelf: Shelf, pack: Collection) -> None:
    _, first = moves.move_samples(owner, [shelf["Hat"].id], NO_PLACE)
    _, second = moves.move_samples(owner, [shelf["Rim"].id], NO_PLACE)
    assert moves.undo_move(owner, first) == 1
    assert (place_of(shelf["Hat"]), place_of(shelf["Rim"])) == (("Dusty pack", "Drums/Hats"), (None, ""))
    assert moves.undo_move(owner, second) == 1
    assert place_of(shelf["Rim"]) == ("Dusty pack", "Drums")


def test_undoing_a_move_removes_only_the_collection_that_it_made_and_left_empty(
    owner: User, shelf: Shelf
) -> None:
    _, at = moves.move_samples(owner, [shelf["Hat"].id], SamplePlace("Best of"))
    _, later = moves.move_samples(owner, [shelf["Rim"].id], SamplePlace("Used"))
    with transaction():
        collection_rows.find_or_create(owner.id, "Empty")
    moves.move_samples(owner, [shelf[LOOSE].id], SamplePlace("Used"))
    moves.undo_move(owner, at)
    assert names_of(owner) == ["Dusty pack", "Empty", "Used"]
    moves.undo_move(owner, later)
    assert names_of(owner) == ["Dusty pack", "Empty", "Used"], "another sound is in it by now"
    assert place_of(shelf[LOOSE]) == ("Used", "")


def test_what_went_into_the_trash_after_a_move_is_not_moved_back(owner: User, shelf: Shelf) -> None:
    ids = [shelf["Hat"].id, shelf["Rim"].id]
    _, at = moves.move_samples(owner, ids, SamplePlace("Best of"))
    trash.delete_sample(shelf["Hat"])
    assert moves.undo_move(owner, at) == 1
    assert (place_of(shelf["Hat"]), place_of(shelf["Rim"])) == (("Best of", ""), ("Dusty pack", "Drums"))
    assert moves.move_samples(owner, ids, NO_PLACE)[0] == 1, "nor is it moved at all"


def test_only_the_users_own_collections_out_of_the_trash_fill_the_room(
    owner: User, stranger: User, pack: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection_rows, "MAX_COLLECTIONS", 2)
    with transaction():
        collection_rows.find_or_create(stranger.id, "Dusty pack")
        collection_rows.find_or_create(stranger.id, "Of a stranger")
        collection_rows.find_or_create(owner.id, "Second")
    with pytest.raises(TooManyCollectionsError):
        collection_rows.check_room(owner.id)
    collection_deletion.delete_collection(pack, with_samples=False)
    with transaction():
        collection_rows.find_or_create(owner.id, "Third")
    assert names_of(owner) == ["Second", "Third"]
    assert names_of(stranger) == ["Dusty pack", "Of a stranger"]


def test_a_collection_counts_its_own_sounds_that_are_there(
    owner: User, shelf: Shelf, pack: Collection
) -> None:
    moves.move_samples(owner, [shelf[LOOSE].id], SamplePlace("Another pack", "Drums/Hats"))
    trash.delete_sample(shelf["Rim"])
    listed = {each.collection.name: each for each in collection_list.list_collections(owner)}
    assert (listed["Dusty pack"].samples, listed["Another pack"].samples) == (5, 1)
    folders = collection_list.count_by_folder(pack.id)
    assert folders == {"": 1, "Drums/Hats": 1, "Drums/Kicks": 2, "drums/kicks": 1}


def test_a_job_keeps_its_samples_in_no_collection_when_the_chosen_one_is_gone(
    owner: User, shelf: Shelf, pack: Collection
) -> None:
    chosen = {collection_rows.COLLECTION_ID: pack.id, collection_rows.FOLDER: "Drums"}
    job = Job(user_id=owner.id, choices=chosen)
    assert collection_rows.chosen_place(job) == chosen
    job.choices = {**chosen, collection_rows.COLLECTION_ID: new_id()}
    assert db.session.scalar(select(Collection.id)) == pack.id, "another collection is there"
    assert collection_rows.chosen_place(job) == {}
