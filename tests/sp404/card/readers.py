"""Readers of a native project, which tests compare with the kit that was written.

A reader takes the folder of a project and returns what `python -m app.sp404 read DIR --json` prints. Add one
that was written by somebody else from the text of the format to `READERS`; every test of the native project
then runs with it too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.sp404.project.project_json import project_to_dict
from app.sp404.project.project_reader import read_project

ProjectReader = Callable[[Path], dict[str, Any]]


def read_with_ours(folder: Path) -> dict[str, Any]:
    project = read_project(folder)
    assert project.problems == ()
    return project_to_dict(project)


READERS: dict[str, ProjectReader] = {"ours": read_with_ours}
