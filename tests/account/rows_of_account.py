"""All rows of an account, and by what of them it could be recognised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from app.extensions import Base, db


def own_rows(user_id: str) -> dict[str, list[dict[str, Any]]]:
    """Return the account's rows by table, by walking every foreign key independently of the product."""
    found = {"users": {user_id}}
    for table in Base.metadata.sorted_tables:
        primary = next(iter(table.primary_key.columns))
        for key in table.foreign_keys:
            parents = found.get(key.column.table.name, set())
            rows = db.session.execute(sa.select(primary).where(key.parent.in_(parents)))
            found.setdefault(table.name, set()).update(row[0] for row in rows)
    tables = {name: Base.metadata.tables[name] for name, keys in found.items() if keys}
    return {
        name: [
            dict(row)
            for row in db.session.execute(
                sa.select(table).where(next(iter(table.primary_key.columns)).in_(found[name]))
            ).mappings()
        ]
        for name, table in tables.items()
    }


def ids_of(rows: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Yield the primary keys of all the account's rows, and the ids that a vendor knows.

    An invoice stays as part of the books, and a number says nothing.
    """
    for name in rows.keys() - {"invoices", "sample_tags"}:
        columns = [column.name for column in Base.metadata.tables[name].primary_key.columns]
        for row in rows[name]:
            ids = (row[column] for column in columns)
            yield from (value for value in ids if isinstance(value, str) and len(value) >= 20)
    yield from (row["generation_id"] for row in rows["ai_calls"])


def secrets_of(rows: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Yield every secret value: hashes, signing secrets, fencing tokens."""
    words = ("hash", "secret", "token", "recovery", "fingerprint")
    for table in rows.values():
        for row in table:
            named = (value for column, value in row.items() if any(word in column for word in words))
            yield from (value for value in named if isinstance(value, str) and len(value) >= 8)
