"""Unpack one project or kit into a folder: its sounds as files, its document, and what the unit needs back.

It reads files that anybody may send, so it runs in a child process with limits.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.audio.errors import UnreadableAudio
from app.audio.unit_format import MAX_FRAMES, RATE_HZ
from app.plurals import pluralize
from app.sp404.errors import ProjectProblem, UnitFileError
from app.sp404.importing.kit_sources import (
    KIT,
    MAX_PROBLEMS,
    find_kit_sounds,
    find_sources,
    read_kit_of,
    read_named_project,
)
from app.sp404.importing.project_kit import kit_of_project, patterns_that_fit
from app.sp404.kit_document import KitDocument, SampleReference, write_kit
from app.sp404.project.base_archive import write_base
from app.sp404.project.file_trees import FileTree, open_tree, read_errors_named
from app.sp404.project.kept_smp import KeptSmp, digest_wav, take_sound
from app.sp404.project.pad_sounds import SmpSound
from app.sp404.project.pcm_files import read_pcm_shape

SOUNDS, BASE, MANIFEST = "sounds", "base.zip", "unpacked.json"
MAX_SOUNDS_BYTES = 2 << 30
COPY_BYTES = 1 << 18
MAX_NAMED_PATTERNS = 8
TOO_MUCH = f"Its sounds add up to more than {MAX_SOUNDS_BYTES >> 30} GB."
LESS_OF_UNIT = "Clear some pads on the unit, export the project again and import that."
LESS_OF_KIT = "Make a card of a kit with fewer pads and import that."


@dataclass
class Unpacked:
    """What was unpacked.

    Attributes
    ----------
    kit : KitDocument
        Its samples name their sounds by `path`, relative to the folder.
    sounds : dict of str to dict
        By those paths: `pcm_sha256`, `frames` and `channels` where the sound is as the unit plays it.
    problems : list of ProjectProblem
        What was left out, and what was wrong.
    has_base : bool
        Whether there is a `base.zip` for the way back to the unit.
    """

    kit: KitDocument
    sounds: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[ProjectProblem] = field(default_factory=list)
    has_base: bool = False

    def to_json(self) -> str:
        """Return everything as JSON."""
        return json.dumps(
            {
                "kit": write_kit(self.kit),
                "sounds": self.sounds,
                "problems": [list(one) for one in self.problems[:MAX_PROBLEMS]],
                "has_base": self.has_base,
            }
        )


def unpack_in_child(
    request: dict[str, Any], progress: Callable[[str, dict[str, Any]], None]
) -> dict[str, Any]:
    """Unpack in the working folder, as `unpack` does; `request` has `source`, `path` and `name`.

    Raises UnreadableAudio in place of UnitFileError, because nothing else reaches the other process as a
    sentence.
    """
    folder = Path.cwd()
    try:
        done = unpack(folder / request["source"], request["path"], request["name"], folder)
    except UnitFileError as error:
        raise UnreadableAudio(str(error)) from error
    (folder / MANIFEST).write_text(done.to_json())
    return {}


def unpack(source: Path, path: str, name: str, folder: Path) -> Unpacked:
    """Unpack one project or kit.

    Parameters
    ----------
    source : Path
        A ZIP, or a PADCONF.BIN alone.
    path : str
        Of the project's folder or the kit.json in it, as `find_sources` gives it.
    name : str
        Of a project without a name at the top.
    folder : Path
        Where `sounds` and `base.zip` go.

    Raises
    ------
    UnitFileError
        There is no such kit, its document or PADCONF.BIN can't be read, or it is too large.
    """
    tree = open_tree(source)
    chosen = next((one for one in find_sources(tree) if one.path == path), None)
    if chosen is None:
        raise UnitFileError("This project is no longer in the file.")
    (folder / SOUNDS).mkdir()
    if chosen.kind == KIT:
        return _unpack_kit(tree, path, folder)
    return _unpack_project(tree, path, name, folder)


def _unpack_project(tree: FileTree, path: str, name: str, folder: Path) -> Unpacked:
    project = read_named_project(tree, path, name)
    problems = list(project.problems)
    kept: dict[str, KeptSmp] = {}
    sounds = {place: pad.sound for place, pad in project.pads.items() if isinstance(pad.sound, SmpSound)}
    if sum(sound.header.size_bytes for sound in sounds.values()) > MAX_SOUNDS_BYTES:
        raise UnitFileError(f"{TOO_MUCH} {LESS_OF_UNIT}")
    for place, sound in sounds.items():
        try:
            kept[place] = take_sound(sound, folder / _wav_path(place))
        except UnitFileError as error:
            problems.append(ProjectProblem(place, f"{error} It was left out."))
    kit = kit_of_project(project, {place: _wav_path(place) for place in kept})
    taken = patterns_that_fit(project, kit)
    left = {place: pattern for place, pattern in project.patterns.items() if place not in taken}
    if left:
        problems.insert(0, _without_room(list(left)))
    problems += write_base(replace(project, patterns=left), kept, folder / BASE)
    kit = kit.model_copy(update={"patterns": taken})
    facts = {_wav_path(place): _facts_of(one) for place, one in kept.items()}
    return Unpacked(kit, facts, problems, has_base=True)


def _without_room(places: list[str]) -> ProjectProblem:
    named = ", ".join(places[:MAX_NAMED_PATTERNS])
    more = f" and {len(places) - MAX_NAMED_PATTERNS} more" if len(places) > MAX_NAMED_PATTERNS else ""
    text = (
        f"The kit has no room for {pluralize(len(places), 'pattern')}: {named}{more}. On a card for the unit "
        "each keeps its place, as long as the kit gets no other pattern there."
    )
    return ProjectProblem("Patterns", text)


def _unpack_kit(tree: FileTree, path: str, folder: Path) -> Unpacked:
    kit = read_kit_of(tree, path)
    found, problems = find_kit_sounds(tree, path, kit)
    files = {inner: f"{SOUNDS}/{number:03d}" for number, inner in enumerate(dict.fromkeys(found.values()), 1)}
    if sum(tree.sizes()[inner] for inner in files) > MAX_SOUNDS_BYTES:
        raise UnitFileError(f"{TOO_MUCH} {LESS_OF_KIT}")
    sounds: dict[str, dict[str, Any]] = {}
    for inner, target in files.items():
        try:
            _copy(tree, inner, folder / target)
            sounds[target] = _facts_of_file(folder / target)
        except UnitFileError as error:
            pads = ", ".join(pad for pad, one in found.items() if one == inner)
            problems.append(ProjectProblem(pads, f"{error} It was left out."))
    paths = {pad: files[inner] for pad, inner in found.items() if files[inner] in sounds}
    return Unpacked(_with_paths(kit, paths), sounds, problems)


def _with_paths(kit: KitDocument, paths: dict[str, str]) -> KitDocument:
    pads = {
        pad: document.model_copy(
            update={"sample": document.sample.model_copy(update={"path": paths.get(pad)})}
        )
        if isinstance(document.sample, SampleReference)
        else document
        for pad, document in kit.pads.items()
    }
    return kit.model_copy(update={"pads": pads})


def _wav_path(place: str) -> str:
    return f"{SOUNDS}/{place}.wav"


def _copy(tree: FileTree, inner: str, target: Path) -> None:
    with read_errors_named("Its sound can't be read."), tree.open(inner) as source, target.open("wb") as made:
        shutil.copyfileobj(source, made, COPY_BYTES)


def _facts_of(kept: KeptSmp) -> dict[str, Any]:
    return {"pcm_sha256": kept.pcm_sha256, "frames": kept.frames, "channels": kept.channels}


def _facts_of_file(path: Path) -> dict[str, Any]:
    """Return the facts of a file that is a WAV as the unit plays it; nothing for any other file."""
    try:
        shape = read_pcm_shape(path, RATE_HZ, MAX_FRAMES)
        return {"pcm_sha256": digest_wav(path, shape), "frames": shape.frames, "channels": shape.channels}
    except UnitFileError:
        return {}
