"""Collections: the library filtered by one, their page, rename, delete with undo, move, and a kit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from app.billing import quota
from app.collections import collection_edits, collection_list, collection_rows, moves
from app.collections.collection_edits import purge_collections
from app.extensions import db
from app.kits import collection_kit
from app.kits.kit_rows import load_state
from app.library import bulk_edits, collection_deletion, trash
from app.library.handover import hand_over
from app.models import Collection, Kit, Sample, SampleMove, User
from app.models.base import transaction, utcnow
from app.models.sample_places import NO_PLACE, SamplePlace
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from tests.collections.conftest import LOOSE, PACK
from tests.query_counter import counted_queries
from tests.search.test_plans import SCAN, plans_of_searches
from tests.search.test_text_conditions import shelve
from tests.support import Browser

Shelf = Mapping[str, Sample]


def found(user: User, collection: Collection, folder: str = "") -> set[str]:
    page = find_samples(user, SampleQuery(collection=collection.id, folder=folder), "")
    return {sample.name for sample in page.samples}


def follow(browser: Browser, path: str, **form: Any) -> str:
    answer = browser.post(path, **form)
    assert answer.status_code == 303
    return browser.get(answer.location).text


def undo_of(page: str) -> str:
    (address,) = re.findall(r'action="([^"]+)"[^>]*>(?:(?!</form>).)*>Undo<', page, re.S)[-1:]
    return str(address)


def place_of(sample: Sample) -> tuple[str | None, str]:
    db.session.refresh(sample)
    return sample.place.collection or None, sample.folder


class TestTheLibrary:
    def test_a_folder_is_found_with_those_below_it_whatever_its_case(
        self, owner: User, pack: Collection
    ) -> None:
        assert found(owner, pack) == set(PACK)
        assert found(owner, pack, "Drums") == {"Boom kick", "Click kick", "Hat", "Rim", "Voice"}
        assert found(owner, pack, "drums/Kicks") == {"Boom kick", "Click kick", "Voice"}
        assert found(owner, pack, "Drum") == found(owner, pack, "Kicks") == set()
        assert [(each.path, each.samples) for each in collection_list.folders_in(pack.id)] == [("Drums", 5)]
        inside = collection_list.folders_in(pack.id, "drums")
        assert [(each.name, each.samples) for each in inside] == [("Hats", 1), ("Kicks", 3)]

    def test_the_list_shows_where_it_is_and_what_is_below(self, as_owner: Browser, pack: Collection) -> None:
        page = as_owner.get(f"/samples?collection={pack.id}&folder=Drums").text
        crumbs = re.search(r'<nav class="crumbs".*?</nav>', page, re.S)
        assert crumbs is not None
        assert re.findall(r">([^<>]+)</a>", crumbs[0]) == [
            "Library", "Collections", "Dusty pack", "Drums",
        ]  # fmt: skip
        assert "in Dusty pack › Drums" in page
        assert f'href="/samples?collection={pack.id}&amp;folder=Drums/Kicks"' in page
        assert page.count('class="row"') == 5
        assert f'name="collection" value="{pack.id}"' in page, "the search stays in the folder"
        assert f"/samples?collection={pack.id}" in as_owner.get("/samples").text, "a filter of the library"

    def test_a_strangers_collection_is_none(self, as_stranger: Browser, pack: Collection) -> None:
        page = as_stranger.get(f"/samples?collection={pack.id}").text
        assert ("Dusty pack" in page, "in a collection you don&#39;t have" in page) == (False, True)
        assert "Dusty pack" not in as_stranger.get("/collections").text

    def test_a_samples_page_shows_the_way_to_it(
        self, as_owner: Browser, shelf: Shelf, pack: Collection
    ) -> None:
        page = as_owner.get(f"/samples/{shelf['Boom kick'].id}").text
        assert f'href="/samples?collection={pack.id}&amp;folder=Drums/Kicks">Kicks</a>' in page
        assert "Folders" not in as_owner.get(f"/samples/{shelf[LOOSE].id}").text

    def test_no_statement_scans_the_samples(self, owner: User, pack: Collection) -> None:
        with plans_of_searches() as plans:
            collection_list.list_collections(owner)
            collection_list.named_collections(owner)
            collection_list.folders_in(pack.id, "Drums")
        assert len(plans) == 3
        assert [plan for _, plan in plans if SCAN.search(plan) or "SCAN collections" in plan] == []


class TestTheirPage:
    def test_it_says_what_is_in_each(self, as_owner: Browser, pack: Collection) -> None:
        page = re.sub(r"<[^>]+>|\s+", " ", as_owner.get("/collections").text)
        assert re.search(r"Dusty pack .*6 sounds · 3 folders · ", re.sub(" +", " ", page))
        assert "No collections yet" not in page

    def test_a_collection_is_renamed_but_not_to_the_name_of_another(
        self, as_owner: Browser, owner: User, shelf: Shelf, pack: Collection
    ) -> None:
        moves.move_samples(owner, [shelf[LOOSE].id], SamplePlace("Other"))
        assert "Renamed to DUSTY Pack." in follow(as_owner, f"/collections/{pack.id}", name=" DUSTY Pack ")
        assert found(owner, pack) == set(PACK)
        assert "already have a collection" in follow(as_owner, f"/collections/{pack.id}", name="other")
        for name in ("", " \u200b", "x" * 101):
            follow(as_owner, f"/collections/{pack.id}", name=name)
            assert place_of(shelf["Pad"]) == ("DUSTY Pack", "")

    def test_deleting_one_keeps_its_sounds_and_undo_brings_it_back(
        self, as_owner: Browser, owner: User, shelf: Shelf, pack: Collection
    ) -> None:
        page = follow(as_owner, f"/collections/{pack.id}/delete", sounds="keep")
        assert "Dusty pack has been deleted. No sounds were deleted." in page
        assert place_of(shelf["Hat"])[0] is None
        assert len(find_samples(owner, SampleQuery(), "").samples) == len(PACK) + 1
        assert as_owner.post(f"/collections/{pack.id}/delete").status_code == 404
        moves.move_samples(owner, [shelf[LOOSE].id], SamplePlace("Dusty Pack"))
        assert "Dusty pack 2 is back." in follow(as_owner, undo_of(page)), "its name was taken meanwhile"
        assert place_of(shelf["Hat"]) == ("Dusty pack 2", "Drums/Hats")

    def test_it_is_deleted_with_its_sounds_and_all_come_back(
        self, as_owner: Browser, owner: User, shelf: Shelf, pack: Collection
    ) -> None:
        trash.delete_sample(shelf["Rim"])
        page = follow(as_owner, f"/collections/{pack.id}/delete", sounds="delete")
        assert "Deleted with it: 5 sounds." in page
        assert [each.name for each in find_samples(owner, SampleQuery(), "").samples] == [LOOSE]
        assert "Dusty pack is back, with 5 sounds." in follow(as_owner, undo_of(page))
        assert found(owner, pack) == set(PACK) - {"Rim"}, "what was deleted before stays deleted"
        assert as_owner.post(undo_of(page)).status_code == 404

    def test_an_hour_later_it_is_gone_and_its_sounds_are_in_no_collection(
        self, owner: User, shelf: Shelf, pack: Collection
    ) -> None:
        collection_deletion.delete_collection(pack, with_samples=False)
        purge_collections()
        assert "Dusty pack" in db.session.scalars(select(Collection.name)).all()
        with transaction() as session:
            session.execute(update(Collection).values(deleted_at=utcnow() - timedelta(hours=2)))
            session.execute(update(SampleMove).values(moved_at=utcnow() - timedelta(hours=2)))
        purge_collections()
        for model in (Collection, SampleMove):
            assert db.session.scalar(select(func.count()).select_from(model)) == 0
        sample = shelf["Hat"]
        db.session.refresh(sample)
        assert (sample.collection_id, sample.folder) == (None, "")


class TestMoving:
    def test_samples_move_to_a_new_collection_and_back(
        self, as_owner: Browser, owner: User, shelf: Shelf, pack: Collection
    ) -> None:
        ids = [shelf[name].id for name in ("Hat", LOOSE)]
        fields = {"set-collection": "Best of", "set-folder": "Soft\\Hats"}
        page = follow(as_owner, "/selected/move", sample=ids, **fields)
        assert "2 samples moved to Best of." in page
        assert place_of(shelf["Hat"]) == place_of(shelf[LOOSE]) == ("Best of", "Soft/Hats")
        best = collection_rows.find_named(owner.id, "best of")
        assert best is not None
        assert found(owner, best, "Soft") == {"Hat", LOOSE}
        assert "2 samples moved back." in follow(as_owner, undo_of(page))
        assert (place_of(shelf["Hat"]), place_of(shelf[LOOSE])) == (("Dusty pack", "Drums/Hats"), (None, ""))
        assert collection_rows.find_named(owner.id, "best of") is None, "nothing is left of the move"
        assert "nothing left to undo" in follow(as_owner, undo_of(page))

    def test_a_collection_that_was_there_before_stays_when_a_move_into_it_is_undone(
        self, owner: User, shelf: Shelf
    ) -> None:
        with transaction():
            collection_rows.find_or_create(owner.id, "Best of")
        _, at = moves.move_samples(owner, [shelf["Hat"].id], SamplePlace("Best of"))
        assert moves.undo_move(owner, at) == 1
        assert collection_rows.find_named(owner.id, "Best of") is not None

    def test_a_later_move_is_not_undone_with_an_earlier_one(self, owner: User, shelf: Shelf) -> None:
        ids = [shelf["Hat"].id, shelf["Rim"].id]
        _, first = moves.move_samples(owner, ids, NO_PLACE)
        moves.move_samples(owner, ids[:1], SamplePlace("Third"))
        assert moves.undo_move(owner, first) == 1
        assert (place_of(shelf["Hat"]), place_of(shelf["Rim"])) == (("Third", ""), ("Dusty pack", "Drums"))

    def test_the_search_is_moved_as_a_whole_and_taken_out_again(
        self, as_owner: Browser, owner: User, shelf: Shelf, pack: Collection
    ) -> None:
        search = {"all": "1", "collection": pack.id, "folder": "Drums/Kicks"}
        page = follow(as_owner, "/selected/move", **search, **{"set-out": "1"})
        assert "3 samples moved out of collections." in page
        assert found(owner, pack) == {"Hat", "Rim", "Pad"}
        refused = follow(as_owner, "/selected/move", sample=shelf["Hat"].id, **{"set-folder": "Hats"})
        assert "Enter the collection" in refused

    def test_nobody_moves_samples_of_others(self, owner: User, stranger: User, shelf: Shelf) -> None:
        ids = [shelf["Hat"].id]
        assert moves.move_samples(stranger, ids, SamplePlace("Mine"))[0] == 0
        count, at = moves.move_samples(owner, ids, SamplePlace("Elsewhere"))
        assert (count, moves.undo_move(stranger, at)) == (1, 0)
        assert place_of(shelf["Hat"]) == ("Elsewhere", "")


def test_the_file_that_stays_of_a_recording_takes_the_place_of_the_others(shelf: Shelf) -> None:
    with transaction():
        hand_over(shelf[LOOSE], [shelf["Hat"], shelf["Rim"]])
        hand_over(shelf["Pad"], [shelf["Rim"]])
    assert place_of(shelf[LOOSE]) == ("Dusty pack", "Drums/Hats")
    assert place_of(shelf["Pad"]) == ("Dusty pack", ""), "its own place stays"


class TestKits:
    def test_each_folder_begins_a_bank(
        self, as_owner: Browser, owner: User, shelf: Shelf, pack: Collection
    ) -> None:
        more = shelve(owner, {f"Snare {number:02}": {} for number in range(18)})
        moves.move_samples(
            owner, [each.id for each in more.values()], SamplePlace("Dusty pack", "Drums/Snares")
        )
        moves.move_samples(owner, [shelf[LOOSE].id], SamplePlace("Another pack", "Drums"))
        page = follow(as_owner, f"/collections/{pack.id}/kit", folder="Drums")
        assert "Each folder begins a bank" in page
        kit = load_state(db.session.scalars(select(Kit)).one())
        held = {name: pad.sample_name for name, pad in kit.pads.items()}
        assert (kit.name, held["A1"], held["B1"], held["C1"]) == ("Dusty pack", "Rim", "Hat", "Boom kick")
        first = {name for name in held if name[1:] == "1"}
        assert first == {"A1", "B1", "C1", "D1", "E1"}
        assert "A2" not in held, "it is in another collection"
        assert (held["D16"], held["E1"], held["E2"]) == ("Snare 15", "Snare 16", "Snare 17")
        assert kit.notes.splitlines()[1:] == [
            "A: Drums", "B: Drums/Hats", "C: Drums/Kicks", "D: Drums/Snares",
        ]  # fmt: skip

    def test_what_is_in_the_trash_is_on_no_pad(self, owner: User, shelf: Shelf, pack: Collection) -> None:
        trash.delete_sample(shelf["Boom kick"])
        folders = collection_list.count_by_folder(pack.id)
        made = collection_kit.kit_from_collection(owner, pack, folders)
        assert made is not None
        held = {pad.sample_name for pad in load_state(made.kit).pads.values()}
        assert held == {*PACK} - {"Boom kick"}

    def test_what_finds_no_room_is_said(
        self, as_owner: Browser, owner: User, shelf: Shelf, pack: Collection
    ) -> None:
        for number in range(9):
            moves.move_samples(owner, [shelf[LOOSE].id], SamplePlace("Dusty pack", f"Extra {number}"))
            shelf = {**shelf, LOOSE: next(iter(shelve(owner, {f"Loose {number}": {}}).values()))}
        page = follow(as_owner, f"/collections/{pack.id}/kit")
        assert "3 sounds found no room, with 3 folders left out as a whole." in page
        bulk_edits.delete_samples(owner, [each.id for each in db.session.scalars(select(Sample))])
        assert "There are no sounds to make a kit of yet." in follow(as_owner, f"/collections/{pack.id}/kit")
        assert collection_edits.UNDO_PERIOD == trash.UNDO_PERIOD


def test_many_samples_go_and_come_back_in_as_many_statements_as_few(owner: User, pack: Collection) -> None:
    counts = []
    for samples in (len(PACK), len(PACK) + 60):
        used = quota.plan_usage(owner).storage_bytes
        db.session.refresh(pack)
        with counted_queries() as queries:
            assert collection_deletion.delete_collection(pack, with_samples=True) == samples
        freed = used - quota.plan_usage(owner).storage_bytes
        with counted_queries() as back_queries:
            assert collection_deletion.restore_collection(pack) == samples
        sizes = select(func.sum(Sample.size_bytes)).where(Sample.collection_id == pack.id)
        assert freed == db.session.scalar(sizes)
        assert quota.plan_usage(owner).storage_bytes == used
        counts.append((len(queries), len(back_queries)))
        made = shelve(owner, {f"{samples} {number}": {} for number in range(60)})
        moves.move_samples(owner, [each.id for each in made.values()], SamplePlace("Dusty pack"))
    assert counts[0] == counts[1], queries
