"""Find projects in a folder or ZIP: a card's whole EXPORT, or the unit's backup, has several."""

from __future__ import annotations

from app.sp404.errors import UnitFileError
from app.sp404.project.file_trees import PADCONF, FileTree, shown_path

MAX_PROJECTS = 128
MAX_LISTED = 8


def find_projects(tree: FileTree) -> list[str]:
    """Return the folders that have a PADCONF.BIN, by their relative paths; the whole tree is an empty path.

    Raises
    ------
    UnitFileError
        There are more than 128.
    """
    parted = (path.rpartition("/") for path in tree.sizes())
    found = {folder for folder, _slash, name in parted if name.casefold() == PADCONF.casefold()}
    if len(found) > MAX_PROJECTS:
        raise UnitFileError(f"There are more than {MAX_PROJECTS} projects. Choose the folder of one.")
    return sorted(found)


def choose_project(tree: FileTree, folder: str | None = None) -> str:
    """Return the folder of the only project, or of the chosen one.

    Raises
    ------
    UnitFileError
        There is no project, or more than one and none was chosen, or the chosen one does not exist.
    """
    projects = find_projects(tree)
    if not projects:
        raise UnitFileError("There is no PADCONF.BIN, so this is no project of the SP-404MKII.")
    more = " …" if len(projects) > MAX_LISTED else ""
    listed = ", ".join(f"“{shown_path(one) or '.'}”" for one in projects[:MAX_LISTED]) + more
    if folder is not None:
        wanted = folder.strip("/").removeprefix(".")
        if wanted not in projects:
            raise UnitFileError(f"There is no project “{shown_path(folder)}”. There are {listed}.")
        return wanted
    if len(projects) > 1:
        raise UnitFileError(f"There are {len(projects)} projects: {listed}. Choose one.")
    return projects[0]
