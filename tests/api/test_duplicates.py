"""`GET /api/duplicates`."""

from __future__ import annotations

import pytest
from flask import Flask

from app.library import trash
from app.models import User
from tests.deduplication.made_up import group_of, shelve_group
from tests.support import ApiScript


def test_groups_come_with_what_stays_and_how_others_differ(script: ApiScript, owner: User) -> None:
    small = shelve_group(owner, "Kick", "Kick again", content_sha256="a" * 64)
    large = shelve_group(owner, "Pad", "Pad copy", "Pad third", size_bytes=5000)
    answer = script.get("/api/duplicates").get_json()
    assert (answer["total"], answer["spare_bytes"], answer["waiting"]) == (2, 11_000, 0)
    assert answer["next_after"] is None
    first, second = answer["groups"]
    assert (first["id"], first["samples"], first["spare_bytes"]) == (group_of(large[0]).id, 3, 10_000)
    assert (first["kept"]["name"], first["kept"]["reason"]) == ("Pad", "uploaded first")
    assert [each["name"] for each in first["others"]] == ["Pad copy", "Pad third"]
    assert not first["same_audio"]
    assert (second["kept"]["id"], second["same_audio"]) == (small[0].id, True)
    assert second["others"][0]["reason"] == "same audio"


def test_every_group_is_on_one_page(script: ApiScript, owner: User) -> None:
    made = [shelve_group(owner, f"a{n}", f"b{n}", size_bytes=100 + n // 2) for n in range(5)]
    seen, after = [], ""
    for _ in range(3):
        answer = script.get(f"/api/duplicates?limit=2{after}").get_json()
        seen += [group["id"] for group in answer["groups"]]
        after = f"&after={answer['next_after']}"
    assert answer["next_after"] is None
    assert sorted(seen) == sorted(group_of(each[0]).id for each in made)
    assert seen[0] == group_of(made[4][0]).id


def test_samples_in_the_trash_are_not_listed(script: ApiScript, owner: User) -> None:
    pair = shelve_group(owner, "a", "b")
    trash.delete_sample(pair[1])
    assert script.get("/api/duplicates").get_json()["groups"] == []


def test_a_stranger_sees_nothing_of_them(script: ApiScript, stranger: User) -> None:
    shelve_group(stranger, "a", "b")
    answer = script.get("/api/duplicates").get_json()
    assert (answer["groups"], answer["total"], answer["spare_bytes"]) == ([], 0, 0)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=51", "after=x", "after=0-01ARZ3NDEKTSV4RRFFQ69G5FAV", "after=1-", "kind=loop"]
)
def test_values_that_do_not_fit_are_named(script: ApiScript, query: str) -> None:
    answer = script.get(f"/api/duplicates?{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.get_json()["detail"]


def test_it_needs_the_permission_to_read_samples(app: Flask, owner: User) -> None:
    answer = ApiScript(app, owner, "jobs:read").get("/api/duplicates")
    assert answer.status_code == 403
