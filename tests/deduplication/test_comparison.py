"""How new samples are compared: bounded, again after a failure, and without chains of different sounds."""

from __future__ import annotations

from datetime import datetime
from types import ModuleType

import pytest
from sqlalchemy import select, update

import tasks
from app.deduplication import candidates, comparison, grouping, groups, sounds
from app.deduplication.comparison import compare_due_samples
from app.deduplication.grouping import Comparison
from app.extensions import db
from app.integrations.storage import DiskStore, ObjectMissingError, StorageError
from app.models import Job, Sample, SampleVector, User
from app.models.base import transaction, utcnow
from tests.deduplication.copies import add, encoded, grouped, melody, snare
from tests.deduplication.made_up import group_of, shelve_group
from tests.search.vectors import shelve_vectors, vector
from tests.support import Browser, uploaded_job

Pairs = set[frozenset[str]]


class Ear:
    """Stands for the comparison of two sounds: it knows which pairs are the same, and counts."""

    def __init__(self, made: dict[str, Sample], *pairs: str) -> None:
        self.keys = {sample.sp404_key: name for name, sample in made.items()}
        self.same: Pairs = {frozenset(pair) for pair in pairs}
        self.asked: list[str] = []

    def __call__(self, first_key: str, second_key: str) -> bool:
        names = frozenset([self.keys[first_key], self.keys[second_key]])
        self.asked.append("".join(sorted(names)))
        return names in self.same


def compare(owner: User, made: dict[str, Sample], order: str, ear: Ear) -> list[list[str]]:
    """Compare samples one after another with those before them, and return the groups."""
    for place, name in enumerate(order):
        near = [made[each].id for each in order[:place]]
        assert Comparison(owner.id, made[name].id, near, ear).run()
    found: dict[str, list[str]] = {}
    names = {sample.id: name for name, sample in made.items()}
    for sample_id, state in groups.read_states(list(names)).items():
        found.setdefault(state.group_id, []).append(names[sample_id])
    return sorted(sorted(each) for each in found.values())


def test_a_chain_of_near_sounds_does_not_become_one_group(owner: User) -> None:
    made = shelve_vectors(owner, dict.fromkeys("abcd", vector()))
    ear = Ear(made, "ab", "bc", "cd")
    assert compare(owner, made, "abcd", ear) == [["a", "b"], ["c", "d"]]


def test_a_third_sample_brings_two_groups_together_if_it_is_the_same_as_all(owner: User) -> None:
    made = shelve_vectors(owner, dict.fromkeys("abcdx", vector()))
    ear = Ear(made, "ab", "cd", "xa", "xb", "xc", "xd")
    assert compare(owner, made, "abcdx", ear) == [["a", "b", "c", "d", "x"]]


def test_a_third_sample_joins_only_one_of_two_groups_that_differ(owner: User) -> None:
    made = shelve_vectors(owner, dict.fromkeys("abcdx", vector()))
    ear = Ear(made, "ab", "cd", "xa", "xb", "xc")
    assert compare(owner, made, "abcdx", ear) == [["a", "b", "x"], ["c", "d"]]


def test_one_sample_is_compared_with_twelve_others_at_most(owner: User) -> None:
    names = "abcdefghijklmnopqrst"
    made = shelve_vectors(owner, dict.fromkeys(names, vector()))
    ear = Ear(made)
    assert Comparison(owner.id, made["t"].id, [made[each].id for each in names[:-1]], ear).run()
    assert len(ear.asked) == grouping.MAX_CONFIRMATIONS


def test_of_a_group_only_the_anchor_is_compared(owner: User) -> None:
    made = shelve_group(owner, *"abcdefgh")
    new = shelve_vectors(owner, {"x": vector()})["x"]
    ear = Ear({sample.name: sample for sample in (*made, new)})
    assert Comparison(owner.id, new.id, [sample.id for sample in reversed(made)], ear).run()
    assert ear.asked == ["ax"]


def test_a_group_that_changes_meanwhile_is_looked_at_again(owner: User) -> None:
    made = shelve_vectors(owner, dict.fromkeys("abx", vector()))
    ear = Ear(made, "xa", "ab", "xb")

    def meanwhile(first_key: str, second_key: str) -> bool:
        if not ear.asked:  # another worker is faster
            assert Comparison(owner.id, made["b"].id, [made["a"].id], ear).run()
        return ear(first_key, second_key)

    assert Comparison(owner.id, made["x"].id, [made["b"].id, made["a"].id], meanwhile).run()
    assert group_of(made["x"]).id == group_of(made["a"]).id == group_of(made["b"]).id


