"""What the child does in tests of the engine: its real work, unless the file's name asks for trouble."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from app.engine.child import process
from tests.sandbox import entries

TROUBLE = ("segfault", "hang_with_grandchild", "hoard", "raise_error")


def by_name(request: dict[str, Any], progress: Callable[[str, dict[str, Any]], None]) -> dict[str, Any]:
    stem = PurePath(request["name"]).stem
    if stem in TROUBLE:
        return entries.act(request | {"act": stem}, progress)
    return process(request, progress)
