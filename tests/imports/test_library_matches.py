"""Sounds of a project are looked for among samples of their length, each of which is read once."""

from __future__ import annotations

import wave
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.audio.unit_format import MIN_FRAMES, RATE_HZ
from app.extensions import db, settings
from app.imports import library_matches
from app.imports.library_matches import MAX_COMPARED, LibraryWav, find_known
from app.integrations.storage import DiskStore, ObjectMissingError, open_store
from app.jobs.lease import LeaseLostError
from app.kits.kit_rows import load_state
from app.library import trash
from app.models import Sample, User
from tests.imports.sending import bring_back, unit_project
from tests.support import Browser


def test_each_sample_is_read_once_for_all_sounds_and_only_while_somebody_waits(
    app: Flask, owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same_length = [LibraryWav(str(n), f"samples/x/{n}/sp404.wav") for n in range(2 * MAX_COMPARED)]
    monkeypatch.setattr(library_matches, "_library", lambda _: ({(MIN_FRAMES, 1): same_length}, {}))
    reads: list[str] = []

    def note(_store: DiskStore, key: str, *_: Any) -> bytes:
        reads.append(key)
        raise ObjectMissingError(key)

    monkeypatch.setattr(DiskStore, "read", note)
    sounds = {}
    for name in ("one", "two"):
        sounds[name] = write_sound(tmp_path / name, bytes(2 * MIN_FRAMES))
    assert find_known(owner.id, sounds, tmp_path, lambda: True) == {}
    assert len(reads) == len(set(reads)) == MAX_COMPARED
    reads.clear()
    with pytest.raises(LeaseLostError):
        find_known(owner.id, sounds, tmp_path, lambda: len(reads) < 3)
    assert len(reads) == 3


def test_a_sound_that_only_begins_like_a_sample_is_not_that_sample(
    app: Flask, owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = LibraryWav("sample", "samples/x/1/sp404.wav")
    monkeypatch.setattr(library_matches, "_library", lambda _: ({(MIN_FRAMES, 1): [sample]}, {}))
    pcm = bytes(2 * MIN_FRAMES - 2)
    ends = {"same": b"\1\0", "other": b"\2\0"}
    sounds = {name: write_sound(tmp_path / name, pcm + end) for name, end in ends.items()}
    open_store(settings()).put(sample.key, tmp_path / "same", "audio/wav")
    assert find_known(owner.id, sounds, tmp_path, lambda: True) == {"same": "sample"}


def test_a_sample_in_the_trash_is_not_in_the_library_and_comes_again(as_owner: Browser) -> None:
    tick = db.select(Sample).where(Sample.name == "Tick", Sample.deleted_at.is_(None))
    before = load_state(bring_back(as_owner, unit_project()))
    trash.delete_sample(db.session.scalars(tick).one())
    after = load_state(bring_back(as_owner, unit_project()))
    assert after.pad("B2").sample_id == db.session.scalars(tick).one().id != before.pad("B2").sample_id
    assert after.pad("A1").sample_id == before.pad("A1").sample_id


def write_sound(path: Path, pcm: bytes) -> dict[str, Any]:
    """Write a mono WAV, and return what unpacking a project tells of it."""
    with wave.open(str(path), "wb") as made:
        made.setparams((1, 2, RATE_HZ, MIN_FRAMES, "NONE", ""))
        made.writeframes(pcm)
    return {"frames": MIN_FRAMES, "channels": 1, "pcm_sha256": sha256(pcm).hexdigest()}
