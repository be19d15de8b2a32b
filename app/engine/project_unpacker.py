"""Unpack a file with projects of the unit in a child of this process, within limits."""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.audio.errors import UnreadableAudio
from app.sandbox.errors import EngineCrashed
from app.sandbox.runner import ChildLimits, Sandbox
from app.sp404.errors import ProjectProblem
from app.sp404.importing.unpacking import BASE, MANIFEST
from app.sp404.kit_document import KitDocument, KitDocumentError, read_kit

CANCEL_CHECK_S = 0.25
LIMITS = ChildLimits(memory_bytes=2**30, cpu_s=300)
PROJECT_SANDBOX = Sandbox("app.sp404.importing.unpacking:unpack_in_child", limits=LIMITS)
atexit.register(PROJECT_SANDBOX.close)


@dataclass(frozen=True)
class UnpackedKit:
    """A project that the child has unpacked into a folder."""

    folder: Path
    kit: KitDocument  # whose samples name their sounds by paths inside the folder
    sounds: dict[str, dict[str, Any]]  # by those paths: the facts of those that are as the unit plays them
    problems: list[ProjectProblem]
    base: Path | None  # what has to be kept for the way back to the unit


def unpack_project(
    source: Path, path: str, name: str, limit_s: float, still_wanted: Callable[[], bool]
) -> UnpackedKit:
    """Unpack one project or kit of a file beside it, in a folder that belongs to this attempt alone.

    Raises UnreadableAudio with a sentence for a file that can't be used, EngineCancelled when the answer is
    no longer wanted, and other EngineErrors when the child failed.
    """
    folder = source.parent
    PROJECT_SANDBOX.run(
        {"source": source.name, "path": path, "name": name},
        folder=folder,
        timeout_s=limit_s,
        tick=still_wanted,
        tick_s=CANCEL_CHECK_S,
    )
    found = json.loads((folder / MANIFEST).read_text())
    try:
        kit = read_kit(found["kit"])
    except KitDocumentError as error:
        raise UnreadableAudio(str(error)) from error
    problems = [ProjectProblem(*one) for one in found["problems"]]
    base = folder / BASE if found["has_base"] else None
    _check_inside(folder, *found["sounds"], *([BASE] if base else []))
    return UnpackedKit(folder, kit, found["sounds"], problems, base)


def _check_inside(folder: Path, *names: str) -> None:
    """Trust no path of the child, which has read a stranger's file: everything has to lie in its folder."""
    for name in names:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise EngineCrashed("the child named a file outside of its folder")
