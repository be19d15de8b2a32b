"""Many samples at once: like, tag, set, delete with undo, and only one's own."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from sqlalchemy import select

from app.billing import quota
from app.extensions import db
from app.library import bulk_edits, bulk_selection
from app.models import Sample, User
from app.models.sample import MAX_TAGS
from app.search.listed_samples import load_listed
from tests.search.test_text_conditions import shelve
from tests.support import Browser

Shelf = Mapping[str, Sample]


@pytest.fixture
def shelf(owner: User) -> Shelf:
    """Return four samples: a loop with a tempo, a one-shot, a texture, and one that is never selected."""
    kinds = {"Break": "loop", "Kick": "one-shot", "Rain": "texture", "Other": "loop"}
    made = shelve(owner, {name: {} for name in kinds})
    for name, kind in kinds.items():
        bulk_edits.correct_samples(
            owner, [made[name].id], {"kind": kind, "sound": None, "key": None, "bpm": None}
        )
    bulk_edits.correct_samples(owner, [made["Break"].id], {"bpm": 90.0})
    return made


def chosen(shelf: Shelf, *names: str) -> list[str]:
    return [shelf[name].id for name in names]


def fresh(sample: Sample) -> Sample:
    db.session.expire_all()
    return db.session.get_one(Sample, sample.id)


def post(browser: Browser, action: str, ids: list[str], **fields: str) -> str:
    """Send the bar's form and return the page it leads to."""
    answer = browser.post(f"/selected/{action}", sample=ids, **fields)
    return browser.get(answer.location).text


def test_likes_are_given_and_taken(as_owner: Browser, shelf: Shelf) -> None:
    assert "2 samples liked." in post(as_owner, "like", chosen(shelf, "Kick", "Rain"), **{"set-liked": "1"})
    assert [fresh(shelf[name]).liked for name in ("Kick", "Rain", "Other")] == [True, True, False]
    post(as_owner, "like", chosen(shelf, "Kick"), **{"set-liked": "0"})
    assert not fresh(shelf["Kick"]).liked


def test_tags_are_added_and_removed(as_owner: Browser, shelf: Shelf) -> None:
    post(as_owner, "tags", chosen(shelf, "Kick", "Rain"), **{"set-add": "Dusty, intro"})
    post(as_owner, "tags", chosen(shelf, "Kick"), **{"set-add": "lo fi", "set-remove": "intro"})
    assert fresh(shelf["Kick"]).tag_names == ["dusty", "lo-fi"]
    assert fresh(shelf["Rain"]).tag_names == ["dusty", "intro"]
    assert fresh(shelf["Other"]).tag_names == []
    assert "Enter a tag" in post(as_owner, "tags", chosen(shelf, "Kick"))


def test_what_is_in_the_trash_is_not_changed(owner: User, shelf: Shelf) -> None:
    ids = chosen(shelf, "Kick")
    bulk_edits.delete_samples(owner, ids)
    assert bulk_edits.like_samples(owner, ids, True) == 0
    assert bulk_edits.tag_samples(owner, ids, add=["dusty"]).changed == 0
    assert (fresh(shelf["Kick"]).liked, fresh(shelf["Kick"]).tag_names) == (False, [])


def test_a_sample_that_would_have_too_many_tags_stays_as_it_is(as_owner: Browser, shelf: Shelf) -> None:
    most = ",".join(f"t{number:02}" for number in range(MAX_TAGS))
    post(as_owner, "tags", chosen(shelf, "Kick"), **{"set-add": most})
    page = post(as_owner, "tags", chosen(shelf, "Kick", "Rain"), **{"set-add": "more"})
    assert "1 sample changed." in page
    assert f"1 sample was not changed: a sample has at most {MAX_TAGS} tags." in page
    assert len(fresh(shelf["Kick"]).tag_names) == MAX_TAGS


def test_values_are_set_where_the_kind_can_have_them(as_owner: Browser, shelf: Shelf) -> None:
    ids = chosen(shelf, "Break", "Kick", "Rain")
    page = post(as_owner, "values", ids, **{"set-bpm": "93.5", "set-key": "A minor"})
    assert "2 samples changed." in page
    assert "1 sample was not changed: A texture has no tempo." in page
    assert [
        (fresh(shelf[name]).bpm, fresh(shelf[name]).key) for name in ("Break", "Kick", "Rain", "Other")
    ] == [
        (93.5, "A minor"),
        (93.5, "A minor"),
        (None, None),
        (None, None),
    ]
    post(as_owner, "values", chosen(shelf, "Break"), **{"set-key": "none"})
    assert fresh(shelf["Break"]).key is None
    assert "Choose what to set" in post(as_owner, "values", ids)
    assert "20 to 400" in post(as_owner, "values", ids, **{"set-bpm": "19.9"})


