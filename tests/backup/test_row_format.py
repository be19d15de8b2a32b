"""Values of each kind of column as JSON, and back as they were."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from app.backup import row_format
from app.backup.backup_contents import saved_tables
from app.models.base import UtcDateTime

THINGS = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("name", sa.String(20)),
    sa.Column("note", sa.Text),
    sa.Column("count", sa.Integer),
    sa.Column("ratio", sa.Float),
    sa.Column("flag", sa.Boolean),
    sa.Column("bytes", sa.LargeBinary),
    sa.Column("seen_at", UtcDateTime),
    sa.Column("day", sa.Date),
    sa.Column("cost", sa.Numeric(12, 6)),
    sa.Column("document", sa.JSON(none_as_null=True)),
)
KINDS = {
    "name": "text",
    "note": "text",
    "count": "whole",
    "ratio": "float",
    "flag": "flag",
    "bytes": "bytes",
    "seen_at": "time",
    "day": "day",
    "cost": "amount",
    "document": "document",
}
IN_INDIA = timezone(timedelta(hours=5, minutes=30))
FULL: dict[str, Any] = {
    "name": "Kick",
    "note": "",
    "count": 0,
    "ratio": 0.1,
    "flag": False,
    "bytes": b"\0\xff",
    "seen_at": datetime(2026, 11, 30, 3, 29, 59, 1, IN_INDIA),
    "day": date(2026, 2, 28),
    "cost": Decimal("0.000001"),
    "document": {"b": [1, None, "ü"]},
}
LINE = [
    "Kick", "", 0, 0.1, False, "AP8=", "2026-11-29T21:59:59.000001+00:00", "2026-02-28", "0.000001",
    '{"b": [1, null, "\\u00fc"]}',
]  # fmt: skip


def test_each_kind_of_value_comes_back_from_its_line() -> None:
    """Rows of nothing but NULL and of nothing but empty values are among them."""
    rows = [FULL, dict.fromkeys(FULL), FULL | {"document": sa.JSON.NULL}, FULL | {"document": 0}]
    kinds = row_format.column_kinds(THINGS)
    assert kinds == KINDS
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        THINGS.create(connection)
        for row in rows:
            connection.execute(THINGS.insert(), row)
        texts = sa.text("SELECT * FROM things")
        stored = connection.execute(texts).all()
        read = connection.execute(row_format.select_rows(THINGS, kinds)).all()
        lines = [json.loads(json.dumps(row_format.encode_row(row, kinds))) for row in read]
        connection.execute(THINGS.delete())
        for line in lines:
            connection.execute(
                sa.insert(row_format.insertable("things", kinds)), row_format.decode_row(line, kinds)
            )
        assert connection.execute(texts).all() == stored
        again = connection.execute(THINGS.select()).all()
    assert lines[:2] == [LINE, [None] * len(LINE)]
    assert (again[0]._asdict(), again[2].document, again[3].document) == (FULL, None, 0)


def test_a_column_that_is_left_out_is_not_read() -> None:
    kinds = row_format.column_kinds(THINGS, without=frozenset({"bytes", "document"}))
    assert kinds == {name: kind for name, kind in KINDS.items() if name not in ("bytes", "document")}
    assert "document" not in str(row_format.select_rows(THINGS, kinds))


def test_a_line_with_too_few_or_too_many_values_is_refused() -> None:
    for line in (LINE[:-1], [*LINE, None]):
        with pytest.raises(ValueError, match="zip"):
            row_format.decode_row(line, KINDS)


def test_times_and_amounts_go_in_as_their_columns_are_on_postgresql() -> None:
    """It casts what is inserted, so a shorter type would round an amount or lose a zone."""
    dialect, compared = sa.create_mock_engine("postgresql://", print).dialect, set[str]()
    for table in saved_tables():
        kinds = row_format.column_kinds(table)
        inserted = row_format.insertable(table.name, kinds)
        for name in (name for name, kind in kinds.items() if kind in ("time", "amount")):
            wanted = table.columns[name].type.compile(dialect)
            assert inserted.columns[name].type.compile(dialect) == wanted, f"{table.name}.{name}"
            compared.add(wanted)
    assert compared == {"TIMESTAMP WITH TIME ZONE", "NUMERIC(12, 6)"}


def test_a_type_without_a_kind_is_named() -> None:
    table = sa.Table("odd", sa.MetaData(), sa.Column("where", postgresql.INET))
    with pytest.raises(TypeError, match=r"odd\.where has a type that backups do not know: INET"):
        row_format.column_kinds(table)
