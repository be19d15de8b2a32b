"""A project is unpacked by a child process, whose answer is not trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.audio.errors import UnreadableAudio
from app.engine.project_unpacker import PROJECT_SANDBOX, unpack_project
from app.sandbox.errors import EngineCrashed
from app.sp404.importing.unpacking import MANIFEST
from tests.sp404.project.made_files import small_project, zipped


def sent(folder: Path) -> Path:
    archive = folder / "sent"
    archive.write_bytes(zipped(small_project(), "P/"))
    return archive


def test_a_child_unpacks_and_refuses_in_sentences(tmp_path: Path) -> None:
    found = unpack_project(sent(tmp_path), "P", "sent", 60, lambda: True)
    assert set(found.sounds) == {"sounds/A1.wav", "sounds/B2.wav"}
    assert (tmp_path / "sounds/A1.wav").is_file()
    assert found.base is not None
    with pytest.raises(UnreadableAudio, match="no longer in the file"):
        unpack_project(tmp_path / "sent", "elsewhere", "sent", 60, lambda: True)


def test_a_path_outside_of_the_folder_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: Any, **__: Any) -> None:
        kit = json.dumps({"name": "x"})
        made = {"kit": kit, "sounds": {"../secret": {}}, "problems": [], "has_base": False}
        (tmp_path / MANIFEST).write_text(json.dumps(made))

    monkeypatch.setattr(PROJECT_SANDBOX, "run", answer)
    with pytest.raises(EngineCrashed, match="outside of its folder"):
        unpack_project(sent(tmp_path), "P", "sent", 60, lambda: True)
