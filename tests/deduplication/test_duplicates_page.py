"""The pages of duplicates, and what can be done there."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.billing import quota
from app.deduplication import groups, routes
from app.extensions import db
from app.library import cleanups
from app.models import DuplicateCleanup, DuplicateGroup, Sample, User
from app.models.base import transaction, utcnow
from tests.deduplication.copies import add, encoded, grouped, melody, snare
from tests.deduplication.made_up import group_of, shelve_group
from tests.query_counter import counted_queries
from tests.support import Browser, row_names

HTMX = {"HX-Request": "true"}


@pytest.fixture
def ids(as_owner: Browser, owner: User) -> dict[str, str]:
    """Add an original with an MP3 and a second file of it, and another sound."""
    files = {
        "lossy": encoded(melody(), "a.mp3"),
        "original": encoded(melody(), "a.wav", "PCM_24"),
        "quiet": encoded(0.4 * melody(), "a.wav"),
        "other": encoded(snare(), "a.wav"),
    }
    made = {name: add(as_owner, f"{name}.wav", content) for name, content in files.items()}
    assert grouped(owner) == [["original", "lossy", "quiet"]]
    return made


@pytest.fixture
def group(ids: dict[str, str]) -> DuplicateGroup:
    return db.session.scalars(select(DuplicateGroup)).one()


def row_words(page: str) -> list[str]:
    found = re.findall(r'<span class="differs">(.*?)</span>', page, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub("<[^>]+>", "", words)).strip() for words in found]


def test_the_page_says_what_stays_and_how_the_others_differ(
    as_owner: Browser, ids: dict[str, str], group: DuplicateGroup
) -> None:
    page = as_owner.get("/duplicates").text
    assert row_words(page) == ["stays · lossless, 24-bit", "MP3", "16-bit, 8 dB quieter"]
    assert ids["other"] not in page
    sizes = [db.session.get_one(Sample, ids[name]).size_bytes for name in ("lossy", "quiet")]
    assert group.spare_bytes == sum(sizes)
    assert f"Free up {sum(sizes) / 1000:.1f} kB" in page
    assert "nothing in the trash" in page


def test_another_sample_can_be_kept(as_owner: Browser, ids: dict[str, str], group: DuplicateGroup) -> None:
    answer = as_owner.post(f"/duplicates/{group.id}/kept", HTMX, sample=ids["lossy"])
    assert answer.status_code == 200
    assert row_words(answer.text)[0] == "stays · chosen by you"
    assert row_words(answer.text)[1:] == ["WAV", "WAV, 8 dB quieter"]
    as_owner.post("/duplicates/cleanups", group=group.id)
    assert names(as_owner) == ["lossy", "other"]


def test_a_sample_that_is_no_duplicate_is_never_put_back(
    as_owner: Browser, owner: User, ids: dict[str, str], group: DuplicateGroup
) -> None:
    answer = as_owner.post(f"/duplicates/{group.id}/apart", HTMX, sample=ids["quiet"])
    assert row_words(answer.text) == ["stays · lossless", "MP3"]
    with transaction():
        vector = db.session.get_one(Sample, ids["quiet"]).vector
        assert vector is not None
        vector.compare_at = utcnow()
    assert grouped(owner) == [["original", "lossy"]]
    add(as_owner, "same as quiet.wav", encoded(0.4 * melody(), "a.wav"))
    assert grouped(owner) == [["original", "lossy"], ["quiet", "same as quiet"]]


def test_all_of_a_group_can_be_no_duplicates_and_that_can_be_undone(
    as_owner: Browser, owner: User, ids: dict[str, str], group: DuplicateGroup
) -> None:
    answer = as_owner.post(f"/duplicates/{group.id}/apart", HTMX, all="1")
    assert "be grouped together again" in answer.text
    assert grouped(owner) == []
    undo = re.findall(r'name="sample" value="(\w+)"', answer.text)
    assert sorted(undo) == sorted([ids["lossy"], ids["quiet"]])
    as_owner.post(f"/duplicates/{group.id}/together", sample=undo)
    assert grouped(owner) == [["original", "lossy", "quiet"]]
    assert db.session.scalars(select(DuplicateGroup)).one().told_apart is None


def test_the_rest_can_be_freed_in_place_and_brought_back(
    as_owner: Browser, owner: User, ids: dict[str, str], group: DuplicateGroup
) -> None:
    before = quota.plan_usage(owner).storage_bytes
    answer = as_owner.post("/duplicates/cleanups", HTMX, group=group.id)
    assert "2 samples" in answer.text
    assert "No duplicates found." in answer.text
    assert names(as_owner) == ["original", "other"]
    freed = sum(db.session.get_one(Sample, ids[name]).size_bytes for name in ("lossy", "quiet"))
    assert quota.plan_usage(owner).storage_bytes == before - freed
    page = as_owner.get("/duplicates").text
    assert "2 duplicates moved to the trash" in page
    (undo,) = set(re.findall(r'action="(/duplicates/cleanups/\w+/undo)"', page + answer.text))
    assert as_owner.post(undo).status_code == 303
    assert names(as_owner) == ["lossy", "original", "other", "quiet"]
    assert quota.plan_usage(owner).storage_bytes == before
    assert grouped(owner) == [["original", "lossy", "quiet"]]
    assert "moved to the trash" not in as_owner.get("/duplicates").text.partition("<details")[0]


def test_an_undo_that_is_too_late_for_a_sample_says_so(as_owner: Browser, owner: User) -> None:
    made = shelve_group(owner, "a", "b", "c")
    as_owner.post("/duplicates/cleanups", group=group_of(made[0]).id)
    cleanup = db.session.scalars(select(DuplicateCleanup)).one()
    with transaction() as session:
        session.delete(made[2])
    as_owner.post(f"/duplicates/cleanups/{cleanup.id}/undo")
    assert names(as_owner) == ["a", "b"]
    page = as_owner.get("/duplicates").text
    assert "1 of these samples had been removed for good." in page
    assert "/undo" not in page


def test_the_list_marks_duplicates_and_links_to_their_group(
    as_owner: Browser, ids: dict[str, str], group: DuplicateGroup
) -> None:
    page = as_owner.get("/samples").text
    assert page.count(f'href="/duplicates/{group.id}"') == 3
    assert row_words(as_owner.get(f"/duplicates/{group.id}").text)[0] == "stays · lossless, 24-bit"
    as_owner.post("/duplicates/cleanups", group=group.id)
    assert f"/duplicates/{group.id}" not in as_owner.get("/samples").text
    assert as_owner.get(f"/duplicates/{group.id}").status_code == 303


@pytest.mark.parametrize("action", ["kept", "apart"])
def test_a_group_is_read_after_its_account_is_locked(
    as_owner: Browser, owner: User, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request takes the sample out of its group while this one waits for the lock."""
    made = shelve_group(owner, "a", "b", "c")
    group_id, sample_id = group_of(made[0]).id, made[2].id
    lock = quota.lock_account

    def lock_late(user_id: str) -> bool:
        groups.tell_apart(group_of(made[2]), [sample_id])
        return lock(user_id)

    monkeypatch.setattr(quota, "lock_account", lock_late)
    answer = as_owner.post(f"/duplicates/{group_id}/{action}", sample=sample_id)
    assert answer.status_code == 404


