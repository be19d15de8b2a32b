"""Check that programs for other samplers, and a kit.json, name sounds that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from app.sp404.errors import UnitFileError
from app.sp404.kit_document import KitDocumentError, read_kit
from app.sp404.preflight.findings import ERROR, Finding
from app.sp404.project.file_trees import FileTree, read_whole

MAX_PROGRAM_BYTES = 4 << 20
MAX_KIT_BYTES = 2 << 20
SFZ_SAMPLE = re.compile(r"^sample=(.+?)\s*$", re.MULTILINE)
XPM_SAMPLE = re.compile(r"<SampleName>([^<]+)</SampleName>")
ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def check_program(tree: FileTree, path: str) -> Iterator[Finding]:
    """Yield the sounds that an ``.xpm`` or ``.sfz`` names and that are not there.

    Parameters
    ----------
    tree : FileTree
    path : str
        Of the program.
    """
    try:
        text = read_whole(tree, path, MAX_PROGRAM_BYTES).decode("utf-8")
    except (UnitFileError, UnicodeDecodeError):
        yield Finding(ERROR, "program_unreadable", path, "It can't be read.")
        return
    if path.casefold().endswith(".sfz"):
        names = [name.replace("\\", "/") for name in SFZ_SAMPLE.findall(text)]
    else:
        names = [f"{_unescape(name)}.wav" for name in XPM_SAMPLE.findall(text)]
    for name in names:
        yield from _check_sound(tree, path, name, "sound_missing")


def check_kit_file(tree: FileTree, path: str) -> Iterator[Finding]:
    """Yield what is wrong with a ``kit.json``, and the sounds that it names and that are not there.

    Parameters
    ----------
    tree : FileTree
    path : str
        Of the kit.json.
    """
    try:
        kit = read_kit(read_whole(tree, path, MAX_KIT_BYTES))
    except (UnitFileError, KitDocumentError) as error:
        yield Finding(ERROR, "kit_unreadable", path, str(error))
        return
    for pad, document in kit.pads.items():
        if document.sample and document.sample.path:
            yield from _check_sound(tree, path, document.sample.path, "sound_missing", f"Pad {pad}: ")


def _check_sound(tree: FileTree, path: str, name: str, code: str, lead: str = "") -> Iterator[Finding]:
    parent = PurePosixPath(path).parent
    wanted = PurePosixPath(name)
    if wanted.is_absolute() or ".." in wanted.parts:
        yield Finding(ERROR, "path_outside", path, f"{lead}“{name[-60:]}” leads outside of its folder.")
    elif str(parent / wanted) not in tree.sizes():
        yield Finding(ERROR, code, path, f"{lead}Its sound “{name[-60:]}” is missing.")


def _unescape(text: str) -> str:
    for entity, character in ENTITIES:
        text = text.replace(entity, character)
    return text
