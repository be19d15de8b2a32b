"""The order of a search: chosen by hand, by date when the sentence says so, or by how well its wishes fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func

from app.models import Sample
from app.search import conditions, text_conditions
from app.search.sentence_parser import Piece

ABOVE_ALL = 1000.0  # no sum of wishes comes near


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


def of(sort: str, sentence: str, pieces: Sequence[Piece]) -> Order:
    """What is chosen by hand goes before what is said, and a date before any other wish.

    Otherwise what is called as the sentence says comes first, whatever else the sentence means.
    """
    ranked = _in_force(pieces)
    if sort:
        return SORTS[sort]
    if ranked and ranked[0].field == "sort":
        return SORTS[ranked[0].value[0]]
    is_called_so = text_conditions.called(sentence)
    wanted = [conditions.rank(ranked)] if ranked else []
    if is_called_so is not None:
        wanted.append(case((is_called_so, ABOVE_ALL), else_=0.0))
    return Order("As asked", sum(wanted[1:], wanted[0]), True) if wanted else SORTS["newest"]


def words(sort: str, pieces: Sequence[Piece]) -> str:
    """`dusty and darkest first`; nothing where nobody has asked for an order."""
    ranked = _in_force(pieces)
    return f"{SORTS[sort].label}, as chosen" if sort and ranked else conditions.ranking(ranked)


def is_idle(sort: str, pieces: Sequence[Piece], piece: Piece) -> bool:
    """Whether a piece would sort, and another order goes before it."""
    if not piece.is_ranking or (piece.field, piece.value) == ("sort", (sort,)):
        return False
    return bool(sort) or piece not in _in_force(pieces)


def _in_force(pieces: Sequence[Piece]) -> list[Piece]:
    ranked = [piece for piece in pieces if piece.is_ranking]
    return [piece for piece in ranked if piece.field == "sort"][-1:] or ranked
