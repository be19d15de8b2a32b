"""Write rows of any table as lines of JSON, and read them again, the same for SQLite and PostgreSQL.

A table is one line with its name and the kind of each column, followed by one line of values for each row.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

TEXT, WHOLE, FLOAT, FLAG, BYTES = "text", "whole", "float", "flag", "bytes"
TIME, DAY, AMOUNT, DOCUMENT = "time", "day", "amount", "document"

# In this order: a column has the first kind whose type it is.
_KINDS: tuple[tuple[type[sa.types.TypeEngine[Any]], str], ...] = (
    (sa.JSON, DOCUMENT),
    (sa.DateTime, TIME),
    (sa.Date, DAY),
    (sa.Boolean, FLAG),
    (sa.LargeBinary, BYTES),
    (sa.Integer, WHOLE),
    (sa.Float, FLOAT),
    (sa.Numeric, AMOUNT),
    (sa.String, TEXT),
)
_TYPES: Mapping[str, sa.types.TypeEngine[Any]] = {
    TEXT: sa.Text(),
    WHOLE: sa.BigInteger(),
    FLOAT: sa.Double(),
    FLAG: sa.Boolean(),
    BYTES: sa.LargeBinary(),
    TIME: sa.DateTime(timezone=True),
    DAY: sa.Date(),
    AMOUNT: sa.Numeric(12, 6),
    DOCUMENT: sa.JSON(none_as_null=True),
}
_ENCODERS: Mapping[str, Callable[[Any], Any]] = {
    BYTES: lambda value: base64.b64encode(value).decode(),
    TIME: lambda value: value.astimezone(UTC).isoformat(),
    DAY: lambda value: value.isoformat(),
    AMOUNT: str,
}
_DECODERS: Mapping[str, Callable[[Any], Any]] = {
    BYTES: base64.b64decode,
    TIME: datetime.fromisoformat,
    DAY: date.fromisoformat,
    AMOUNT: Decimal,
    # SQLAlchemy writes None as NULL, which is not the document `null`.
    DOCUMENT: lambda text: sa.JSON.NULL if (document := json.loads(text)) is None else document,
}


def column_kinds(table: sa.Table, without: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the kind of each column by its name, or raise TypeError for a type that no kind is for."""
    return {column.name: _kind_of(column) for column in table.columns if column.name not in without}


def select_rows(table: sa.Table, kinds: Mapping[str, str]) -> sa.Select[Any]:
    """Return the query for these columns; documents are read as the text that the database has."""
    columns = (table.columns[name] for name in kinds)
    return sa.select(*(sa.cast(each, sa.Text) if kinds[each.name] == DOCUMENT else each for each in columns))


def encode_row(values: sa.Row[Any], kinds: Mapping[str, str]) -> list[Any]:
    """Return the values of a row as JSON has them."""
    pairs = zip(values, kinds.values(), strict=True)
    return [
        _ENCODERS[kind](value) if value is not None and kind in _ENCODERS else value for value, kind in pairs
    ]


def decode_row(values: list[Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return the values to insert, by column; raise ValueError where there are too many or too few."""
    pairs = zip(kinds.items(), values, strict=True)
    return {
        name: _DECODERS[kind](value) if value is not None and kind in _DECODERS else value
        for (name, kind), value in pairs
    }


def insertable(name: str, kinds: Mapping[str, str]) -> sa.TableClause:
    """Return a table to insert decoded rows into. It needs no model, so the backup may be an older one."""
    return sa.table(name, *(sa.column(column, _TYPES[kind]) for column, kind in kinds.items()))


def _kind_of(column: sa.Column[Any]) -> str:
    plain = column.type.impl_instance if isinstance(column.type, sa.types.TypeDecorator) else column.type
    for each, kind in _KINDS:
        if isinstance(plain, each):
            return kind
    raise TypeError(f"{column} has a type that backups do not know: {column.type!r}")
