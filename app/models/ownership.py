"""Look up a row as its owner: the lookup is the authorisation."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.sql.base import ExecutableOption

from app.extensions import db
from app.models.base import Model
from app.models.user import User

Row = TypeVar("Row", bound=Model)


class RowNotFoundError(LookupError):
    """There is no such row, or it belongs to another user. Both are answered with 404."""


def owned_by(
    user: User,
    model: type[Row],
    row_id: str,
    *conditions: ColumnElement[bool],
    options: tuple[ExecutableOption, ...] = (),
) -> Row:
    """Return the user's row with this id that meets the conditions, or raise RowNotFoundError."""
    owned = select(model).filter_by(id=row_id, user_id=user.id).where(*conditions)
    row = db.session.scalar(owned.options(*options))
    if row is None:
        raise RowNotFoundError(model.__name__)
    return row
