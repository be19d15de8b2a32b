"""Keep objects as files below one folder; the app itself serves their links."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from itsdangerous import BadSignature, URLSafeTimedSerializer

from app import tracing
from app.download_names import safe_file_name
from app.integrations.storage.interface import (
    URL_LIFETIME_S,
    ObjectMissingError,
    StoredObject,
    translate_errors,
)

DRAFT_ENDING = ".part"


class InvalidLinkError(Exception):
    """The signed link was altered or is too old."""


class DiskStore:
    """A folder, as a Store; its links are signed, and the app serves them under /media."""

    def __init__(self, root: Path, signing_keys: list[str], base_path: str = "") -> None:
        self.root, self._base_path = root.resolve(), base_path
        self._signer = URLSafeTimedSerializer(signing_keys, salt="media")

    @tracing.traced("store put", "client")
    def put(self, key: str, source: Path, content_type: str) -> None:
        target = self._path(key)
        with translate_errors():
            try:
                _copy_atomically(source, target)
            except FileNotFoundError:
                # Another process that deleted an object may have removed the folder because it was empty.
                _copy_atomically(source, target)

    @tracing.traced("store fetch", "client")
    def fetch(self, key: str, target: Path) -> None:
        with translate_errors():
            try:
                shutil.copyfile(self._path(key), target)
            except FileNotFoundError as error:
                raise ObjectMissingError(str(error)) from error

    @tracing.traced("store read", "client")
    def read(self, key: str, first: int, count: int) -> bytes:
        with translate_errors():
            try:
                with self._path(key).open("rb") as file:
                    file.seek(first)
                    return file.read(count)
            except FileNotFoundError as error:
                raise ObjectMissingError(str(error)) from error

    @tracing.traced("store copy", "client")
    def copy(self, key: str, target_key: str) -> None:
        self.put(target_key, self._path(key), "")

    @tracing.traced("store delete", "client")
    def delete(self, key: str) -> None:
        path = self._path(key)
        with translate_errors():
            path.unlink(missing_ok=True)
            _remove_empty_parents(path.parent, self.root)

    def older_than(self, prefix: str, time: datetime) -> Iterator[str]:
        for path in _files_below(self.root / prefix):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.timestamp():
                    yield path.relative_to(self.root).as_posix()

    def check_reachable(self) -> None:
        with translate_errors():
            self.root.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".reachable-{token_hex(4)}{DRAFT_ENDING}"
            probe.touch()
            probe.unlink()

    def list_objects(self) -> Iterator[StoredObject]:
        """Yield every file; each `put` makes a new inode, so a version is never used twice."""
        for path in _files_below(self.root):
            with suppress(FileNotFoundError):
                if path.suffix != DRAFT_ENDING:
                    found = path.stat()
                    version = f"{found.st_mtime_ns}-{found.st_ino}"
                    yield StoredObject(path.relative_to(self.root).as_posix(), found.st_size, version)

    def url(self, key: str, *, content_type: str, download_name: str | None = None) -> str:
        name = None if download_name is None else safe_file_name(download_name)
        return f"{self._base_path}/media/{self._signer.dumps([key, content_type, name])}"

    def open_link(self, token: str) -> tuple[Path, str, str | None]:
        """Return the path, content type and download name of a link's token, or raise InvalidLinkError."""
        try:
            key, content_type, download_name = self._signer.loads(token, max_age=URL_LIFETIME_S)
        except BadSignature as error:
            raise InvalidLinkError from error
        return self._path(key), content_type, download_name

    def _path(self, key: str) -> Path:
        path = (self.root / key).resolve()
        if self.root not in path.parents:
            raise ValueError(f"not a key: {key!r}")
        return path


def _copy_atomically(source: Path, target: Path) -> None:
    """Copy to a temporary name and rename, so that a reader sees the whole file or none of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{token_hex(4)}{DRAFT_ENDING}")
    try:
        shutil.copyfile(source, draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _files_below(folder: Path) -> list[Path]:
    """Return the files below a folder. Folders that go meanwhile are passed over."""
    return sorted(Path(parent, name) for parent, _, names in os.walk(folder) for name in names)


def _remove_empty_parents(folder: Path, root: Path) -> None:
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
