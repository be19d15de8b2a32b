"""Decide what a backup holds: which tables, which columns are sealed, and which name objects of the store."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.extensions import Base
from app.models import DataExport, Job
from app.models.job import UNFINISHED

# Tables that are not in a backup, with the reason.
LEFT_OUT = {
    "user_sessions": "everyone signs in again, because a restored session may have been ended since",
    "mail_links": "links work once, and one of them may have been used since",
    "ai_asking": "locks of seconds",
    "workers": "processes that run no more",
    "search_rows": "the search index is made again from the samples",
    "library_counts": "part of the search index",
    "library_tags": "part of the search index",
    "libraries": "part of the search index",
    "sample_changes": "part of the search index",
}
# Columns that would let their reader act as somebody. They are encrypted with a key made from SECRET_KEY.
SEALED = {("two_factors", "secret"), ("webhook_endpoints", "secret")}
# Columns with keys of the store. A job's file is only needed as long as the job may still run.
KEY_COLUMNS = {
    "samples": ("original_key", "sp404_key"),
    "processing_jobs": ("incoming_key",),
    "data_exports": ("storage_key",),
    "card_exports": ("store_key",),
    "kit_bases": ("store_key",),
    "project_uploads": ("store_key",),
    "renders": ("store_key",),
    "account_closings": ("archive_key",),
}


def saved_tables() -> list[sa.Table]:
    """Return the tables of a backup, each after those it refers to."""
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]


class Sealer:
    """Encrypts secrets with a key that is made from SECRET_KEY, which no backup holds."""

    def __init__(self, signing_keys: Sequence[str]) -> None:
        """Seal with the last key, and open what was sealed with any of them."""
        # The web process imports this module and never makes a backup.
        from cryptography.fernet import Fernet, MultiFernet

        digests = [hashlib.sha256(b"secrets of backups\0" + key.encode()).digest() for key in signing_keys]
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(each)) for each in reversed(digests)])

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str | None:
        """Return the secret, or None if it was sealed with another SECRET_KEY."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None


def sealed_columns(table: str, columns: Iterable[str]) -> list[int]:
    """Return the places of the columns of a table that are sealed."""
    return [place for place, column in enumerate(columns) if (table, column) in SEALED]


def named_keys(table: str, row: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Yield the keys of objects that a row can't do without."""
    if table == Job.__tablename__ and not _may_run(row, now):
        return
    if table == DataExport.__tablename__ and row["ready_at"] is None:
        return
    for column in KEY_COLUMNS.get(table, ()):
        if row[column]:
            yield row[column]


def _may_run(row: Mapping[str, Any], now: datetime) -> bool:
    return row["state"] in UNFINISHED or (row["kept_until"] is not None and row["kept_until"] > now)