def test_the_account_is_locked_before_samples_are_taken_back(as_owner: Browser, owner: User) -> None:
    made = shelve_group(owner, "a", "b", "c")
    group_id = group_of(made[0]).id
    as_owner.post(f"/duplicates/{group_id}/apart", sample=made[2].id)
    with counted_queries() as sent:
        as_owner.post(f"/duplicates/{group_id}/together", sample=made[2].id)
    lock = next(n for n, each in enumerate(sent) if each.startswith("SELECT users.id, users.closed_at"))
    group = next(n for n, each in enumerate(sent) if "FROM duplicate_groups" in each)
    assert lock < group


def test_not_duplicates_takes_apart_as_many_as_a_page_shows(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "MAX_SHOWN", 2)
    made = shelve_group(owner, *"abcdef")
    group = group_of(made[0])
    answer = as_owner.post(f"/duplicates/{group.id}/apart", HTMX, all="1").text
    assert "3 more are left: do it again for them." in answer
    assert (group.samples, answer.count('name="sample" value="') >= 2) == (4, True)
    for left in (2, 0):
        answer = as_owner.post(f"/duplicates/{group.id}/apart", HTMX, all="1").text
        assert group.samples == left
    assert "more are left" not in answer


def test_a_large_group_says_that_its_samples_are_being_moved(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanups, "SAMPLES_AT_ONCE", 2)
    made = shelve_group(owner, "a", "b", "c")
    answer = as_owner.post("/duplicates/cleanups", HTMX, group=group_of(made[0]).id).text
    assert "Moving these samples to the trash." in answer
    assert "Nothing was moved" not in answer


def test_only_samples_that_were_taken_out_of_a_group_come_back_into_it(
    as_owner: Browser, owner: User
) -> None:
    made, others = shelve_group(owner, "a", "b", "c"), shelve_group(owner, "x", "y")
    group = group_of(made[0])
    as_owner.post(f"/duplicates/{group.id}/together", sample=others[1].id)  # nothing was taken out yet
    assert group_of(others[1]).id == group_of(others[0]).id
    as_owner.post(f"/duplicates/{group.id}/apart", sample=[made[1].id, made[2].id])
    as_owner.post(f"/duplicates/{group.id}/together", sample=[others[1].id, made[1].id])
    assert group_of(others[1]).id == group_of(others[0]).id
    assert (group.samples, group.told_apart) == (2, group.id)
    as_owner.post(f"/duplicates/{group.id}/together", sample=made[2].id)
    assert (group.samples, group.told_apart) == (3, None)


def test_a_stranger_reaches_no_group(
    as_stranger: Browser, as_owner: Browser, ids: dict[str, str], group: DuplicateGroup
) -> None:
    as_owner.post("/duplicates/cleanups", group=group.id)
    cleanup = db.session.scalars(select(DuplicateCleanup)).one()
    assert as_stranger.get(f"/duplicates/{group.id}").status_code == 404
    paths = [f"{group.id}/{action}" for action in ("kept", "apart", "together")]
    for path in (*paths, f"cleanups/{cleanup.id}/undo"):
        assert as_stranger.post(f"/duplicates/{path}", sample=ids["lossy"]).status_code == 404
    assert as_stranger.post("/duplicates/cleanups", group=group.id).status_code == 404
    assert names(as_owner) == ["original", "other"]


def test_samples_of_other_groups_and_made_up_pages_are_refused(
    as_owner: Browser, ids: dict[str, str], group: DuplicateGroup
) -> None:
    for action in ("kept", "apart"):
        assert as_owner.post(f"/duplicates/{group.id}/{action}", sample=ids["other"]).status_code == 404
        assert as_owner.post(f"/duplicates/{group.id}/{action}").status_code == 400
    as_owner.post(f"/duplicates/{group.id}/together", sample=ids["other"])
    assert group.samples == 3
    for after in ("x", "1", f"-1-{group.id}", f"1-{group.id}x"):
        assert as_owner.get(f"/duplicates?after={after}").status_code == 400


def names(browser: Browser) -> list[str]:
    """Return the names in the library, in order."""
    return sorted(row_names(browser.get("/samples").text))
