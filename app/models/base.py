"""What every model shares: the base class, ids, times in UTC, and the write transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, DateTime, Dialect, Engine, event
from sqlalchemy.orm import scoped_session
from sqlalchemy.types import TypeDecorator
from ulid import ULID

from app.extensions import Base, db
from app.models import punctuation

if TYPE_CHECKING:
    Model = Base  # mypy can't follow a base class made at run time
else:
    Model = db.Model

WRITE_OPTIONS = {"sqlite_begin": "IMMEDIATE"}


def new_id() -> str:
    """A sortable id of 26 characters that tells nobody how many there are."""
    return str(ULID())


def utcnow() -> datetime:
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC. SQLite stores no zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a time needs its zone")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        stored: datetime = value
        return stored.replace(tzinfo=UTC) if stored.tzinfo is None else stored.astimezone(UTC)


@contextmanager
def transaction() -> Iterator[scoped_session[Any]]:
    """One write transaction, committed at the end or rolled back whole.

    SQLite takes its write lock at the start: a transaction that reads first and writes later
    would otherwise fail half-way, or overwrite what another one has just written.
    """
    db.session.commit()
    db.session.connection(execution_options=WRITE_OPTIONS)
    try:
        yield db.session
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise


def configure_sqlite(engine: Engine) -> None:
    """Make SQLite durable, concurrent and strict; other databases are left alone."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=15000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function(
            punctuation.BlankPunctuation.name, 1, punctuation.blank_punctuation, deterministic=True
        )

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")


@contextmanager
def foreign_keys_off(connection: Connection) -> Iterator[None]:
    """Let a migration rebuild tables on SQLite that others refer to.

    Rebuilding copies a table and drops the old one; with references on, that would take along every row
    that refers to it. The switch does nothing inside a transaction, so it is set on the driver's own
    connection before there is one.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
