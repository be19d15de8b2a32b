"""The search index follows every change of a sample, whoever makes it, and can be made again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update

from app.extensions import db
from app.library import samples, trash
from app.models import LibraryCount, LibraryTag, Sample, SampleChange, SearchRow, User
from app.models.base import new_id, transaction, utcnow
from app.search import indexing, sample_search
from app.search.sample_query import SampleQuery
from tests.search.test_text_conditions import shelve

TWO: dict[str, dict[str, Any]] = {"Dusty kick": {}, "Warm pad": {"tags": ["soft"]}}


def found(owner: User, **query: Any) -> set[str]:
    return {sample.name for sample in sample_search.find_samples(owner, SampleQuery(**query), "").samples}


def counted(owner: User) -> Counter[tuple[Any, ...]]:
    """Return the counts of a library as they are stored."""
    columns = LibraryCount.kind, LibraryCount.sound, LibraryCount.key, LibraryCount.liked
    rows = db.session.execute(select(*columns, LibraryCount.samples).where(LibraryCount.user_id == owner.id))
    cells = Counter({tuple(cell): count for *cell, count in rows})
    tags = db.session.execute(
        select(LibraryTag.name, LibraryTag.samples).where(LibraryTag.user_id == owner.id)
    )
    return +(cells + Counter({("tag", name): count for name, count in tags}))


def recounted(owner: User) -> Counter[tuple[Any, ...]]:
    """Count the library by its samples."""
    live = select(Sample).where(Sample.user_id == owner.id, Sample.deleted_at.is_(None))
    cells: Counter[tuple[Any, ...]] = Counter()
    for sample in db.session.scalars(live):
        cells[sample.kind, sample.sound or "", sample.key or "", sample.liked] += 1
        cells.update(("tag", name) for name in sample.tag_names)
    return cells


def is_in_step(owner: User) -> bool:
    indexing.follow_changes(owner.id)
    return counted(owner) == recounted(owner)


def test_every_change_is_found_by_the_next_search(owner: User) -> None:
    shelf = shelve(owner, TWO)
    kick = shelf["Dusty kick"]
    assert found(owner, q="kick") == {"Dusty kick"}
    assert is_in_step(owner)
    samples.edit_sample(kick, name="Boom", tags="trap, dusty")
    assert found(owner, q="boom") == found(owner, tag="trap") == {"Boom"}
    samples.edit_sample(
        kick, tags="dusty", corrections={"key": "C minor", "kind": "one-shot", "sound": "kick"}
    )
    assert found(owner, tag="trap") == set()
    assert (
        found(owner, key="C minor") == found(owner, sound="kick") == found(owner, kind="one-shot") == {"Boom"}
    )
    samples.toggle_like(kick)
    assert found(owner, liked=True) == {"Boom"}
    assert is_in_step(owner)
    trash.delete_sample(kick)
    assert found(owner) == {"Warm pad"}
    assert is_in_step(owner)
    trash.restore_sample(kick)
    assert found(owner, q="boom", liked=True) == {"Boom"}
    assert is_in_step(owner)


def test_a_sample_that_is_deleted_for_good_leaves_no_row(owner: User) -> None:
    shelf = shelve(owner, TWO)
    assert is_in_step(owner)
    with transaction() as session:
        session.execute(delete(Sample).where(Sample.id == shelf["Warm pad"].id))
    assert is_in_step(owner)
    assert len(db.session.scalars(select(SearchRow)).all()) == 1
    assert db.session.scalar(text("SELECT count(*) FROM search_index")) == 1


def test_what_others_write_into_the_tables_is_followed(owner: User) -> None:
    """Such as a process of the previous version, which knows nothing of the index."""
    shelf = shelve(owner, TWO)
    assert found(owner, q="pad") == {"Warm pad"}
    pad = shelf["Warm pad"]
    with transaction() as session:
        session.execute(update(Sample).where(Sample.id == pad.id).values(folded_text="cold pad", bpm=77.0))
    assert found(owner, q="cold") == found(owner, bpm_min=77.0, bpm_max=77.0) == {"Warm pad"}
    with transaction() as session:
        session.execute(text("INSERT INTO sample_tags (sample_id, name) VALUES (:id, 'new')"), {"id": pad.id})
    assert found(owner, tag="new") == {"Warm pad"}
    with transaction() as session:
        session.execute(text("DELETE FROM sample_tags WHERE name = 'new'"))
    assert found(owner, tag="new") == set()
    with transaction() as session:
        session.execute(
            text("UPDATE audio_features SET brightness = 99 WHERE sample_id = :id"), {"id": pad.id}
        )
    indexing.follow_changes(owner.id)
    assert db.session.scalar(select(SearchRow.brightness).where(SearchRow.sample_id == pad.id)) == 99


def test_a_change_of_what_is_not_searched_is_not_noted(owner: User) -> None:
    shelf = shelve(owner, TWO)
    indexing.follow_changes(owner.id)
    with transaction() as session:
        session.execute(update(Sample).where(Sample.id == shelf["Warm pad"].id).values(pad_name="PAD"))
    assert not indexing.has_changes(owner.id)


def test_a_search_follows_only_so_many_changes_and_a_chore_the_rest(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "BATCH_SIZE", 4)
    shelve(owner, {f"Sound {number}": {} for number in range(9)})
    shelve(stranger, TWO)
    assert indexing.follow_changes(owner.id, at_most=4) > 0
    followed = db.session.scalars(select(SearchRow.user_id)).all()
    assert 0 < len(followed) < 9
    assert set(followed) == {owner.id}
    indexing.follow_all_changes()
    assert db.session.scalar(select(SampleChange.number).limit(1)) is None
    assert is_in_step(owner)
    assert is_in_step(stranger)
    assert len(found(owner)) == 9
    assert found(stranger) == set(TWO)


def test_changes_of_a_library_whose_account_is_gone_are_forgotten(app: Flask) -> None:
    with transaction() as session:
        session.add(SampleChange(user_id=new_id(), sample_id=new_id()))
    indexing.follow_all_changes()
    assert db.session.scalars(select(SampleChange)).all() == []


def test_a_sample_that_cannot_be_read_does_not_keep_the_others_waiting(
    owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = shelve(owner, TWO)
    broken = shelf["Dusty kick"].id
    with transaction() as session:
        session.execute(update(Sample).where(Sample.id == broken).values(described={"genres": [{"no": 1}]}))
    assert found(owner) == {"Warm pad"}
    assert broken in caplog.text
    with transaction() as session:
        session.execute(update(Sample).where(Sample.id == broken).values(described={}))
    assert found(owner) == set(TWO)


def test_the_index_can_be_made_again_while_it_is_used(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "BATCH_SIZE", 2)
    shelf = shelve(owner, {f"Sound {number}": {"tags": ["a"]} for number in range(5)})
    samples.edit_sample(shelf["Sound 0"], tags="one, two")
    assert is_in_step(owner)
    columns = SearchRow.__table__.c
    row = dict(db.session.execute(select(*columns).limit(1)).mappings().one())
    with transaction() as session:
        session.execute(delete(SearchRow).where(SearchRow.sample_id == shelf["Sound 1"].id))
        session.execute(update(SearchRow).values(name="wrong", words=" wrong "))
        session.execute(update(LibraryCount).values(samples=77))
        session.execute(insert(LibraryTag).values(user_id=owner.id, name="ghost", samples=3))
        session.execute(
            insert(SearchRow).values(row | {"number": 999, "sample_id": new_id(), "created_at": utcnow()})
        )
    steps = []
    for done in indexing.rebuild(owner.id):
        steps.append(done)
        samples.edit_sample(shelf["Sound 0"], name=f"Renamed {done}")  # also of a batch that is done
    assert steps == [2, 4, 5]
    assert found(owner, q="renamed") == {"Renamed 5"}
    assert found(owner, sort="name") == {"Renamed 5", *(f"Sound {number}" for number in range(1, 5))}
    assert is_in_step(owner)
    assert len(db.session.scalars(select(SearchRow)).all()) == 5


def test_an_index_that_is_complete_needs_no_changes_followed(owner: User) -> None:
    shelve(owner, TWO)
    assert list(indexing.rebuild(owner.id)) == [2]
    assert not indexing.has_changes(owner.id)
    assert found(owner) == set(TWO)
