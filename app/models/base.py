"""The parts that all models share: base class, ids, times in UTC, and the write transaction."""

from __future__ import annotations

import hashlib
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
SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "busy_timeout=15000",
    "cache_size=-65536",  # in KiB; the default of 2 MB holds few of the rows that a search counts
)
# Set in the session's `info` while a `transaction()` is open.
IS_WRITING = "is_writing"


def new_id() -> str:
    """Return a new id of 26 characters that sorts by time and does not reveal how many rows there are."""
    return str(ULID())


def derived_id(parent_id: str, number: int) -> str:
    """Return an id that is always the same for a row's id and a number, and sorts by both."""
    place = number.to_bytes(3, "big")
    digest = hashlib.sha256(f"{parent_id}:{number}".encode()).digest()
    return str(ULID(ULID.from_str(parent_id).bytes[:6] + place + digest[:7]))


def utcnow() -> datetime:
    """Return the current time, aware of its zone."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC. SQLite stores no zone, so it is added again when a row is read."""

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
    """Run one write transaction: committed at the end, or rolled back as a whole.

    On SQLite it takes the write lock at the start. Otherwise a transaction that reads first and writes later
    could fail half-way, or overwrite what another one has just written.
    """
    db.session.commit()
    db.session.connection(execution_options=WRITE_OPTIONS)
    db.session.info[IS_WRITING] = True
    try:
        yield db.session
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        db.session.info[IS_WRITING] = False


def release_connection() -> None:
    """Return the database connection to the pool before something slow.

    Records stay usable: their values are read again when they are needed. Raises RuntimeError inside a
    `transaction()`, and when changes were made outside of one, because those would be lost.
    """
    unsaved = [*db.session.new, *db.session.dirty, *db.session.deleted]
    if db.session.info.get(IS_WRITING) or unsaved:
        raise RuntimeError("a transaction is open while something slow is about to run")
    db.session.rollback()


def configure_sqlite(engine: Engine) -> None:
    """Make SQLite durable, concurrent and strict. Other databases stay as they are."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in SQLITE_PRAGMAS:
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
    """Let a migration rebuild tables on SQLite that other tables refer to.

    Rebuilding copies a table and drops the old one. With foreign keys on, that would also delete every row
    that refers to it. The pragma has no effect inside a transaction, so it is set on the driver's own
    connection before one begins.
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
