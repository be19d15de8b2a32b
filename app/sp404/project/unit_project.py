"""A project of the SP-404MKII: its banks, pads, patterns and pictures, and the bytes without a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from app.sp404.errors import ProjectProblem, UnitFileError
from app.sp404.pad_names import safe_name
from app.sp404.pad_places import PADS, pad_index
from app.sp404.pad_settings import PadSettings
from app.sp404.pads import PAD_NAMES
from app.sp404.project.pad_blocks import FRESH_BLOCK, encode_pad, is_used
from app.sp404.project.pad_sounds import PadSound
from app.sp404.project.padconf_files import NEWEST, PadConf
from app.sp404.project.pattern_files import Pattern
from app.sp404.project.picture_files import PICTURE_FILES, UnitPicture
from app.sp404.project.project_header import ProjectHead, encode_head, fresh_header
from app.sp404.unit_limits import MAX_PROJECT_NAME

FRESH = PadConf(NEWEST, fresh_header(), (FRESH_BLOCK,) * PADS)
"""PADCONF.BIN of a project that was never used, without its name."""


@dataclass(frozen=True)
class ProjectPad:
    """A pad with a sound.

    Attributes
    ----------
    settings : PadSettings
        Positions in frames of the sound.
    size_bytes : int
        Of the SMP, as the project has it.
    channels : int
        1 or 2. A guess where the sound is missing.
    sound : PadSound or None
        None where the SMP is missing or unreadable. The unit drops such a pad.
    """

    settings: PadSettings
    size_bytes: int
    channels: int
    sound: PadSound | None = None


@dataclass(frozen=True)
class OtherFile:
    """A file of a project that has no meaning here and is copied as it is.

    Attributes
    ----------
    size_bytes : int
        Of the file.
    open_file : callable
        Returns the file at its first byte.
    """

    size_bytes: int
    open_file: Callable[[], BinaryIO] = field(compare=False)


@dataclass(frozen=True)
class UnitProject:
    """A project, read from a folder or made new.

    Attributes
    ----------
    head : ProjectHead
        Name, tempo and banks.
    pads : mapping of str to ProjectPad
        Those with a sound, by ``A1`` to ``J16``.
    patterns : mapping of str to Pattern
        By the same places.
    pictures : mapping of str to UnitPicture
        By their paths inside the project, of `PICTURE_FILES`.
    others : mapping of str to OtherFile
        By their paths inside the project: also files that could not be read.
    empty_folders : tuple of str
        Paths inside the project of folders without files, which are made again.
    base : PadConf
        PADCONF.BIN as it was read. Its bytes stay where nothing was changed.
    folder_name : str
        Of the folder that it was read from, else empty.
    problems : tuple of ProjectProblem
        What was wrong in it.
    """

    head: ProjectHead
    pads: Mapping[str, ProjectPad] = field(default_factory=dict)
    patterns: Mapping[str, Pattern] = field(default_factory=dict)
    pictures: Mapping[str, UnitPicture] = field(default_factory=dict)
    others: Mapping[str, OtherFile] = field(default_factory=dict)
    empty_folders: tuple[str, ...] = ()
    base: PadConf = FRESH
    folder_name: str = ""
    problems: tuple[ProjectProblem, ...] = ()


def make_pad(settings: PadSettings, sound: PadSound) -> ProjectPad:
    """Return a pad with a sound, as it goes into a project."""
    return ProjectPad(settings, sound.header.size_bytes, sound.header.channels, sound)


def padconf_bytes(project: UnitProject) -> bytes:
    """Return PADCONF.BIN of a project.

    Returns
    -------
    bytes
        Of version 3. A project of version 2 in which nothing was changed stays as it was, because version 3
        would not be what the unit wrote. A changed one is named after its folder, unless it got a name.

    Raises
    ------
    UnitFileError
        A setting is out of its range, or a position past the end of its sound; the message names the pad.
    """
    base = project.base.upgraded()
    unknown = set(project.pads) - set(PAD_NAMES)
    if unknown:
        pad_index(min(unknown))
    blocks = tuple(_block(project, base, place) for place in PAD_NAMES)
    made = PadConf(NEWEST, encode_head(project.head, base.header), blocks)
    if made == base:
        return project.base.to_bytes()
    if not project.head.name and project.base.version != NEWEST:
        name = safe_name(project.folder_name or "PROJECT", MAX_PROJECT_NAME)
        made = replace(made, header=encode_head(replace(project.head, name=name), base.header))
    return made.to_bytes()


def check_pictures(project: UnitProject) -> None:
    """Refuse pictures that have no place in a project.

    Raises
    ------
    UnitFileError
        A path is not one of `PICTURE_FILES`.
    """
    for path in project.pictures:
        if path not in PICTURE_FILES:
            raise UnitFileError(f"A project has no picture “{path[-60:]}”.")


def _block(project: UnitProject, base: PadConf, place: str) -> bytes:
    """Return what PADCONF.BIN has about one pad."""
    pad, old = project.pads.get(place), base.blocks[pad_index(place)]
    if pad is None:
        return FRESH_BLOCK if is_used(old) else old
    try:
        return encode_pad(pad.settings, pad.size_bytes, pad.channels)
    except UnitFileError as error:
        raise UnitFileError(f"{place}: {error}") from error