def test_a_store_that_fails_is_tried_again_and_nothing_else_suffers(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(as_owner, "a.wav", encoded(melody(), "a.wav"))
    job = uploaded_job(as_owner, "b.mp3", encoded(melody(), "b.mp3"))
    uploaded_job(as_owner, "twin.flac", encoded((melody() * 32_767).astype("int16"), "a.flac"))
    fetch = DiskStore.fetch

    def fail_for_wavs(store: DiskStore, key: str, target: object) -> None:
        if key.endswith("sp404.wav"):
            raise StorageError("the store is away")
        fetch(store, key, target)  # type: ignore[arg-type]  # a path, as every caller sends

    monkeypatch.setattr(DiskStore, "fetch", fail_for_wavs)
    tasks.run_job.call_local()
    tasks.run_job.call_local()
    db.session.refresh(job)
    assert job.state == "completed"
    assert grouped(owner) == []
    in_minutes = [(each - utcnow()).total_seconds() / 60 for each in compare_times() if each is not None]
    assert min(in_minutes) > 4
    assert max(in_minutes) < 6
    monkeypatch.undo()
    make_due()
    assert grouped(owner) == [["a", "b", "twin"]]


def test_what_can_not_be_read_for_three_days_is_given_up(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.wav", "b.mp3"):
        add(as_owner, name, encoded(melody(), name))
    monkeypatch.setattr(DiskStore, "fetch", lambda *_: (_ for _ in ()).throw(StorageError("away")))
    with transaction() as session:
        session.execute(update(SampleVector).values(created_at=utcnow() - comparison.GIVE_UP_AFTER))
    compare_due_samples()
    assert waiting() == 0


def test_a_missing_wav_is_no_duplicate_of_anything(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.wav", "b.mp3"):
        add(as_owner, name, encoded(melody(), name))
    monkeypatch.setattr(DiskStore, "fetch", lambda *_: (_ for _ in ()).throw(ObjectMissingError("gone")))
    assert grouped(owner) == []
    assert waiting() == 0


def test_long_sounds_are_not_fetched_to_be_compared(owner: User) -> None:
    made = shelve_vectors(owner, dict.fromkeys("ab", vector()))
    made |= shelve_vectors(owner, {"x": vector()}, duration_s=grouping.MAX_COMPARED_S + 1.0)
    ear = Ear(made, "ab", "xa", "xb")
    assert compare(owner, made, "axb", ear) == [["a", "b"]]
    assert ear.asked == ["ab"]


def test_no_connection_is_held_while_sounds_are_compared(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.wav", "b.mp3"):
        add(as_owner, name, encoded(melody(), name))
    held: dict[str, set[bool]] = {}

    def watch(module: ModuleType, name: str) -> None:
        function = getattr(module, name)

        def watched(*arguments: object) -> object:
            held.setdefault(name, set()).add(db.session().in_transaction())
            return function(*arguments)

        monkeypatch.setattr(module, name, watched)

    watch(candidates, "likely_duplicates")
    watch(sounds, "is_same_recording")
    assert grouped(owner) == [["a", "b"]]
    assert held == {"likely_duplicates": {False}, "is_same_recording": {False}}


def test_what_a_dead_worker_took_is_due_again(as_owner: Browser, owner: User) -> None:
    add(as_owner, "a.wav", encoded(snare(), "a.wav"))
    lease_end = utcnow() + comparison.LEASE
    assert len(comparison._claim_batch(lease_end)) == 1
    compare_due_samples()
    assert waiting() == 1
    make_due()
    compare_due_samples()
    assert waiting() == 0


def test_a_job_ends_before_its_sample_is_compared(as_owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    job = uploaded_job(as_owner, "a.wav", encoded(snare(), "a.wav"))
    seen = []
    monkeypatch.setattr(
        tasks, "compare_due_samples", lambda: seen.append(db.session.get_one(Job, job.id).state)
    )
    tasks.run_job.call_local()
    assert seen == ["completed"]


def test_a_broken_comparison_is_logged_and_hurts_nobody(
    as_owner: Browser, owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = {name: add(as_owner, name, encoded(snare(), name)) for name in ("a.wav", "b.flac", "c.aiff")}
    run = Comparison.run

    def break_once(self: Comparison) -> bool:
        if self.sample_id == made["c.aiff"]:
            raise ZeroDivisionError
        return run(self)

    monkeypatch.setattr(Comparison, "run", break_once)
    assert len(grouped(owner)) == 1
    assert waiting() == 1
    assert "could not be compared" in caplog.text


@pytest.mark.parametrize(("error", "compared"), [(StorageError("away"), 3), (ZeroDivisionError(), 6)])
def test_only_a_store_that_is_away_ends_the_run(
    owner: User, stranger: User, error: Exception, compared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch is shorter than what ends the run, and the second library is not tried."""
    monkeypatch.setattr(comparison, "BATCH_SAMPLES", 2)
    for user in (stranger, owner):
        shelve_vectors(user, dict.fromkeys("abc", vector()))
    make_due()
    tried: list[str] = []

    def fail(self: Comparison) -> bool:
        tried.append(self.sample_id)
        raise error

    monkeypatch.setattr(Comparison, "run", fail)
    compare_due_samples()
    assert len(tried) == compared
    assert waiting() == 6


def make_due() -> None:
    with transaction() as session:
        due = SampleVector.compare_at.is_not(None)
        session.execute(update(SampleVector).where(due).values(compare_at=utcnow()))


def waiting() -> int:
    db.session.expire_all()
    return sum(each is not None for each in compare_times())


def compare_times() -> list[datetime | None]:
    return list(db.session.scalars(select(SampleVector.compare_at)))
