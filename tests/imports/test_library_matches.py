"""Sounds of a project are looked for among samples of their length, each of which is read once."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.audio.unit_format import MIN_FRAMES, RATE_HZ
from app.imports import library_matches
from app.imports.library_matches import MAX_COMPARED, LibraryWav, find_known
from app.integrations.storage import DiskStore, ObjectMissingError
from app.jobs.lease import LeaseLostError
from app.models import User


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
        with wave.open(str(tmp_path / name), "wb") as made:
            made.setparams((1, 2, RATE_HZ, MIN_FRAMES, "NONE", ""))
            made.writeframes(bytes(2 * MIN_FRAMES))
        sounds[name] = {"frames": MIN_FRAMES, "channels": 1, "pcm_sha256": ""}
    assert find_known(owner.id, sounds, tmp_path, lambda: True) == {}
    assert len(reads) == len(set(reads)) == MAX_COMPARED
    reads.clear()
    with pytest.raises(LeaseLostError):
        find_known(owner.id, sounds, tmp_path, lambda: len(reads) < 3)
    assert len(reads) == 3
