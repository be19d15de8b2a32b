"""A second account that has a copy of every row of another one.

A query that forgets whose rows it is about finds the copies too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from app.extensions import Base, db
from app.models import User
from app.models.base import new_id, transaction
from app.search.indexing import follow_changes
from tests.account.rows_of_account import own_rows

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ID = re.compile(rf"(?<![0-9A-Za-z])(?:[0-9A-HJKMNP-TV-Z]{{26}}|{UUID})(?![0-9A-Za-z])")
TIME_CHARACTERS = 10


def add_neighbour(user: User, email: str) -> User:
    """Insert a copy of each row of an account for a new one, with other ids, and return that one."""
    rows, copies = own_rows(user.id), _Copies({user.email: email})
    with transaction() as session:
        for table in Base.metadata.sorted_tables:
            key = next(iter(table.primary_key.columns)).name
            for row in rows.get(table.name, []):
                made: Any = session.execute(sa.insert(table).values(copies.copy_row(table, row)))
                if made.inserted_primary_key is not None:
                    copies.keys[table.name, row[key]] = made.inserted_primary_key[0]
    neighbour = db.session.scalars(sa.select(User).where(User.email == email)).one()
    follow_changes(neighbour.id)
    return neighbour


@dataclass
class _Copies:
    """The ids, keys and address that the copies have, by those of the rows they are made of."""

    texts: dict[str, str]
    keys: dict[tuple[str, Any], Any] = field(default_factory=dict)

    def copy_row(self, table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
        copy: dict[str, Any] = {}
        unique = _unique_columns(table)
        for column in table.columns:
            value = row[column.name]
            parents = [key.column.table.name for key in column.foreign_keys]
            if column is table.autoincrement_column and isinstance(value, int):
                continue
            if parents and (parents[0], value) in self.keys:
                copy[column.name] = self.keys[parents[0], value]
                continue
            copy[column.name] = self.translate(value)
            if column.name in unique and isinstance(value, str) and copy[column.name] == value:
                copy[column.name] = value[::-1]
        return copy

    def translate(self, value: Any) -> Any:
        if isinstance(value, dict | list):
            return json.loads(self.translate(json.dumps(value)))
        if not isinstance(value, str):
            return value
        value = ID.sub(lambda found: self._other_id(found[0]), value)
        for old, new in self.texts.items():
            value = value.replace(old, new) if "@" in old else value
        return value

    def _other_id(self, old: str) -> str:
        """Return another id of the same time, always the same for one id."""
        if old not in self.texts:
            is_uuid = "-" in old
            self.texts[old] = str(uuid4()) if is_uuid else old[:TIME_CHARACTERS] + new_id()[TIME_CHARACTERS:]
        return self.texts[old]


def _unique_columns(table: sa.Table) -> set[str]:
    """Return the columns whose values are unique in the whole table."""
    rules: list[Any] = [each for each in table.constraints if isinstance(each, sa.UniqueConstraint)]
    indexes = [each for each in table.indexes if each.unique]
    named = [set(each.columns.keys()) for each in (*rules, *indexes)]
    return set().union(*(names for names in named if len(names) == 1))
