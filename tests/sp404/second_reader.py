"""A second reader of the unit's files, written from the description of the formats alone.

It shares no code with the product, so that a misreading in one of the two shows up in the tests.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.sp404.reading.checks import BANKS, BrokenFile, find_root, read_tree, require
from tests.sp404.reading.pad_records import place_in_frames
from tests.sp404.reading.padconf import PAD_LABELS, read_padconf
from tests.sp404.reading.patterns import read_pattern
from tests.sp404.reading.pictures import read_picture
from tests.sp404.reading.smp import read_smp
from tests.sp404.reading.sx_card import read_sx_pads
from tests.sp404.reading.wav import check_wav

__all__ = ["BrokenFile", "check_wav", "read_project", "read_sx_card"]

SAMPLE = re.compile(r"SMPL/BANK([1-9]|10)-(0[1-9]|1[0-6])\.SMP")
PATTERN = re.compile(r"PTN/PTN(00\d{3})\.BIN")
PICTURE = re.compile(r"PICTURE/((?:startup_[12])|(?:screen_saver_(?:[1-9]|1[0-6])))\.bmp")
NO_CONTENT = {"PADCONF.BIN", "PTN/PATTERNCHAIN_00.CHN"}


def read_project(path: Path) -> dict[str, Any]:
    """Return the one native project in a folder or ZIP, or raise `BrokenFile`.

    The answer has `folder` (its name), `version`, `name`, `tempo`, `mode`, `banks`, `pads` with their `pcm`,
    `patterns` by the pad that starts them, and `pictures` by file name without ending.
    """
    tree = read_tree(path)
    root = find_root(tree, "PADCONF.BIN")
    files = {name.removeprefix(root): data for name, data in tree.items() if name.startswith(root)}
    parts: dict[str, dict[str, Any]] = {"samples": {}, "patterns": {}, "pictures": {}}
    for name, data in files.items():
        _sort_in(name, data, parts)
    project = read_padconf(files["PADCONF.BIN"])
    project["pads"] = _join_pads(project["pads"], parts["samples"])
    folder = root.rstrip("/").rsplit("/", 1)[-1] or path.stem
    return project | {"folder": folder, "patterns": parts["patterns"], "pictures": parts["pictures"]}


def read_sx_card(path: Path) -> dict[str, dict[str, Any]]:
    """Return the pads A1 to J12 of the one SP-404SX card in a folder or ZIP, or raise `BrokenFile`.

    Each pad has `original_start`, `original_end`, `start` and `end` in frames, `volume`, `lofi`, `loop`,
    `gate`, `reverse`, `channels`, `tempo_mode`, `original_bpm`, `bpm` and `pcm`.
    """
    tree = read_tree(path)
    root = find_root(tree, "SP-404SX/SMPL/PAD_INFO.BIN") + "SP-404SX/SMPL/"
    return read_sx_pads(
        {name.removeprefix(root): data for name, data in tree.items() if name.startswith(root)}
    )


def _sort_in(name: str, data: bytes, parts: dict[str, dict[str, Any]]) -> None:
    """Read one file of a project into the part it belongs to."""
    if found := SAMPLE.fullmatch(name):
        label = f"{BANKS[int(found[1]) - 1]}{int(found[2])}"
        parts["samples"][label] = (len(data), read_smp(data, name))
    elif found := PATTERN.fullmatch(name):
        number = int(found[1])
        require(1 <= number <= len(PAD_LABELS), f"{name}: there is no pattern {number}.")
        parts["patterns"][PAD_LABELS[number - 1]] = read_pattern(data, name)
    elif found := PICTURE.fullmatch(name):
        parts["pictures"][found[1]] = read_picture(data, name)
    else:
        require(name in NO_CONTENT, f"{name} is no file of a project.")


def _join_pads(pads: dict[str, Any], samples: dict[str, Any]) -> dict[str, dict[str, Any]]:
    require(bool(pads), "The project is empty: no pad has a sample.")
    for label in sorted(samples.keys() - pads.keys()):
        require(False, f"There is a sample for pad {label}, which PADCONF.BIN says is empty.")
    joined: dict[str, dict[str, Any]] = {}
    for label, pad in pads.items():
        require(label in samples, f"Pad {label} is used, but its SMP is missing.")
        size, pcm = samples[label]
        require(pad["size"] == size, f"Pad {label} says its SMP has {pad['size']} bytes, it has {size}.")
        frames, channels = pcm.shape
        joined[label] = place_in_frames(pad, frames, channels, label) | {"pcm": pcm}
    return joined
