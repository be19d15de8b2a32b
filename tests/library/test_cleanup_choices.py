"""Which sample of a group stays when the others are freed."""

from __future__ import annotations

from app.deduplication import group_list, groups
from app.extensions import db
from app.library import cleanups, samples, trash
from app.models import Sample, User
from app.models.base import transaction
from tests.deduplication.made_up import group_of, shelve_group
from tests.library.test_cleanups import live_names


def test_the_sample_that_stays_is_never_the_one_in_the_trash(owner: User) -> None:
    kept, other = shelve_group(owner, "a", "b")
    group_id = group_of(kept).id
    trash.delete_sample(kept)
    cleanup = cleanups.free_groups(owner, [group_id])
    assert (cleanup.samples, live_names(owner)) == (0, ["b"])
    trash.restore_sample(db.session.get_one(Sample, kept.id))
    trash.delete_sample(other)
    assert live_names(owner) == ["a"]


def test_what_the_page_says_stays_is_what_stays(owner: User) -> None:
    made = shelve_group(owner, "a", "b")
    samples.edit_sample(made[1], liked=True)  # it would be the best now
    (shown,) = group_list.list_groups(owner).groups
    assert shown.kept.sample_id == made[0].id
    cleanups.free_groups(owner, [shown.id])
    assert live_names(owner) == ["a"]


def test_a_large_group_without_its_chosen_sample_names_the_one_that_stays(owner: User) -> None:
    made = shelve_group(owner, *(f"{n:02}" for n in range(15)))
    samples.edit_sample(made[14], liked=True)
    group = group_of(made[3])
    with transaction():
        groups.choose_kept(group, made[3].id)
    trash.delete_sample(made[3])
    assert (group.kept_id, group.is_chosen) == (made[14].id, False)
    (shown,) = group_list.list_groups(owner).groups
    assert (shown.kept.sample_id, shown.kept.words) == (made[14].id, "liked")
    cleanups.free_groups(owner, [group.id])
    assert live_names(owner) == ["14"]
