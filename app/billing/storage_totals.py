"""How many bytes an account stores: a sum over the ledger, most of which is kept.

The ledger is the truth. A kept total is the sum of one account's rows up to a number, so that a library of a
million samples is not added up at each upload.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import StorageTotal, Usage
from app.models.base import transaction, utcnow
from app.models.usage import STORAGE

SETTLED_AFTER = timedelta(days=1)
"""Rows get their numbers before they are committed. No transaction is open for so long, so among rows that
are older none can still appear."""


def stored_bytes(user_id: str) -> int:
    """Return the sum of an account's storage rows."""
    kept = select(StorageTotal.up_to, StorageTotal.quantity).where(StorageTotal.user_id == user_id)
    # Two statements: PostgreSQL plans the sum for the few rows that there are only when it knows the number.
    up_to, quantity = db.session.execute(kept).one_or_none() or (0, 0)
    own = Usage.user_id == user_id, Usage.kind == STORAGE, Usage.id > up_to
    return int(quantity + (db.session.scalar(select(func.sum(Usage.quantity)).where(*own)) or 0))


def keep_totals() -> None:
    """Bring the kept totals up to the settled rows. Safe to stop at any time, and to run twice at once."""
    old = select(func.max(Usage.id)).where(Usage.created_at < utcnow() - SETTLED_AFTER)
    settled = db.session.scalar(old) or 0
    rows = (
        select(Usage.user_id, func.sum(Usage.quantity), StorageTotal.up_to)
        .outerjoin(StorageTotal, StorageTotal.user_id == Usage.user_id)
        .where(Usage.kind == STORAGE, Usage.user_id.is_not(None), Usage.id <= settled)
        .where(Usage.id > func.coalesce(StorageTotal.up_to, 0))
        .group_by(Usage.user_id, StorageTotal.up_to)
    )
    for user_id, quantity, up_to in db.session.execute(rows).all():
        add_to_total(str(user_id), quantity, up_to, settled)
    db.session.commit()


def add_to_total(user_id: str, quantity: int, after: int | None, up_to: int) -> None:
    """Add the rows after one number up to another, unless another process has added them."""
    with suppress(IntegrityError), transaction() as session:
        if after is None:
            session.add(StorageTotal(user_id=user_id, up_to=up_to, quantity=quantity))
            return
        same = StorageTotal.user_id == user_id, StorageTotal.up_to == after
        more = {"up_to": up_to, "quantity": StorageTotal.quantity + quantity}
        session.execute(update(StorageTotal).where(*same).values(more))
