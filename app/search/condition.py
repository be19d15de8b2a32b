"""A condition of a search in two forms: exactly, on a sample's row, and as terms of the inverted index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, and_, or_

from app.search.index_terms import Group

MAX_GROUPS = 4  # of alternatives; more rarely name fewer samples
# Of a library. Reading the list of a term that so many samples have takes longer than it saves.
FREQUENT_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Condition:
    """A condition that a sample meets or does not meet.

    `groups` only speeds up the search: every sample that meets `exact` has a term of each group. A condition
    without groups can't use the inverted index. `values` are those that such a sample can have in a column,
    by its name: the kind, the sound or the key. It can have any value in a column that is not there.
    """

    exact: ColumnElement[bool]
    groups: tuple[Group, ...] = ()
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __invert__(self) -> Condition:
        return Condition(~self.exact)


def all_of(*conditions: Condition) -> Condition:
    """Return the condition that all of these are met."""
    groups = dict.fromkeys(group for each in conditions for group in each.groups)
    exact = and_(True, *(each.exact for each in conditions))
    values: dict[str, frozenset[str]] = {}
    for each in conditions:
        values |= {name: values.get(name, found) & found for name, found in each.values.items()}
    return Condition(exact, tuple(groups), values)


def without_frequent(wanted: Condition, shares: Mapping[str, float]) -> Condition:
    """Return the condition without the groups that a large share of a library has, unless it has only those.

    `shares` has what is known about terms; no sample has two of the same group.
    """
    share_of = {group: sum(shares.get(term, 0.0) for term in group) for group in wanted.groups}
    rare = tuple(group for group, share in share_of.items() if share < FREQUENT_SHARE)
    return replace(wanted, groups=rare or tuple(sorted(share_of, key=share_of.__getitem__)[:1]))


def any_of(*alternatives: Condition) -> Condition:
    """Return the condition that one of these is met.

    A sample has a term of each group of the one it meets. So it has a term of any union that takes one group
    of each alternative.
    """
    count = min(max(len(each.groups) for each in alternatives), MAX_GROUPS)
    if not all(each.groups for each in alternatives):
        count = 0
    groups = (
        frozenset().union(*(each.groups[min(place, len(each.groups) - 1)] for each in alternatives))
        for place in range(count)
    )
    exact = or_(*(each.exact for each in alternatives))
    limited = set[str].intersection(*(set(each.values) for each in alternatives))
    values = {name: frozenset().union(*(each.values[name] for each in alternatives)) for name in limited}
    return Condition(exact, tuple(dict.fromkeys(groups)), values)
