"""What becomes of a pad when its sample is deleted, restored, removed for good, merged or analysed again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from app.extensions import db
from app.jobs import reprocess, run
from app.kits import history, pad_edits
from app.kits.documents import kit_document
from app.kits.kit_rows import load_state
from app.library import cleanups, trash
from app.models import Kit, KitPad, Sample, User
from app.models.base import transaction, utcnow
from app.reprocessing.reprocess_purposes import ANALYSE
from tests.deduplication.made_up import group_of, shelve_group
from tests.kits.stock import held_ids, kit_of, some_samples
from tests.support import Browser, drum_loop, finished_job


def purge(sample: Sample) -> None:
    with transaction():
        sample.deleted_at = utcnow() - trash.UNDO_PERIOD - timedelta(seconds=1)
    trash.purge_deleted()


@pytest.fixture
def sample(owner: User) -> Sample:
    return some_samples(owner, 1)[0]


@pytest.fixture
def kit(owner: User, sample: Sample) -> Kit:
    kit = kit_of(owner, B3=sample)
    history.change_kit(kit, "Set", pad_edits.change_settings("B3", {"level": 100}))
    return kit


def test_a_deleted_sample_leaves_a_gap_that_its_undo_fills(kit: Kit, sample: Sample) -> None:
    before, revision = load_state(kit), kit.revision
    trash.delete_sample(sample)
    reference = kit_document(kit).pads["B3"].sample
    assert reference is not None
    assert (reference.id, reference.name) == (None, "Sound 1")
    db.session.refresh(sample)
    trash.restore_sample(sample)
    assert (load_state(kit), kit.revision) == (before, revision)
    reference = kit_document(kit).pads["B3"].sample
    assert reference is not None
    assert reference.id == sample.id


def test_a_sample_that_is_gone_for_good_leaves_its_place_name_and_settings(kit: Kit, sample: Sample) -> None:
    purge(sample)
    pad = load_state(kit).pad("B3")
    assert (pad.sample_id, pad.sample_name, pad.holds_a_sound, pad.settings.level) == (
        None, "Sound 1", True, 100,
    )  # fmt: skip


def test_a_purge_by_sql_alone_leaves_the_same_gap(kit: Kit, sample: Sample) -> None:
    with transaction() as session:
        session.execute(delete(Sample).where(Sample.id == sample.id))
    assert held_ids(kit) == {"B3": None}


def test_undo_brings_no_sample_back_that_is_gone_for_good(kit: Kit, sample: Sample) -> None:
    history.change_kit(kit, "Clear", pad_edits.clear(["B3"]))
    purge(sample)
    assert history.undo_change(kit) == "Clear"
    assert held_ids(kit) == {"B3": None}
    assert load_state(kit).pad("B3").settings.level == 100


def test_analysing_a_sample_again_keeps_its_pads_as_they_are(owner: User, as_owner: Browser) -> None:
    job = finished_job(as_owner, "Break.wav", drum_loop(93))
    sample = db.session.get_one(Sample, job.sample_id)
    kit = kit_of(owner, A1=sample)
    before, revision = load_state(kit), kit.revision
    assert before.pad("A1").settings.bpm == 93.0
    with transaction():
        sample.features.engine_version = "0"
        sample.bpm = 186.0
    again = reprocess.queue_job(owner, sample.id, ANALYSE)
    run.run_next()
    db.session.refresh(again)
    db.session.refresh(sample)
    assert (again.state, sample.bpm) == ("completed", 93.0)
    assert (load_state(kit), kit.revision) == (before, revision)


def test_a_deleted_kit_takes_its_rows_with_it_and_no_sample(kit: Kit, sample: Sample) -> None:
    with transaction() as session:
        session.execute(delete(Kit).where(Kit.id == kit.id))
    assert db.session.scalars(select(KitPad)).all() == []
    assert db.session.get(Sample, sample.id) is not None


class TestDuplicates:
    def test_freed_duplicates_hand_their_pads_to_the_kept_sample(self, owner: User) -> None:
        kept, *others = shelve_group(owner, "One", "Two", "Three")
        kit = kit_of(owner, A1=others[0], A2=others[1], A3=kept)
        group = group_of(kept)
        with transaction():
            group.kept_id, group.is_chosen = kept.id, True
        cleanups.free_groups(owner, [group.id])
        db.session.expire_all()
        assert held_ids(kit) == {"A1": kept.id, "A2": kept.id, "A3": kept.id}

    def test_undo_in_a_kit_brings_no_freed_duplicate_back(self, owner: User) -> None:
        kept, freed = shelve_group(owner, "One", "Two")
        kit = kit_of(owner, A1=freed)
        history.change_kit(kit, "Clear", pad_edits.clear(["A1"]))
        group = group_of(kept)
        with transaction():
            group.kept_id, group.is_chosen = kept.id, True
        cleanups.free_groups(owner, [group.id])
        db.session.expire_all()
        assert history.undo_change(kit) == "Clear"
        assert held_ids(kit) == {"A1": kept.id}

    def test_redo_in_a_kit_places_the_sample_that_was_kept(self, owner: User) -> None:
        kept, freed = shelve_group(owner, "One", "Two")
        kit = kit_of(owner, A1=freed)
        assert history.undo_change(kit) == "Place on A1"
        group = group_of(kept)
        with transaction():
            group.kept_id, group.is_chosen = kept.id, True
        cleanups.free_groups(owner, [group.id])
        db.session.expire_all()
        assert held_ids(kit) == {}
        assert history.redo_change(kit) == "Place on A1"
        assert held_ids(kit) == {"A1": kept.id}

    def test_a_strangers_kit_stays_as_it_is(self, owner: User, stranger: User) -> None:
        kept, freed = shelve_group(owner, "One", "Two")
        theirs = some_samples(stranger, 1)[0]
        kit = kit_of(stranger, A1=theirs)
        cleanups.free_groups(owner, [group_of(kept).id])
        db.session.expire_all()
        assert held_ids(kit) == {"A1": theirs.id}
        assert freed.deleted_at is not None or kept.deleted_at is not None
