"""Search the database, the store and the log for what is left of an account."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.extensions import db, settings
from app.logs import FORMAT, LogFormatter
from tests.account.full_account import FullAccount


def cells() -> Iterator[tuple[str, str, str]]:
    """Yield table, column and text of every value in the database."""
    for table in sa.inspect(db.engine).get_table_names():
        for row in db.session.execute(sa.text(f'SELECT * FROM "{table}"')).mappings():
            for column, value in row.items():
                yield table, column, _plain(value)
    db.session.commit()


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False).lower()
    text = str(value)
    if "\\u" in text:
        text += text.encode().decode("unicode_escape", "replace")
    return text.lower()


def traces_in_database(account: FullAccount) -> set[tuple[str, str, str]]:
    """Return where a trace of the account is left: table, column and the trace."""
    return {
        (table, column, trace) for table, column, text in cells() for trace in account.traces if trace in text
    }


def store_files() -> dict[str, bytes]:
    root = settings().data_dir / "store"
    paths = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def traces_in_store(account: FullAccount, files: dict[str, bytes]) -> set[tuple[str, str]]:
    """Return the objects whose key or bytes have a trace of the account."""
    return {
        (key, trace)
        for key, content in files.items()
        for trace in account.traces
        if trace in key.lower() or trace.encode() in content.lower()
    }


@contextmanager
def captured_log() -> Iterator[io.StringIO]:
    """Collect every line that is logged inside the block, as the product formats it."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(LogFormatter(FORMAT, defaults={"about": "-"}))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def temporary_files() -> list[Path]:
    folder = settings().data_dir / "tmp"
    return sorted(folder.iterdir()) if folder.is_dir() else []
