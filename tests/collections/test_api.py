"""Collections in the API: their list, and samples by collection and folder."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from app.library import collection_deletion
from app.models import Collection, Sample, User
from tests.collections.conftest import LOOSE, PACK
from tests.query_counter import counted_queries
from tests.support import ApiScript


def names(script: ApiScript, query: str) -> set[str]:
    return {sample["name"] for sample in script.get(f"/api/samples?{query}").get_json()["samples"]}


def test_collections_are_listed_with_what_is_in_them(
    app: Flask, script: ApiScript, stranger: User, pack: Collection
) -> None:
    [told] = script.get("/api/collections").get_json()["collections"]
    assert (told["id"], told["name"]) == (pack.id, "Dusty pack")
    assert (told["samples"], told["folders"], told["size_bytes"]) == (6, 3, 6)
    assert told["newest_at"] >= told["created_at"][:10]
    assert ApiScript(app, stranger).get("/api/collections").get_json() == {"collections": []}


def test_samples_are_found_by_the_names_of_collection_and_folder(
    script: ApiScript, shelf: Mapping[str, Sample], pack: Collection
) -> None:
    assert names(script, "collection=DUSTY+pack") == set(PACK)
    assert names(script, "collection=dusty+pack&folder=Drums/Kicks/") == {"Boom kick", "Click kick", "Voice"}
    assert names(script, "collection=other") == names(script, "collection=%E2%80%8B") == set()
    told = script.get(f"/api/samples/{shelf['Hat'].id}").get_json()
    assert (told["collection"], told["folder"]) == ("Dusty pack", "Drums/Hats")
    loose = script.get(f"/api/samples/{shelf[LOOSE].id}").get_json()
    assert (loose["collection"], loose["folder"]) == (None, "")
    collection_deletion.delete_collection(pack, with_samples=False)
    hidden = script.get(f"/api/samples/{shelf['Hat'].id}").get_json()
    assert (hidden["collection"], hidden["folder"]) == (None, "")
    assert names(script, "collection=dusty+pack") == set()


def test_a_page_of_samples_asks_for_their_collections_once(script: ApiScript, pack: Collection) -> None:
    script.get("/api/samples")
    with counted_queries() as statements:
        assert len(script.get("/api/samples").get_json()["samples"]) == len(PACK) + 1
    assert sum("collections" in statement for statement in statements) == 1
