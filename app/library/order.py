"""The order of a search: chosen by hand, by date when the sentence says so, or by how well its wishes fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func

from app.library import wishes
from app.library.ask import Piece
from app.models import Sample


class Order(NamedTuple):
    """Unknown values sort as lowest, so every row has a place."""

    label: str
    column: ColumnElement[Any]
    descending: bool


SORTS = {
    "newest": Order("Newest", Sample.id.expression, True),
    "oldest": Order("Oldest", Sample.id.expression, False),
    "name": Order("Name", func.lower(Sample.name), False),
    "bpm": Order("BPM", func.coalesce(Sample.bpm, -1.0), False),
    "length": Order("Length", Sample.duration_s.expression, False),
}


def of(sort: str, pieces: Sequence[Piece]) -> Order:
    """What is chosen by hand goes before what is said, and a date before any other wish."""
    ranked = _in_force(pieces)
    if sort or not ranked:
        return SORTS[sort or "newest"]
    if ranked[0].field == "sort":
        return SORTS[ranked[0].value[0]]
    return Order("As asked", wishes.rank(ranked), True)


def words(sort: str, pieces: Sequence[Piece]) -> str:
    """`dusty and darkest first`; nothing where nobody has asked for an order."""
    ranked = _in_force(pieces)
    return f"{SORTS[sort].label}, as chosen" if sort and ranked else wishes.ranking(ranked)


def _in_force(pieces: Sequence[Piece]) -> list[Piece]:
    ranked = [piece for piece in pieces if piece.is_ranking]
    return [piece for piece in ranked if piece.field == "sort"][-1:] or ranked
