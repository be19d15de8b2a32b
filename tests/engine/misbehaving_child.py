"""The child in tests of the engine: it does its real work, unless the file's name asks for misbehaviour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from app.engine.child_process import work_on_file
from tests.sandbox import child_entries

MISBEHAVIOURS = ("segfault", "hang_with_grandchild", "hoard", "raise_error")


def analyse_or_misbehave(
    request: dict[str, Any], progress: Callable[[str, dict[str, Any]], None]
) -> dict[str, Any]:
    stem = PurePath(request.get("name", "")).stem
    if stem in MISBEHAVIOURS:
        return child_entries.act(request | {"act": stem}, progress)
    return work_on_file(request, progress)
