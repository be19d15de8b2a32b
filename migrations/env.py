"""How migrations run: on the app's own engine, inside one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from app import models  # noqa: F401 - every table has to be known
from app.extensions import Base, db
from app.models.base import UtcDateTime


def plain_times(kind: str, column_type: object, _: object) -> str | bool:
    """Migrations name plain column types: they must read the same when the models have moved on."""
    return "sa.DateTime(timezone=True)" if isinstance(column_type, UtcDateTime) else False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=plain_times,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_on_database() -> None:
    with db.engine.connect() as connection, references_off(connection):
        run(connection)
        connection.commit()


@contextmanager
def references_off(connection: Connection) -> Iterator[None]:
    """Let SQLite rebuild tables that others refer to.

    Batch mode copies a table and drops the old one; with references on, that would take along every row
    that refers to it. The switch does nothing inside a transaction, so it is set on the driver's own
    connection before there is one.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def print_as_sql() -> None:
    context.configure(
        url=current_app.config["SETTINGS"].sqlalchemy_url, target_metadata=Base.metadata, literal_binds=True
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    print_as_sql()
else:
    run_on_database()
