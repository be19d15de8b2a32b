"""An order as tiers: parts that are listed one after another, each in an order that an index has.

So of any number of matches all are listed in the right order, though only those of one page are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, true

from app.models.search_row import NO_TEMPO, SearchRow
from app.music.musical_keys import ALL_KEYS
from app.music.sound_classes import KINDS
from app.search import ranking, text_conditions
from app.search.condition import Condition, all_of, any_of
from app.search.ranking import NEWEST, SortOrder
from app.search.sample_query import SampleQuery

MAX_BOOSTS = 2  # each one doubles the number of tiers
EVERY = Condition(true())


class Tier(NamedTuple):
    """The samples that meet a condition, and their order. All are in the part `span` of the order's index."""

    condition: Condition
    order: SortOrder
    span: ColumnElement[bool] = true()

    @property
    def exact(self) -> ColumnElement[bool]:
        """What makes a row one of this tier."""
        return and_(self.condition.exact, self.span)


def _tiers_of_tempo(descending: bool) -> list[Tier]:
    """Put samples without a tempo last."""
    unknown = Condition(ranking.BPM == NO_TEMPO, text_conditions.has_trait("lacks", "bpm").groups)
    order = SortOrder("BPM", ranking.BPM, descending, by="kind")
    return [Tier(EVERY, order, ranking.BPM > NO_TEMPO), Tier(unknown, NEWEST)]


def _tiers_of_keys() -> list[Tier]:
    """Put samples without a key last."""
    order = SortOrder("Key", ranking.KEY, False)
    return [Tier(EVERY, order, ranking.KEY > ""), Tier(EVERY, NEWEST, ranking.KEY == "")]


def _tiers_of_keys_backwards() -> list[Tier]:
    """Make a tier of each key: the index has the oldest of a key first when it is read backwards."""
    keys = *sorted(ALL_KEYS, reverse=True), ""
    return [Tier(_every_of_key(key), NEWEST, SearchRow.key.expression == key) for key in keys]


def _every_of_key(key: str) -> Condition:
    return Condition(EVERY.exact, values={"key": frozenset({key})})


def _tiers_of_classes(descending: bool) -> list[Tier]:
    """Make a tier of each kind, sorted by its sounds."""
    order = SortOrder("Kind", ranking.SOUND, descending)
    return [
        Tier(EVERY, order, SearchRow.kind.expression == kind) for kind in sorted(KINDS, reverse=descending)
    ]


TIERS_OF_SORT = {
    "bpm": _tiers_of_tempo(False),
    "-bpm": _tiers_of_tempo(True),
    "key": _tiers_of_keys(),
    "-key": _tiers_of_keys_backwards(),
    "kind": _tiers_of_classes(False),
    "-kind": _tiers_of_classes(True),
}


def split_order(query: SampleQuery) -> list[Tier] | None:
    """Return the order of a search as tiers; None where each match has to be ranked by itself.

    Every sample is in exactly one of the tiers.
    """
    order = ranking.choose_order(query.sort, query.ask, query.terms)
    if query.sort in TIERS_OF_SORT:
        return TIERS_OF_SORT[query.sort]
    if order.is_stored:
        return [Tier(EVERY, order)]
    axis = ranking.single_axis(query.terms)
    tiers = _tiers_of_axis(axis) if axis else _tiers_of_boosts(query)
    if tiers is None:
        return None
    has_name, is_class = text_conditions.name_contains(query.ask), ranking.asked_class(query.terms)
    if has_name is not None:
        tiers = [Tier(has_name, NEWEST), *_within(~has_name, tiers)]
    return tiers if is_class is None else [*_within(is_class, tiers), *_within(~is_class, tiers)]


def _within(condition: Condition, tiers: Sequence[Tier]) -> list[Tier]:
    """Return the parts of tiers that meet a condition."""
    return [tier._replace(condition=all_of(tier.condition, condition)) for tier in tiers]


def _tiers_of_axis(axis: SortOrder) -> list[Tier]:
    """Put samples whose figure is not known last."""
    unknown = Condition(axis.column.is_(None))
    return [Tier(EVERY, axis, axis.column.is_not(None)), Tier(unknown, NEWEST)]


def _tiers_of_boosts(query: SampleQuery) -> list[Tier] | None:
    """Make a tier for each sum of the weights of boosts that a sample may meet."""
    boosts = ranking.boosts_alone(query.terms)
    if boosts is None or len(boosts) > MAX_BOOSTS:
        return None
    sums: defaultdict[float, list[Condition]] = defaultdict(list)
    for met in product((True, False), repeat=len(boosts)):
        total = sum(weight for (_, weight), is_met in zip(boosts, met, strict=True) if is_met)
        sums[total].append(_meets(boosts, met))
    return [Tier(any_of(*sums[total]), NEWEST) for total in sorted(sums, reverse=True)]


def _meets(boosts: Sequence[tuple[Condition, float]], met: Sequence[bool]) -> Condition:
    wanted = [boost if is_met else ~boost for (boost, _), is_met in zip(boosts, met, strict=True)]
    return all_of(*wanted)