def test_tempi_are_halved_and_doubled_within_their_range(as_owner: Browser, shelf: Shelf) -> None:
    ids = chosen(shelf, "Break", "Kick")
    assert "1 sample was not changed: no tempo." in post(as_owner, "tempo", ids, **{"set-doubled": "1"})
    assert fresh(shelf["Break"]).bpm == 180
    for _ in range(3):
        post(as_owner, "tempo", ids)
    assert fresh(shelf["Break"]).bpm == 22.5
    assert "the tempo would be outside 20 to 400 BPM." in post(as_owner, "tempo", ids)
    assert fresh(shelf["Break"]).bpm == 22.5


def test_a_deletion_of_several_is_undone_as_a_whole(as_owner: Browser, owner: User, shelf: Shelf) -> None:
    before = quota.plan_usage(owner).storage_bytes
    page = post(as_owner, "delete", chosen(shelf, "Break", "Kick"))
    assert "2 samples deleted." in page
    assert sorted(each.name for each in load_listed(owner, [each.id for each in shelf.values()])) == [
        "Other",
        "Rain",
    ]
    assert quota.plan_usage(owner).storage_bytes < before
    undo = re.search(r'action="(/selected/restore/[^"]+)"', page)
    assert undo
    assert "2 samples restored." in post(as_owner, undo[1].removeprefix("/selected/"), [])
    assert len(load_listed(owner, [each.id for each in shelf.values()])) == 4
    assert quota.plan_usage(owner).storage_bytes == before
    assert "nothing left to restore" in post(as_owner, undo[1].removeprefix("/selected/"), [])


@pytest.mark.parametrize(
    "at", ["yesterday", "2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00", "0001-01-01T00:00:00+23:59"]
)
def test_a_time_without_a_deletion_brings_nothing_back(as_owner: Browser, shelf: Shelf, at: str) -> None:
    assert "nothing left to restore" in post(as_owner, f"restore/{at}", [])


def test_more_than_one_transaction_takes_are_all_changed(
    as_owner: Browser, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_edits, "AT_ONCE", 2)
    page = post(as_owner, "tags", chosen(shelf, "Break", "Kick", "Rain"), **{"set-add": "dusty"})
    assert "3 samples changed." in page
    assert [fresh(shelf[name]).tag_names for name in ("Break", "Kick", "Rain")] == [["dusty"]] * 3


def test_all_that_match_are_those_of_the_search(as_owner: Browser, shelf: Shelf) -> None:
    answer = as_owner.post("/selected/like", all="1", kind="loop", **{"set-liked": "1"})
    assert answer.location == "/samples?kind=loop"
    assert "2 samples liked." in as_owner.get(answer.location).text
    assert {each.name for each in db.session.scalars(select(Sample).where(Sample.liked))} == {
        "Break",
        "Other",
    }


def test_nothing_selected_is_said(as_owner: Browser, shelf: Shelf) -> None:
    assert "Select some samples first" in post(as_owner, "delete", [])


def test_a_stranger_changes_nothing(as_stranger: Browser, shelf: Shelf) -> None:
    ids = chosen(shelf, "Break", "Kick")
    post(as_stranger, "like", ids, **{"set-liked": "1"})
    post(as_stranger, "tags", ids, **{"set-add": "mine"})
    post(as_stranger, "values", ids, **{"set-bpm": "120"})
    post(as_stranger, "delete", ids)
    sample = fresh(shelf["Break"])
    assert (sample.liked, sample.tag_names, sample.bpm, sample.deleted_at) == (False, [], 90, None)


def test_only_the_first_of_too_many_are_changed_and_no_tempo_is_scaled_twice(
    as_owner: Browser, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_selection, "MAX_SELECTED", 2)
    page = post(as_owner, "like", chosen(shelf, "Break", "Kick", "Rain"), **{"set-liked": "1"})
    assert "2 samples liked." in page
    assert "Narrow the search to reach the others." in page
    assert "Narrow the search." in post(as_owner, "tempo", chosen(shelf, "Break", "Kick", "Rain"))
    assert fresh(shelf["Break"]).bpm == 90
