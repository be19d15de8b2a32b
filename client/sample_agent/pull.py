"""Pull sounds back into folders: no file is replaced by another one, and none is ever half written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from sample_agent.folders import hash_file
from sample_agent.service import Service

UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
LONGEST = 200
LIST = ".sample-agent"  # in the target: a line for each WAV for the unit, with the sample's id and its path


class Pull:
    """Fetches samples below a folder, by collection and folder."""

    def __init__(self, service: Service, target: Path, *, unit: bool) -> None:
        self.service, self.target, self.unit = service, target, unit
        self._taken: set[str] = set()  # paths that belong to a sample of this pull
        self._hashes: dict[Path, str] = {}  # of files that were there before
        self._listed = _read_list(target) if unit else {}

    def fetch(self, sample: Mapping[str, Any]) -> bool:
        """Fetch a sample, unless it is there already; return whether it was fetched.

        Raises OSError, ServiceError and httpx.HTTPError; then nothing is left of it.
        """
        path, is_there = self._place(sample)
        if is_there:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.part")
        try:
            with self.service.download(sample["id"], unit=self.unit) as parts, partial.open("wb") as out:
                for part in parts:
                    out.write(part)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        if self.unit:
            with (self.target / LIST).open("a", encoding="utf-8") as listed:
                listed.write(f"{sample['id']} {path.relative_to(self.target).as_posix()}\n")
        return True

    def _place(self, sample: Mapping[str, Any]) -> tuple[Path, bool]:
        """Return where a sample goes, and whether it is there: the first path that no other file has."""
        for path in self._paths(sample):
            key = str(path).casefold()
            if key in self._taken:
                continue
            is_there = path.exists()
            if is_there and not self._is_of(sample, path):
                continue
            self._taken.add(key)
            return path, is_there
        raise AssertionError("there is always a next number")

    def _paths(self, sample: Mapping[str, Any]) -> Iterator[Path]:
        folders = [sample.get("collection") or "", *(sample.get("folder") or "").split("/")]
        folder = self.target.joinpath(*(safe_name(each) for each in folders if each))
        name = Path(safe_name(f"{sample['name']}.wav" if self.unit else sample["filename"]))
        for number in count(1):
            yield folder / (name if number == 1 else f"{name.stem} {number}{name.suffix}")

    def _is_of(self, sample: Mapping[str, Any], path: Path) -> bool:
        if self.unit:
            return self._listed.get(path.relative_to(self.target).as_posix()) == str(sample["id"])
        if path not in self._hashes:
            self._hashes[path] = hash_file(path)
        return self._hashes[path] == str(sample["content_sha256"])


def safe_name(name: str) -> str:
    """Return a name that every file system takes, and that names nothing outside of its folder."""
    plain = UNSAFE.sub("_", name).strip(" .") or "_"
    ending = Path(plain).suffix[:8]
    if len(plain) > LONGEST:
        plain = plain[: LONGEST - len(ending)] + ending
    return f"_{plain}" if RESERVED.match(plain) else plain


def _read_list(target: Path) -> dict[str, str]:
    """Return the sample of each WAV that an earlier pull has written, by its path."""
    try:
        lines = (target / LIST).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition(" ") for line in lines)
    return {path: sample_id for sample_id, _, path in pairs}
