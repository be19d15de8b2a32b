"""What an open list of a library learns: only what happened to that library, and only what is new."""

from __future__ import annotations

from datetime import timedelta

from app.extensions import db
from app.library import news, trash
from app.models import Sample, User
from app.models.base import transaction
from app.search.indexing import follow_changes
from app.search.sample_query import SampleQuery
from tests.search.test_text_conditions import shelve

MINUTE = timedelta(minutes=1)
BY_NAME = SampleQuery(sort="name")


def test_a_library_is_changed_by_its_own_samples_alone(owner: User, stranger: User) -> None:
    mine: dict[str, Sample] = {}
    for name in ("Old", "New"):
        mine |= shelve(owner, {name: {}})
        follow_changes(owner.id)
    shelve(stranger, {"Theirs": {}})
    follow_changes(stranger.id)
    shelve(stranger, {"Not indexed yet": {}})
    marks = [news.current_mark(user) for user in (owner, stranger)]
    assert marks[0].version != marks[1].version
    assert marks[0].latest == mine["New"].created_at < marks[1].latest
    assert news.is_unchanged(owner, marks[0].version)
    assert not news.is_unchanged(owner, marks[1].version)
    assert not news.is_unchanged(stranger, marks[1].version), "it has a change that is not indexed"
    follow_changes(stranger.id)
    assert news.is_unchanged(stranger, news.current_mark(stranger).version)
    trash.delete_sample(mine["New"])
    assert not news.is_unchanged(owner, marks[0].version)
    follow_changes(owner.id)
    assert news.current_mark(owner).latest == mine["Old"].created_at


def test_only_what_came_after_the_mark_is_new(owner: User) -> None:
    made = shelve(owner, {"Old": {}, "New": {}})
    with transaction():
        made["New"].created_at = made["Old"].created_at + MINUTE
    follow_changes(owner.id)
    db.session.refresh(made["Old"])
    since = made["Old"].created_at
    assert news.new_samples(owner, BY_NAME, since) == [made["New"].id]
    assert news.new_samples(owner, BY_NAME, since - MINUTE) == [made["New"].id, made["Old"].id]
    assert news.new_samples(owner, BY_NAME, since + MINUTE) == []
