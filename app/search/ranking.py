"""The order of a search: chosen by hand, by date when the sentence says so, or by how well its wishes fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func

from app.models import Sample
from app.search import conditions, text_conditions
from app.search.sentence_parser import Term

NAME_MATCH_SCORE = 1000.0  # no sum of wishes comes near


class SortOrder(NamedTuple):
    """Unknown values sort as lowest, so every row has a place."""

    label: str
    column: ColumnElement[Any]
    descending: bool


SORT_ORDERS = {
    "newest": SortOrder("Newest", Sample.id.expression, True),
    "oldest": SortOrder("Oldest", Sample.id.expression, False),
    "name": SortOrder("Name", func.lower(Sample.name), False),
    "bpm": SortOrder("BPM", func.coalesce(Sample.bpm, -1.0), False),
    "length": SortOrder("Length", Sample.duration_s.expression, False),
}


def choose_order(sort: str, sentence: str, pieces: Sequence[Term]) -> SortOrder:
    """What is chosen by hand goes before what is said, and a date before any other wish.

    Otherwise what is called as the sentence says comes first, whatever else the sentence means.
    """
    ranked = _effective_terms(pieces)
    if sort:
        return SORT_ORDERS[sort]
    if ranked and ranked[0].field == "sort":
        return SORT_ORDERS[ranked[0].value[0]]
    is_called_so = text_conditions.name_contains(sentence)
    wanted = [conditions.rank_score(ranked)] if ranked else []
    if is_called_so is not None:
        wanted.append(case((is_called_so, NAME_MATCH_SCORE), else_=0.0))
    return SortOrder("As asked", sum(wanted[1:], wanted[0]), True) if wanted else SORT_ORDERS["newest"]


def order_label(sort: str, pieces: Sequence[Term]) -> str:
    """`dusty and darkest first`; nothing where nobody has asked for an order."""
    ranked = _effective_terms(pieces)
    return f"{SORT_ORDERS[sort].label}, as chosen" if sort and ranked else conditions.describe_order(ranked)


def is_overridden(sort: str, pieces: Sequence[Term], piece: Term) -> bool:
    """Whether a piece would sort, and another order goes before it."""
    if not piece.is_ranking or (piece.field, piece.value) == ("sort", (sort,)):
        return False
    return bool(sort) or piece not in _effective_terms(pieces)


def _effective_terms(pieces: Sequence[Term]) -> list[Term]:
    ranked = [piece for piece in pieces if piece.is_ranking]
    return [piece for piece in ranked if piece.field == "sort"][-1:] or ranked
