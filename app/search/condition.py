"""A condition of a search in two forms: exactly, on a sample's row, and as terms of the inverted index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, or_

from app.search.index_terms import Group

MAX_GROUPS = 4  # of alternatives; more rarely name fewer samples
# Of a library. Reading the list of a term that so many samples have takes longer than it saves.
FREQUENT_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Condition:
    """A condition that a sample meets or does not meet.

    `groups` only speeds up the search: every sample that meets `exact` has a term of each group. A condition
    without groups can't use the inverted index. `kinds` and `sounds` are those that such a sample can have,
    None for any.
    """

    exact: ColumnElement[bool]
    groups: tuple[Group, ...] = ()
    kinds: frozenset[str] | None = None
    sounds: frozenset[str] | None = None

    def __invert__(self) -> Condition:
        return Condition(~self.exact)


def all_of(*conditions: Condition) -> Condition:
    """Return the condition that all of these are met."""
    groups = dict.fromkeys(group for each in conditions for group in each.groups)
    exact = and_(True, *(each.exact for each in conditions))
    kinds = _in_all(each.kinds for each in conditions)
    return Condition(exact, tuple(groups), kinds, _in_all(each.sounds for each in conditions))


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
    kinds = _in_any(each.kinds for each in alternatives)
    return Condition(
        exact, tuple(dict.fromkeys(groups)), kinds, _in_any(each.sounds for each in alternatives)
    )


def _in_all(choices: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """Return the values that all of these allow, where None allows any."""
    limited = [values for values in choices if values is not None]
    return frozenset.intersection(*limited) if limited else None


def _in_any(choices: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """Return the values that one of these allows, where None allows any."""
    found = frozenset[str]()
    for values in choices:
        if values is None:
            return None
        found |= values
    return found
