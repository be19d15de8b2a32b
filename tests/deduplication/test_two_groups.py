"""Changing one group of duplicates leaves the others alone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from app.deduplication import copies, group_list, groups
from app.deduplication.comparison import LEASE, compare_due_samples
from app.deduplication.grouping import Comparison
from app.extensions import db
from app.library import trash
from app.models import DuplicateGroup, DuplicateMember, Sample, SampleVector, Tag, User
from app.models.base import transaction, utcnow
from tests.deduplication.made_up import group_of, shelve_group
from tests.search.vectors import shelve_vectors, vector


def members(sample: Sample) -> list[str]:
    """Return the names in the group of a sample."""
    ids = groups.member_ids(group_of(sample).id)
    return list(db.session.scalars(select(Sample.name).where(Sample.id.in_(ids)).order_by(Sample.name)))


def due_times() -> dict[str, datetime | None]:
    rows = select(Sample.name, SampleVector.compare_at).join(SampleVector)
    return dict(db.session.execute(rows).all())


def test_an_anchor_that_is_in_another_group_is_replaced_by_the_oldest_member(owner: User) -> None:
    a, b = shelve_group(owner, "a", "b")
    c, d, e = shelve_group(owner, "c", "d", "e")
    first = group_of(a)
    with transaction() as session:
        session.execute(
            update(DuplicateMember).where(DuplicateMember.sample_id == c.id).values(group_id=first.id)
        )
    anchors = {each: state.anchor_id for each, state in groups.read_states([a.id, b.id, d.id, e.id]).items()}
    assert anchors == {a.id: a.id, b.id: a.id, d.id: d.id, e.id: d.id}


def test_only_the_groups_that_are_joined_become_one(owner: User) -> None:
    e, f = shelve_group(owner, "e", "f")
    a, _ = shelve_group(owner, "a", "b")
    c, d = shelve_group(owner, "c", "d")
    with transaction():
        groups.choose_kept(group_of(f), f.id)
        groups.choose_kept(group_of(d), d.id)
        groups.join_group(owner.id, a.id, [], [group_of(a).id, group_of(c).id])
    assert (members(c), members(e)) == (["a", "b", "c", "d"], ["e", "f"])
    joined, other = group_of(a), group_of(e)
    assert (joined.samples, joined.kept_id, joined.is_chosen) == (4, d.id, True), "as its user chose"
    assert (other.samples, other.kept_id, other.is_chosen) == (2, f.id, True)


def test_what_is_taken_back_comes_alone_and_the_group_is_whole_when_the_last_has_come(owner: User) -> None:
    a, b, c = shelve_group(owner, "a", "b", "c")
    d, e = shelve_group(owner, "d", "e")
    with transaction():
        groups.tell_apart(group_of(a), [b.id, c.id])
        groups.tell_apart(group_of(d), [e.id])
    assert [members(each) for each in (a, b, c, d, e)] == [["a"], ["b"], ["c"], ["d"], ["e"]]
    with transaction():
        groups.take_back(group_of(a), [b.id, e.id])
    assert [members(each) for each in (a, c, d, e)] == [["a", "b"], ["c"], ["d"], ["e"]]
    assert group_of(a).told_apart is not None
    with transaction():
        groups.take_back(group_of(a), [c.id])
    assert members(a) == ["a", "b", "c"]
    assert group_of(a).told_apart is None, "it may be joined again"
    assert group_of(e).told_apart == group_of(d).id


def test_a_group_stays_while_its_samples_are_in_the_trash(owner: User) -> None:
    a, b = shelve_group(owner, "a", "b")
    c, d = shelve_group(owner, "c", "d")
    for sample in (a, b, c, d):
        trash.delete_sample(sample)
    with transaction() as session:
        session.execute(delete(DuplicateMember).where(DuplicateMember.sample_id.in_([c.id, d.id])))
    groups.remove_empty_groups()
    assert db.session.scalars(select(DuplicateGroup.id)).all() == [group_of(a).id]
    assert members(a) == ["a", "b"]
    assert groups.live_members(group_of(a).id) == []


def test_copies_are_those_of_their_group_that_are_there(owner: User) -> None:
    a, b, c, d = shelve_group(owner, "a", "b", "c", "d")
    e, _ = shelve_group(owner, "e", "f")
    with transaction():
        groups.choose_kept(group_of(a), d.id)
        e.tags = [Tag(name="dusty")]
    trash.delete_sample(a)
    group_id = group_of(d).id
    for most, expected in ((None, [b, c, d]), (3, [b, c, d]), (2, [b, d])):
        loaded = copies.load_copies([group_id], most)
        assert list(loaded) == [group_id]
        assert [each.sample_id for each in loaded[group_id]] == [each.id for each in expected]
        assert not any(each.is_tagged for each in loaded[group_id])
    assert groups.live_members(group_id) == [b.id, c.id, d.id]
    assert [each.is_tagged for each in copies.load_copies([group_of(e).id])[group_of(e).id]] == [True, False]


def test_the_totals_are_of_ones_own_groups_with_something_to_free(owner: User, stranger: User) -> None:
    shelve_group(owner, "a", "b", size_bytes=500)
    (c, _) = shelve_group(owner, "c", "d")
    shelve_group(stranger, "e", "f")
    shelve_vectors(stranger, {"due": vector()})
    trash.delete_sample(c)
    assert group_list.count_groups(owner) == group_list.Totals(groups=1, spare_bytes=500, waiting=0)
    page = group_list.list_groups(owner, limit=1)
    assert ([group.samples for group in page.groups], page.next_after) == ([2], None)
    shelve_group(owner, "g", "h", "i", size_bytes=400)
    first = group_list.list_groups(owner, limit=1)
    second = group_list.list_groups(owner, first.next_after, limit=1)
    assert [[group.samples for group in each.groups] for each in (first, second)] == [[3], [2]]
    assert second.next_after is None


def test_a_run_takes_what_is_due_of_one_library_at_a_time(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelve_vectors(owner, dict.fromkeys(("a", "b", "later"), vector()))
    shelve_vectors(stranger, {"other": vector()})
    names = dict(db.session.execute(select(Sample.id, Sample.name)).all())
    later, soon = utcnow() + timedelta(hours=1), utcnow() + LEASE / 2
    set_due("later", later)
    seen: dict[str, dict[str, datetime | None]] = {}

    def watch(self: Comparison) -> bool:
        seen[names[self.sample_id]] = due_times()
        if names[self.sample_id] == "a":
            set_due("a", later)
        return True

    monkeypatch.setattr(Comparison, "run", watch)
    compare_due_samples()
    assert set(seen) == {"a", "b", "other"}
    for name, times in seen.items():
        own = times[name]
        assert own is not None, "it is due again if this worker dies now"
        assert own > soon
        library = {"other"} if name == "other" else {"a", "b"}
        for each in {"a", "b", "other"} - library:
            due = times[each]
            assert due is None or due < soon or due == later, "it is in another library"
    assert due_times() == {"a": later, "b": None, "later": later, "other": None}


def set_due(name: str, at: datetime) -> None:
    one = select(Sample.id).where(Sample.name == name).scalar_subquery()
    with transaction() as session:
        session.execute(update(SampleVector).where(SampleVector.sample_id == one).values(compare_at=at))


def test_only_the_same_audio_of_the_same_library_is_joined_unheard(owner: User, stranger: User) -> None:
    made = shelve_vectors(owner, dict.fromkeys("abc", vector()))
    made |= shelve_vectors(stranger, {"d": vector()})
    with transaction():
        for name, audio in {"a": "1", "b": "2", "c": "2", "d": "2"}.items():
            kept = made[name].vector
            assert kept is not None
            kept.audio_sha256 = audio * 64
    Comparison(owner.id, made["b"].id, [], lambda *_: False).run()
    assert members(made["b"]) == ["b", "c"]
    assert set(groups.read_states([each.id for each in made.values()])) == {made["b"].id, made["c"].id}
