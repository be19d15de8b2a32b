"""Readers of a native project, which tests compare with the kit that was written.

A reader takes the folder of a project and returns what `python -m app.sp404 read DIR --json` prints. Every
test of the native project runs with each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.sp404.project.project_json import project_to_dict
from app.sp404.project.project_reader import read_project
from tests.sp404 import second_reader

ProjectReader = Callable[[Path], dict[str, Any]]
PLAY_MODES = ("forward", "reverse", "ping-pong", "reverse ping-pong")
ROLLS = (
    "off",
    "1/2",
    "1/4",
    "1/8",
    "1/16",
    "1/32",
    "1/64",
    "3/8",
    "3/16",
    "3/32",
    "3/64",
)  # as in the manual
SMP_HEADER_BYTES = 512


def read_with_ours(folder: Path) -> dict[str, Any]:
    project = read_project(folder)
    assert project.problems == ()
    return project_to_dict(project)


def read_with_second(folder: Path) -> dict[str, Any]:
    """Return what a reader found that was written from the text of the format alone, in the words of ours."""
    found = second_reader.read_project(folder)
    return {
        "version": found["version"],
        "name": found["name"],
        "tempo": found["tempo"],
        "banks": [found["banks"][letter] for letter in "ABCDEFGHIJ"],
        "pads": {place: _pad(pad) for place, pad in found["pads"].items()},
        "patterns": {
            place: {name: pattern[name] for name in ("bars", "metre", "notes")}
            for place, pattern in found["patterns"].items()
        },
    }


def _pad(found: dict[str, Any]) -> dict[str, Any]:
    pad = {name: value for name, value in found.items() if name not in ("pcm", "backing", "ensemble")}
    frames, channels = found["pcm"].shape
    return pad | {
        "play_mode": PLAY_MODES[pad["play_mode"]],
        "roll": ROLLS[pad["roll"]],
        "end": None if pad["end"] == frames else pad["end"],
        "loop_top": None if pad["loop_top"] == pad["start"] else pad["loop_top"],
        "size": SMP_HEADER_BYTES + frames * channels * 2,
    }


READERS: dict[str, ProjectReader] = {"ours": read_with_ours, "second": read_with_second}
