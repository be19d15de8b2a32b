"""Which samples of a library are found to be the same recording."""

from __future__ import annotations

import numpy as np
import pytest

from app.deduplication.comparison import compare_due_samples
from app.extensions import db
from app.library import trash
from app.models import Sample, SampleVector, User
from tests.deduplication.copies import add, encoded, grouped, melody, snare
from tests.support import Browser


def test_the_same_audio_in_three_formats_is_one_group(as_owner: Browser, owner: User) -> None:
    sound = np.rint(snare() * 32_767).astype(np.int16)
    add(as_owner, "a.wav", encoded(sound, "a.wav"))
    assert grouped(owner) == []
    add(as_owner, "b.flac", encoded(sound, "b.flac"))
    add(as_owner, "c.aiff", encoded(sound.astype(np.int32) << 16, "c.aiff", "PCM_24"))
    assert grouped(owner) == [["a", "b", "c"]]


def test_copies_of_a_recording_join_its_group(as_owner: Browser, owner: User) -> None:
    sound = melody()
    add(as_owner, "lossy.mp3", encoded(sound, "a.mp3"))
    add(as_owner, "original.wav", encoded(sound, "a.wav", "PCM_24"))
    add(as_owner, "quiet.wav", encoded(0.4 * sound, "a.wav"))
    stereo = np.stack([sound, sound], axis=1)
    add(as_owner, "stereo.wav", encoded(stereo, "a.wav"))
    assert grouped(owner) == [["original", "lossy", "quiet", "stereo"]]


def test_another_hit_of_the_same_instrument_is_no_duplicate(as_owner: Browser, owner: User) -> None:
    for seed in range(4):
        add(as_owner, f"{seed}.wav", encoded(snare(seed), "a.wav"))
    assert grouped(owner) == []
    add(as_owner, "again.flac", encoded(np.rint(snare(2) * 32_767).astype(np.int16), "a.flac"))
    assert grouped(owner) == [["2", "again"]]


def test_samples_of_two_users_never_meet(
    as_owner: Browser, owner: User, as_stranger: Browser, stranger: User
) -> None:
    for browser in (as_owner, as_stranger):
        add(browser, "a.wav", encoded(melody(), "a.wav"))
    assert grouped(owner) == grouped(stranger) == []
    add(as_stranger, "b.mp3", encoded(melody(), "b.mp3"))
    assert grouped(owner) == []
    assert grouped(stranger) == [["a", "b"]]


def test_a_sample_in_the_trash_leaves_its_group_until_it_is_restored(as_owner: Browser, owner: User) -> None:
    ids = [add(as_owner, name, encoded(snare(), name)) for name in ("a.wav", "b.flac", "c.aiff")]
    assert grouped(owner) == [["a", "b", "c"]]
    for sample_id, left in ((ids[0], [["b", "c"]]), (ids[1], [])):
        trash.delete_sample(db.session.get_one(Sample, sample_id))
        assert grouped(owner) == left
    for sample_id, left in ((ids[0], [["a", "c"]]), (ids[1], [["a", "b", "c"]])):
        trash.restore_sample(db.session.get_one(Sample, sample_id))
        assert grouped(owner) == left


def test_what_was_compared_while_its_copy_was_in_the_trash_finds_it_when_restored(
    as_owner: Browser, owner: User
) -> None:
    first = add(as_owner, "a.wav", encoded(melody(), "a.wav"))
    trash.delete_sample(db.session.get_one(Sample, first))
    add(as_owner, "b.mp3", encoded(melody(), "b.mp3"))
    assert grouped(owner) == []
    trash.restore_sample(db.session.get_one(Sample, first))
    assert grouped(owner) == [["a", "b"]]


def test_nothing_is_left_to_compare_afterwards(as_owner: Browser, owner: User) -> None:
    add(as_owner, "a.wav", encoded(melody(), "a.wav"))
    vector = db.session.query(SampleVector).one()
    assert vector.compare_at is not None
    compare_due_samples()
    db.session.refresh(vector)
    assert vector.compare_at is None


@pytest.mark.parametrize("content", [np.zeros(44_100), np.full(44_100, 1e-5)])
def test_silence_is_only_the_same_as_the_same_silence(
    as_owner: Browser, owner: User, content: np.ndarray
) -> None:
    add(as_owner, "a.wav", encoded(content, "a.wav"))
    add(as_owner, "b.wav", encoded(content[:-100], "b.wav"))
    assert grouped(owner) == []
    add(as_owner, "c.wav", encoded(content, "c.wav"))
    assert grouped(owner) == [["a", "c"]]
