"""How many collections a user may have, which names are free, and what a purge leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.collections import collection_edits, collection_rows, moves
from app.collections.collection_edits import NameTakenError
from app.collections.collection_rows import TooManyCollectionsError
from app.extensions import db
from app.models import Collection, Job, Sample, SampleMove, User
from app.models.base import transaction, utcnow
from app.models.ownership import RowNotFoundError
from app.models.sample_places import NO_PLACE, SamplePlace
from tests.collections.conftest import LOOSE

Shelf = Mapping[str, Sample]


@pytest.fixture
def make() -> Callable[[User, str], Collection]:
    def make_collection(user: User, name: str) -> Collection:
        with transaction():
            return collection_rows.find_or_create(user.id, name)

    return make_collection


def hide(collection: Collection) -> None:
    with transaction():
        assert collection_edits.hide_collection(collection, utcnow())


def show(collection: Collection) -> None:
    with transaction():
        collection_edits.show_collection(collection)


def test_each_user_may_have_so_many_and_those_in_the_trash_do_not_count(
    owner: User, stranger: User, make: Callable[[User, str], Collection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection_rows, "MAX_COLLECTIONS", 2)
    one, two = make(owner, "One"), make(owner, "Two")
    assert make(stranger, "One").id not in (one.id, two.id), "another user has room of their own"
    assert make(owner, "two").id == two.id, "one that is there needs no room"
    with pytest.raises(TooManyCollectionsError):
        make(owner, "Three")
    hide(one)
    three = make(owner, "Three")
    with pytest.raises(TooManyCollectionsError):
        show(one)
    hide(three)
    show(one)
    assert (one.name, one.folded_name, one.deleted_at) == ("One", "one", None)
    assert (three.folded_name, three.deleted_at is None) == (None, False)
    with transaction():
        assert not collection_edits.hide_collection(three, utcnow()), "it is in the trash already"


def test_what_comes_back_gets_the_next_name_that_is_free(
    owner: User, make: Callable[[User, str], Collection]
) -> None:
    first = make(owner, "Dusty")
    hide(first)
    for name in ("DUSTY", "dusty 2"):
        make(owner, name)
    show(first)
    assert (first.name, first.folded_name) == ("Dusty 3", "dusty 3")
    show(first)
    assert first.name == "Dusty 3", "it is there already"


def test_a_name_is_taken_by_ones_own_collections_alone(
    owner: User, stranger: User, make: Callable[[User, str], Collection]
) -> None:
    one, two, foreign = make(owner, "One"), make(owner, "Two"), make(stranger, "Foreign")
    collection_edits.rename_collection(one, "ONE")
    collection_edits.rename_collection(one, "Foreign")
    assert (one.name, one.folded_name, foreign.name) == ("Foreign", "foreign", "Foreign")
    with pytest.raises(NameTakenError, match="“Foreign”"):
        collection_edits.rename_collection(two, "FOREIGN")
    with pytest.raises(RowNotFoundError):
        collection_rows.owned_collection(stranger, two.id)
    hide(two)
    with pytest.raises(RowNotFoundError):
        collection_edits.rename_collection(two, "Three")
    assert collection_edits.deleted_collection(owner, two.id) is two
    for user, collection in ((stranger, two), (owner, one)):
        with pytest.raises(RowNotFoundError):
            collection_edits.deleted_collection(user, collection.id)


def test_a_purge_removes_what_is_older_than_an_hour_and_nothing_else(
    owner: User, shelf: Shelf, make: Callable[[User, str], Collection]
) -> None:
    old, recent, used = make(owner, "Old"), make(owner, "Recent"), make(owner, "Used")
    moves.move_samples(owner, [shelf["Hat"].id], SamplePlace("Old", "Hats"))
    moves.move_samples(owner, [shelf["Rim"].id], SamplePlace("Recent", "Rims"))
    moves.move_samples(owner, [shelf[LOOSE].id], SamplePlace("Used", "Loose"))
    now = utcnow()
    with transaction() as session:
        for collection, minutes in ((old, 61), (recent, 59)):
            gone = update(Collection).where(Collection.id == collection.id)
            session.execute(gone.values(deleted_at=now - timedelta(minutes=minutes)))
        for name, minutes in (("Hat", 59), ("Rim", 61)):
            moved = update(SampleMove).where(SampleMove.sample_id == shelf[name].id)
            session.execute(moved.values(moved_at=now - timedelta(minutes=minutes)))
    collection_edits.purge_collections()
    db.session.expire_all()
    names = set(db.session.scalars(select(Collection.name).where(Collection.user_id == owner.id)))
    assert names >= {"Recent", "Used"}
    assert "Old" not in names
    placed = {name: (shelf[name].collection_id, shelf[name].folder) for name in ("Hat", "Rim", LOOSE)}
    assert placed == {"Hat": (None, ""), "Rim": (recent.id, "Rims"), LOOSE: (used.id, "Loose")}
    undoable = set(db.session.scalars(select(SampleMove.sample_id)))
    assert [shelf[name].id in undoable for name in ("Hat", "Rim", LOOSE)] == [True, False, True]


def test_a_job_keeps_its_samples_in_the_place_that_was_chosen(
    owner: User, stranger: User, make: Callable[[User, str], Collection]
) -> None:
    job = Job(id="a job", user_id=owner.id, choices={"kept": 1})
    with transaction():
        collection_rows.choose_place(job, NO_PLACE)
        assert collection_rows.chosen_place(job) == {}
        collection_rows.choose_place(job, SamplePlace("Pack", "Drums/Hats"))
        chosen = collection_rows.chosen_place(job)
        pack = collection_rows.find_named(owner.id, "PACK")
        assert pack is not None
        assert chosen == {"collection_id": pack.id, "folder": "Drums/Hats"}
        assert job.choices == {"kept": 1, **chosen}
        foreign = Job(id="b job", user_id=stranger.id, choices=dict(chosen))
        assert collection_rows.chosen_place(foreign) == {}
