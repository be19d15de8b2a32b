"""The statements of a session as PostgreSQL would get them: SQLite leaves out how rows are locked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Select, create_engine, event
from sqlalchemy.orm import ORMExecuteState

from app.extensions import db

POSTGRES = create_engine("postgresql+psycopg://").dialect


@contextmanager
def sent_to_postgres() -> Iterator[list[str]]:
    """Collect what the session selects meanwhile, in its order."""
    sent: list[str] = []

    def note(state: ORMExecuteState) -> None:
        if isinstance(state.statement, Select):
            sent.append(" ".join(str(state.statement.compile(dialect=POSTGRES)).split()))

    event.listen(db.session, "do_orm_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.session, "do_orm_execute", note)
