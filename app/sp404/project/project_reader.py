"""Read a whole project of the SP-404MKII from its folder, from a ZIP, or from a card's whole EXPORT."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from app.sp404.errors import ProjectProblem, UnitFileError
from app.sp404.pad_places import pattern_file, sound_file
from app.sp404.pads import PAD_NAMES
from app.sp404.project.file_trees import (
    PADCONF,
    FileTree,
    SingleFile,
    open_tree,
    read_errors_named,
    read_whole,
    shown_path,
)
from app.sp404.project.pad_blocks import check_positions, decode_pad, guess_channels, is_used
from app.sp404.project.pad_sounds import SmpSound
from app.sp404.project.padconf_files import LAYOUTS, NEWEST, read_padconf
from app.sp404.project.pattern_files import MAX_PATTERN_BYTES, Pattern, outline_pattern, read_pattern
from app.sp404.project.pattern_notes import count_unknown
from app.sp404.project.picture_files import PICTURE_BYTES, PICTURE_FILES, UnitPicture, read_picture
from app.sp404.project.project_header import decode_head
from app.sp404.project.project_search import choose_project, find_projects
from app.sp404.project.smp_files import HEADER_BYTES, read_smp_header
from app.sp404.project.unit_project import OtherFile, ProjectPad, UnitProject


def read_project(source: Path | bytes, folder: str | None = None) -> UnitProject:
    """Return a project of the unit.

    Parameters
    ----------
    source : Path or bytes
        The folder of a project, or one above it such as ``EXPORT`` or a backup of the unit; a ZIP of either,
        or its bytes; or PADCONF.BIN alone, or its bytes, for a project without sounds.
    folder : str, optional
        Which project, where there are several: one of `find_projects`.

    Returns
    -------
    UnitProject
        What could be read. `problems` has the rest. Sounds are opened only when they are needed.

    Raises
    ------
    UnitFileError
        There is no project, or more than one and none was chosen; PADCONF.BIN is damaged or of an unknown
        version; or a ZIP is damaged or not safe to unpack.
    """
    tree = open_tree(source)
    return read_project_of(tree, choose_project(tree, folder))


def read_project_of(tree: FileTree, folder: str, *, outlines: bool = False) -> UnitProject:
    """Return the project in one folder of a tree, as `read_project` does.

    With `outlines`, its patterns have no records: it can be described, but not written.

    Raises
    ------
    UnitFileError
        PADCONF.BIN is damaged, too large or of an unknown version.
    """
    return _ProjectReading(tree, folder, outline_pattern if outlines else read_pattern).read()


class _ProjectReading:
    """One project while it is read: which files are left, and what was wrong so far."""

    def __init__(self, tree: FileTree, folder: str, read_one: Callable[[bytes], Pattern]) -> None:
        self._tree = tree
        self._read_one = read_one
        self._name = shown_path(folder.rpartition("/")[2]) or tree.name
        self._problems = list(tree.skipped)
        self._is_alone = isinstance(tree, SingleFile)
        prefix = f"{folder}/" if folder else ""
        others = [one for one in find_projects(tree) if one != folder and one.startswith(prefix)]
        self._inner = tuple(f"{one}/" for one in others)
        self._left: dict[str, str] = {}  # relative paths with their case folded, to paths in the tree
        self._prefix = prefix
        for path in sorted(tree.sizes()):
            if not path.startswith(prefix) or path.startswith(self._inner):
                continue
            if self._left.setdefault(path[len(prefix) :].casefold(), path) != path:
                self._say(shown_path(path), "It was left out: another file has this name in other letters.")

    def read(self) -> UnitProject:
        if self._is_alone:
            self._say(
                "Project", "PADCONF.BIN was given alone, so pads have no sound and there are no patterns."
            )
        padconf = self._take(PADCONF) or PADCONF
        base = read_padconf(read_whole(self._tree, padconf, LAYOUTS[NEWEST].size + 1, PADCONF))
        head, problems = decode_head(base.header)
        self._problems += problems
        pads = {
            place: self._read_pad(place, number, block)
            for number, (place, block) in enumerate(zip(PAD_NAMES, base.blocks, strict=True))
            if is_used(block)
        }
        patterns, pictures = self._read_patterns(), self._read_pictures()
        others = {path[len(self._prefix) :]: self._other(path) for path in self._left.values()}
        self._name_orphans(pads, others)
        return UnitProject(
            head,
            pads,
            patterns,
            pictures,
            others,
            tuple(self._empty_folders()),
            base,
            self._name,
            tuple(self._problems),
        )

    def _empty_folders(self) -> Iterator[str]:
        for path in self._tree.empty_folders:
            if path.startswith(self._prefix) and not path.startswith(self._inner):
                yield path[len(self._prefix) :]

    def _read_pad(self, place: str, number: int, block: bytes) -> ProjectPad:
        sound = self._read_sound(place, sound_file(number))
        channels = sound.header.channels if sound else guess_channels(block)
        decoded = decode_pad(block, channels)
        for fault in decoded.faults:
            self._say(place, fault)
        if sound:
            self._compare(place, decoded.size_bytes, sound)
            if past_end := check_positions(decoded.settings, sound.header.frames):
                self._say(place, past_end)
        return ProjectPad(decoded.settings, decoded.size_bytes, channels, sound)

    def _read_sound(self, place: str, path: str) -> SmpSound | None:
        found = self._left.get(path.casefold())
        if found is None and self._is_alone:
            return None
        if found is None:
            self._say(place, f"Its sound {path} is missing; the unit drops the pad.")
            return None
        try:
            with read_errors_named("Its sound can't be read."), self._tree.open(found) as file:
                head = file.read(HEADER_BYTES)
            header = read_smp_header(head, self._tree.sizes()[found])
        except UnitFileError as error:
            self._say(place, str(error))
            return None
        for fault in header.faults:
            self._say(place, fault)
        del self._left[path.casefold()]
        return SmpSound(header, lambda: self._tree.open(found))

    def _compare(self, place: str, size_bytes: int, sound: SmpSound) -> None:
        if size_bytes != sound.header.size_bytes:
            self._say(
                place,
                f"Its sound has {sound.header.size_bytes:,} bytes, but PADCONF.BIN says {size_bytes:,}.",
            )

    def _read_patterns(self) -> dict[str, Pattern]:
        patterns: dict[str, Pattern] = {}
        for number, place in enumerate(PAD_NAMES):
            path = pattern_file(number)
            if path.casefold() not in self._left:
                continue
            try:
                data = read_whole(self._tree, self._left[path.casefold()], MAX_PATTERN_BYTES)
                patterns[place] = self._read_one(data)
            except UnitFileError as error:
                self._say(f"Pattern {place}", f"{error} It is kept as it is.")
                continue
            self._take(path)
            if unknown := count_unknown(patterns[place]):
                self._say(
                    f"Pattern {place}", f"It has records of an unknown kind ({unknown:,}); they are kept."
                )
        return patterns

    def _read_pictures(self) -> dict[str, UnitPicture]:
        pictures: dict[str, UnitPicture] = {}
        for path in PICTURE_FILES:
            if path.casefold() not in self._left:
                continue
            try:
                data = read_whole(self._tree, self._left[path.casefold()], PICTURE_BYTES)
                pictures[path] = read_picture(data)
            except UnitFileError as error:
                self._say(path, f"{error} It is kept as it is.")
                continue
            self._take(path)
        return pictures

    def _name_orphans(self, pads: Collection[str], others: Collection[str]) -> None:
        """Name sounds whose pad is empty."""
        there = {path.casefold() for path in others}
        for number, place in enumerate(PAD_NAMES):
            if place not in pads and sound_file(number).casefold() in there:
                self._say(place, f"There is a sound {sound_file(number)}, but PADCONF.BIN has no pad for it.")

    def _other(self, path: str) -> OtherFile:
        return OtherFile(self._tree.sizes()[path], lambda: self._tree.open(path))

    def _take(self, path: str) -> str | None:
        """Return the path in the tree of a file of the project, and count it as read."""
        return self._left.pop(path.casefold(), None)

    def _say(self, place: str, text: str) -> None:
        self._problems.append(ProjectProblem(place, text))
