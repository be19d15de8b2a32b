"""Things that an account has no more, beside those it has: a query that forgets to ask finds them too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from app.extensions import db
from app.models import (
    ApiToken,
    AudioFeatures,
    CardExport,
    Collection,
    DuplicateMember,
    Kit,
    Sample,
    SampleVector,
    Usage,
    User,
    UserSession,
)
from app.models.base import new_id, transaction, utcnow
from app.search.indexing import follow_changes

LONG_AGO = timedelta(days=400)


def add_gone_things(user: User) -> None:
    """Add a copy of what can be deleted, ended or too old, which is so."""
    now, old = utcnow(), utcnow() - LONG_AGO
    with transaction() as session:
        _copy(Kit, user, deleted_at=now)
        _copy(Collection, user, deleted_at=now, folded_name="gone")
        _copy(ApiToken, user, revoked_at=now, secret_sha256="0" * 64)
        _copy(UserSession, user, seen_at=old, secret_sha256="0" * 64)
        _copy(CardExport, user, created_at=old, store_key=f"made/{user.id}/old.zip")
        _copy_sample(user, deleted_at=now)
        for kind, cost in (("upload", 0), ("ai", 1)):
            session.add(
                Usage(
                    user_id=user.id,
                    kind=kind,
                    entry_key=f"old:{kind}",
                    quantity=1,
                    cost_usd=cost,
                    effective_at=old,
                )
            )
    follow_changes(user.id)


def _copy(model: Any, user: User, **values: Any) -> Any:
    """Add a copy of the user's first row of a model, and return it with its new id."""
    row = db.session.execute(
        sa.select(model.__table__).where(model.user_id == user.id).order_by(model.id).limit(1)
    )
    copy = dict(row.mappings().one()) | {"id": new_id()} | values
    db.session.execute(sa.insert(model.__table__).values(copy))
    return copy


def _copy_sample(user: User, **values: Any) -> None:
    """Add a copy of a sample with what was measured of it, in the group of the same recording."""
    of = db.session.scalars(
        sa.select(DuplicateMember.sample_id).join(Sample).where(Sample.user_id == user.id).limit(1)
    ).one()
    table: Any = Sample.__table__
    sample = dict(db.session.execute(sa.select(table).where(table.c.id == of)).mappings().one())
    made = new_id()
    db.session.execute(sa.insert(table).values(sample | {"id": made} | values))
    for model in (AudioFeatures, SampleVector, DuplicateMember):
        other: Any = model.__table__
        rows = db.session.execute(sa.select(other).where(other.c.sample_id == of)).mappings()
        for row in rows.all():
            copy = {name: value for name, value in row.items() if name != "number"}
            db.session.execute(sa.insert(other).values(copy | {"sample_id": made}))
