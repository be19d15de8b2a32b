"""Pull sounds back into folders. A file that is there already stays, and none is ever half written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sample_agent.folders import hash_file
from sample_agent.service import Service

UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
LONGEST = 200


class Names:
    """Gives each sample of one pull a path of its own."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self._taken: set[str] = set()

    def path_of(self, sample: Mapping[str, Any], *, unit: bool) -> Path:
        """Return where a sample goes: by collection and folder, with a number where a name is taken."""
        folders = [sample.get("collection") or "", *(sample.get("folder") or "").split("/")]
        folder = self.target.joinpath(*(safe_name(each) for each in folders if each))
        name = Path(safe_name(f"{sample['name']}.wav" if unit else sample["filename"]))
        for number in range(1, len(self._taken) + 2):
            path = folder / (name if number == 1 else f"{name.stem} {number}{name.suffix}")
            if str(path).casefold() not in self._taken:
                break
        self._taken.add(str(path).casefold())
        return path


def safe_name(name: str) -> str:
    """Return a name that every file system takes, and that names nothing outside of its folder."""
    plain = UNSAFE.sub("_", name).strip(" .") or "_"
    stem, dot, ending = plain.rpartition(".")
    if len(plain) > LONGEST:
        plain = (
            f"{stem[: LONGEST - len(ending) - 1]}{dot}{ending}"
            if dot and len(ending) < 8
            else plain[:LONGEST]
        )
    return f"_{plain}" if RESERVED.match(plain) else plain


def pull_one(service: Service, sample: Mapping[str, Any], path: Path, *, unit: bool) -> bool:
    """Fetch a sample, unless it is there already; return whether it was fetched.

    Raises OSError and ServiceError; then the file is not there.
    """
    if path.exists() and (unit or hash_file(path) == sample["content_sha256"]):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    try:
        with service.download(sample["id"], unit=unit) as parts, partial.open("wb") as out:
            for part in parts:
                out.write(part)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return True
