"""Run the deletion of a closed account, as workers do."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.account import closing
from app.extensions import db
from app.integrations.storage import StorageError
from app.models import AccountClosing
from app.models.base import transaction, utcnow
from app.notify import outbox


def fail_in_store(*_: object, **__: object) -> Any:
    raise StorageError("the store is away")


def finish() -> None:
    """Do what workers do, until nothing is due."""
    closing.finish_due_closings()
    outbox.deliver_mails()
    db.session.expire_all()


def make_due(**values: Any) -> None:
    with transaction() as session:
        session.execute(sa.update(AccountClosing).values(next_try_at=utcnow(), **values))


def the_closing() -> AccountClosing:
    db.session.expire_all()
    return db.session.scalars(sa.select(AccountClosing)).one()
