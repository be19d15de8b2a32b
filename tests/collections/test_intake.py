"""An upload names a collection and a folder, and the sample that its job makes is kept there."""

from __future__ import annotations

from io import BytesIO

import pytest
from sqlalchemy import delete, select

from app.collections import collection_rows
from app.extensions import db
from app.jobs import run
from app.models import Collection, Job, Sample, User
from app.models.base import transaction
from app.models.sample_places import (
    MAX_DEPTH,
    MAX_FOLDER_PATH,
    SamplePlace,
    collection_name,
    folder_path,
    folders_above,
)
from tests.support import ApiScript, Browser, kick


def collections_of(user: User) -> dict[str, Collection]:
    return {each.name: each for each in db.session.scalars(select(Collection).filter_by(user_id=user.id))}


def test_files_of_a_form_are_kept_in_one_collection(as_owner: Browser, owner: User) -> None:
    audio = [(BytesIO(kick()), "a.wav"), (BytesIO(b"%PDF-1.7 x"), "b.wav"), (BytesIO(kick()), "c.wav")]
    assert (
        as_owner.post("/upload", audio=audio, collection="Dusty pack", folder="Drums\\Kicks/").status_code
        == 303
    )
    script = as_owner.upload(("d.wav", kick()), collection="DUSTY PACK", folder="Hats")
    assert script.status_code == 201
    [collection] = collections_of(owner).values()
    for _ in range(3):
        run.run_next()
    kept = db.session.scalars(select(Sample).order_by(Sample.id)).all()
    assert [(each.filename, each.collection_id, each.folder) for each in kept] == [
        ("a.wav", collection.id, "Drums/Kicks"),
        ("c.wav", collection.id, "Drums/Kicks"),
        ("d.wav", collection.id, "Hats"),
    ]


def test_a_script_names_the_place_and_a_repeated_request_must_name_the_same(
    script: ApiScript, owner: User
) -> None:
    place = {"collection": "Pack", "folder": "Loops"}
    first = script.upload("kick.wav", kick(), key="one", **place)
    assert first.status_code == 202
    assert script.upload("kick.wav", kick(), key="one", **place).get_json() == first.get_json()
    assert script.upload("kick.wav", kick(), key="one", collection="Other").status_code == 422
    run.run_next()
    sample = db.session.get_one(Sample, first.get_json()["job_id"])
    assert (sample.collection_id, sample.folder) == (collections_of(owner)["Pack"].id, "Loops")


def test_a_refused_file_makes_no_collection(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert as_owner.upload(("list.wav", b"%PDF-1.7"), collection="Pack").status_code == 422
    assert collections_of(owner) == {}
    monkeypatch.setattr(collection_rows, "MAX_COLLECTIONS", 1)
    assert as_owner.upload(("a.wav", kick()), collection="Pack").status_code == 201
    refused = as_owner.upload(("b.wav", kick()), collection="Second pack")
    assert (refused.status_code, "which is the most" in refused.get_json()["error"]) == (422, True)
    assert as_owner.upload(("b.wav", kick()), collection="pack").status_code == 201
    assert len(db.session.scalars(select(Job)).all()) == 2


def test_a_sample_whose_collection_is_gone_for_good_is_in_none(as_owner: Browser, owner: User) -> None:
    job_id = as_owner.upload(("a.wav", kick()), collection="Pack", folder="Drums").get_json()["job_id"]
    with transaction() as session:
        session.execute(delete(Collection))
    run.run_next()
    sample = db.session.get_one(Sample, job_id)
    assert (sample.collection_id, sample.folder) == (None, "")


def test_the_same_name_is_another_collection_for_another_user(
    as_owner: Browser, as_stranger: Browser, owner: User, stranger: User
) -> None:
    for browser in (as_owner, as_stranger):
        assert browser.upload(("a.wav", kick()), collection="Pack").status_code == 201
    assert collections_of(owner)["Pack"].id != collections_of(stranger)["Pack"].id


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("Drums/Kicks", "Drums/Kicks"),
        ("\\Drums\\\\Kicks\\", "Drums/Kicks"),
        ("../../etc/./passwd/", "etc/passwd"),
        ("  Drums \t/ \u200b /…/Ha\u0308user\u202e", "Drums/…/H\u00e4user"),
        (None, ""),
        ("/".join("abcdefghij"), "a/b/c/d/e/f/g/h"),
        ("x" * 300, "x" * 60),
        ("🥁 808/한글", "🥁 808/한글"),
    ],
)
def test_folder_paths_are_stored_in_one_form(raw: str | None, stored: str) -> None:
    assert folder_path(raw) == stored
    assert folder_path(stored) == stored


def test_places_are_bounded_and_a_folder_needs_a_collection() -> None:
    longest = folder_path("/".join(["y" * 60] * 20))
    assert (len(longest), len(folders_above(longest))) == (MAX_FOLDER_PATH, MAX_DEPTH)
    assert collection_name("z" * 500) == "z" * 100
    assert SamplePlace.from_texts(" \u200b", "Drums") == SamplePlace()
    assert folders_above("Drums/Kicks") == ["Drums", "Drums/Kicks"]
