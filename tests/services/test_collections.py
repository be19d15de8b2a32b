"""Collections on PostgreSQL: the same as on SQLite, and two requests at once make one of a name."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from app.auth import accounts
from app.collections import collection_list, collection_rows, moves
from app.extensions import db
from app.models import Collection, User
from app.models.sample_places import SamplePlace
from tests.collections import test_pages as on_sqlite
from tests.collections.conftest import PACK, fill_pack
from tests.search.test_text_conditions import shelve
from tests.support import PASSWORD, Browser

pytestmark = pytest.mark.services


@pytest.fixture
def owner(postgres_app: Flask) -> User:
    return accounts.register_user("owner@example.com", PASSWORD, "UTC", is_verified=True)


def pack_of(owner: User) -> Collection:
    found = collection_rows.find_named(owner.id, "Dusty pack")
    assert found is not None
    return found


def test_collections_are_listed_moved_and_deleted_on_postgresql(postgres_app: Flask, owner: User) -> None:
    as_owner, shelf = Browser(postgres_app, owner), fill_pack(owner)
    [listed] = collection_list.list_collections(owner)
    assert (listed.samples, listed.folders, listed.size_bytes) == (len(PACK), 3, len(PACK))
    on_sqlite.TestTheLibrary().test_a_folder_is_found_with_those_below_it_whatever_its_case(
        owner, pack_of(owner)
    )
    moving, pages = on_sqlite.TestMoving(), on_sqlite.TestTheirPage()
    moving.test_samples_move_to_a_new_collection_and_back(as_owner, owner, shelf, pack_of(owner))
    moving.test_a_later_move_is_not_undone_with_an_earlier_one(owner, shelf)
    moves.move_samples(owner, [shelf["Hat"].id], SamplePlace("Dusty pack", "Drums/Hats"))
    pages.test_it_is_deleted_with_its_sounds_and_all_come_back(as_owner, owner, shelf, pack_of(owner))
    pages.test_an_hour_later_it_is_gone_and_its_sounds_are_in_no_collection(owner, shelf, pack_of(owner))


def test_two_requests_at_once_make_one_collection(postgres_app: Flask, owner: User) -> None:
    ids = [sample.id for sample in shelve(owner, {str(number): {} for number in range(8)}).values()]

    def move(sample_id: str) -> None:
        with postgres_app.app_context():
            moves.move_samples(db.session.get_one(User, owner_id), [sample_id], SamplePlace("Pack"))
            db.session.remove()

    owner_id = owner.id
    threads = [threading.Thread(target=move, args=(sample_id,)) for sample_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [listed] = collection_list.list_collections(owner)
    assert (listed.collection.name, listed.samples) == ("Pack", len(ids))
