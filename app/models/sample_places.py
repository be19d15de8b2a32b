"""Where a sample is kept: the name of a collection, and the path of a folder in it, as they are stored."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from app.models.display_names import MAX_READ, cut_text, is_blank, visible_text

MAX_COLLECTION_NAME = 100
MAX_FOLDER_NAME, MAX_DEPTH = 60, 8
MAX_FOLDER_PATH = MAX_DEPTH * (MAX_FOLDER_NAME + 1) - 1
BETWEEN_FOLDERS = "/"


class SamplePlace(NamedTuple):
    """A collection by its name, and a folder in it such as `Drums/Kicks`; empty for none."""

    collection: str = ""
    folder: str = ""

    @classmethod
    def from_texts(cls, collection: str | None, folder: str | None) -> SamplePlace:
        """Return the place that texts of a form or a script name; without a collection there is no folder."""
        name = collection_name(collection)
        return cls(name, folder_path(folder)) if name else cls()


NO_PLACE = SamplePlace()


def collection_name(raw: str | None) -> str:
    """Return the name of a collection as it is stored; empty for a text that shows nothing."""
    return _visible_part(raw or "", MAX_COLLECTION_NAME)


def cut_name(name: str, ending: str) -> str:
    """Return a stored name with an ending, cut so that it fits."""
    return cut_text(name, MAX_COLLECTION_NAME - len(ending)).rstrip() + ending


def fold_name(name: str) -> str:
    """Return a stored name as it is compared: two collections of a user differ in more than case."""
    return unicodedata.normalize("NFC", name.casefold())


def folder_path(raw: str | None) -> str:
    """Return a folder's path as it is stored: `Drums//Kicks/` becomes `Drums/Kicks`.

    Names are in NFC and of at most 60 characters. What names no folder, such as `..`, is left out. A folder
    deeper than the eighth is taken for its ancestor there.
    """
    parts = (raw or "")[:MAX_READ].replace("\\", BETWEEN_FOLDERS).split(BETWEEN_FOLDERS)
    names = (_visible_part(part, MAX_FOLDER_NAME) for part in parts)
    return BETWEEN_FOLDERS.join([name for name in names if name.strip(".")][:MAX_DEPTH])


def folders_above(path: str) -> list[str]:
    """Return the paths from the top folder down to this one: `Drums`, `Drums/Kicks`."""
    names = path.split(BETWEEN_FOLDERS) if path else []
    return [BETWEEN_FOLDERS.join(names[: depth + 1]) for depth in range(len(names))]


def is_inside(path: str, folder: str) -> bool:
    """Return whether a path is a folder or below it, whatever the case; everything is inside an empty one."""
    return not folder or fold_name(folder) in map(fold_name, folders_above(path))


def _visible_part(raw: str, longest: int) -> str:
    name = cut_text(visible_text(raw[:MAX_READ]), longest).strip()
    return "" if is_blank(name) else name
