"""How migrations run: on the app's own engine, each in a transaction of its own."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from app import models  # noqa: F401 - every table has to be known
from app.extensions import Base, db
from app.models.base import UtcDateTime, foreign_keys_off


def plain_times(kind: str, column_type: object, _: object) -> str | bool:
    """Migrations name plain column types: they must read the same when the models have moved on."""
    return "sa.DateTime(timezone=True)" if isinstance(column_type, UtcDateTime) else False


def has_model(_: object, name: str | None, kind: str, *__: object) -> bool:
    """Leave out the inverted index, which FTS5 keeps in several tables, and indexes with a direction.

    SQLite does not say in which direction an index sorts, so these would always be seen as changed.
    """
    unseen = {"table": "search_index", "index": "ix_search_rows"}.get(kind)
    return unseen is None or not (name or "").startswith(unseen)


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        transaction_per_migration=True,  # so that no migration keeps the locks of those before it
        render_item=plain_times,
        include_object=has_model,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_on_database() -> None:
    with db.engine.connect() as connection, foreign_keys_off(connection):
        run(connection)
        connection.commit()


def print_as_sql() -> None:
    context.configure(
        url=current_app.config["SETTINGS"].sqlalchemy_url,
        target_metadata=Base.metadata,
        literal_binds=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    print_as_sql()
else:
    run_on_database()
