"""Count what a search finds: in all, and by kind, sound and key, with the other filters in force.

Counts without further conditions are read from the library's summary. Others are counted row by row, but no
further than `MAX_COUNTED`: a count beyond is only known to be larger. Each process keeps the last of these
until the library changes, for the next pages of a search, for another order of it and for coming back to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import func, select

from app.extensions import db
from app.models.base import utcnow
from app.models.search_row import Library, LibraryCount, SearchRow
from app.music.sound_classes import SOUND_FAMILIES, SOUNDS, sounds_named
from app.search import filters, index_terms, inverted_index
from app.search.condition import Condition, all_of, without_frequent
from app.search.conditions import term_conditions
from app.search.index_terms import Group
from app.search.matching import gathered
from app.search.sample_query import SampleQuery
from app.search.sentence_parser import Term

MAX_COUNTED = 1_000
MAX_KEPT = 512  # counted searches; each takes some 10 kB
MAX_NUMBERS_KEPT = 4096  # each takes less than 1 kB
Values = Sequence[tuple[str, int | None]]
"""Values of a filter with their numbers of samples; None where only larger than `MAX_COUNTED` is known."""


Cell = tuple[int, str, str, str, bool, int]
"""The id of a combination of kind, sound, key and like, these four, and how many samples have it.

Sound and key are empty for none.
"""
CELLS = LibraryCount.__table__


@dataclass(frozen=True)
class MatchCounts:
    """How many samples a search finds. With `is_more` there are more than `total`.

    `shares` are the parts of the library that have the terms of the index whose samples are counted.
    `version` is that of the library, if it was asked for.
    """

    library_size: int
    total: int
    is_more: bool
    kinds: Values
    sounds: Values
    keys: Values
    shares: Mapping[str, float] = field(default_factory=dict)
    version: int | None = None


class CountedSearch(NamedTuple):
    """A search of a library in one version: equal ones find equally many samples."""

    user_id: str
    version: int
    query: SampleQuery
    terms: tuple[Term, ...]
    most: int  # how many are counted
    minute: int | None  # for samples added within some days: they become fewer as time passes


class NamedSamples(NamedTuple):
    """The samples of a library in one version that the inverted index names for a term of each group."""

    user_id: str
    version: int
    groups: tuple[Group, ...]
    most: int  # how many are counted


def count_matches(user_id: str, query: SampleQuery) -> MatchCounts:
    """Count what a search finds in a user's library."""
    if not query.terms and filters.is_counted(query):
        is_filtered = query.liked or bool(filters.count_filters(query))
        # Asked before the counts: what is kept under a version must not come from an older one.
        version = _library_version(user_id) if is_filtered else None
        return replace(_library_counts(user_id, query), version=version)
    return kept_counts(name_search(user_id, query, MAX_COUNTED))


def library_values(user_id: str) -> MatchCounts:
    """Return the values of a library's filters, without how many samples of a search have them."""
    return _kept_values(user_id, _library_version(user_id))


@lru_cache(MAX_KEPT)
def _kept_values(user_id: str, _version: int) -> MatchCounts:
    return _without_numbers(_library_counts(user_id, SampleQuery()))


def name_search(
    user_id: str,
    query: SampleQuery,
    most: int,
    version: int | None = None,
    also: Sequence[SampleQuery] = (),
) -> CountedSearch:
    """Return the name under which a process keeps what it counts of a search, also of those beside it."""
    known = _library_version(user_id) if version is None else version
    is_about_days = any(term.field == "days" for each in (query, *also) for term in each.terms)
    minute = int(utcnow().timestamp() // 60) if is_about_days else None
    return CountedSearch(user_id, known, replace(query, sort=""), query.terms, most, minute)


def _count_rows(search: CountedSearch) -> MatchCounts:
    user_id, version, query, found, most, _ = search
    library, terms = _library_cells(user_id), term_conditions(found)
    size = _number_in(library)
    shares = _term_shares(library, size)
    others = all_of(*filters.other_filters(query), *terms)
    cells = _in_cells(library, _count_cells(user_id, without_frequent(others, shares), most))
    if _number_in(cells) <= most:
        return replace(_counts(cells, query, library), shares=shares, version=version)
    total = most + 1
    if narrowing := filters.count_filters(query):
        narrowed = without_frequent(all_of(others, *narrowing), shares)
        total = sum(_count_cells(user_id, narrowed, most).values())
    listed = _without_numbers(_counts(library, query, library))
    return replace(listed, total=min(total, most), is_more=total > most, shares=shares, version=version)


def number_named(user_id: str, groups: Sequence[Group], most: int, version: int | None = None) -> int:
    """Return how many samples the inverted index names, up to one more than `most`; see `count_named`.

    The version of the library is asked for if it is not given.
    """
    known = _library_version(user_id) if version is None else version
    return _kept_number(NamedSamples(user_id, known, tuple(groups), most))


@lru_cache(MAX_NUMBERS_KEPT)
def _kept_number(named: NamedSamples) -> int:
    return inverted_index.count_named(named.user_id, named.groups, named.most)


def _library_version(user_id: str) -> int:
    return db.session.scalar(select(Library.version).where(Library.user_id == user_id)) or 0


@lru_cache(MAX_KEPT)
def kept_counts(search: CountedSearch) -> MatchCounts:
    """Count as `count_matches` does, or return what was counted for an equal search."""
    return _count_rows(search)


def _library_cells(user_id: str) -> list[Cell]:
    """Return the summary of a library."""
    columns = (CELLS.c[name] for name in ("id", "kind", "sound", "key", "liked", "samples"))
    rows = select(*columns).where(CELLS.c.user_id == user_id, CELLS.c.samples > 0)
    # Hundreds of rows: a session would take longer to make objects of them than the database to find them.
    return list(db.session.connection().execute(rows))


def _library_counts(user_id: str, query: SampleQuery) -> MatchCounts:
    """Return the counts of a search that the summary of a library answers."""
    library = _library_cells(user_id)
    return _counts([cell for cell in library if cell[4] or not query.liked], query, library)


def _without_numbers(counted: MatchCounts) -> MatchCounts:
    kinds, sounds, keys = (
        [(value, None) for value, _ in values] for values in (counted.kinds, counted.sounds, counted.keys)
    )
    return replace(counted, kinds=kinds, sounds=sounds, keys=keys)


def _term_shares(library: Iterable[Cell], size: int) -> dict[str, float]:
    """Return the share of a library that has each kind, sound and key, by their terms."""
    counts: Counter[tuple[str, str]] = Counter()
    for _, kind, sound, key, _, samples in library:
        for value in (("kind", kind), ("sound", sound), ("key", key)):
            counts[value] += samples
    return {
        index_terms.trait_term(index_terms.trait(*value)): count / size for value, count in counts.items()
    }


def _count_cells(user_id: str, wanted: Condition, most: int) -> dict[int, int]:
    """Count the rows that match, up to one more than `most`, in each cell of the library."""
    found = gathered(user_id, [wanted], SearchRow.cell, limit=most).subquery()
    rows = select(found.c.cell, func.count().label("samples")).group_by(found.c.cell)
    return {row.cell: row.samples for row in db.session.execute(rows)}


def _in_cells(library: Iterable[Cell], counted: Mapping[int, int]) -> list[Cell]:
    return [(*cell[:5], counted[cell[0]]) for cell in library if cell[0] in counted]


def _counts(cells: Iterable[Cell], query: SampleQuery, library: Sequence[Cell]) -> MatchCounts:
    """Return the sums of cells; those by a filter leave this filter out.

    Each value that the library has is there, if only with 0.
    """
    sounds = sounds_named(query.sound) if query.sound else ()
    keys = filters.wanted_keys(query) if query.key else ()
    total = 0
    by_kind, by_sound = _zeros(cell[1] for cell in library), _zeros(cell[2] for cell in library)
    by_key = _zeros(cell[3] for cell in library)
    for _, kind, sound, key, _, samples in cells:
        has_kind = query.kind in ("", kind)
        has_sound = not sounds or sound in sounds
        has_key = not keys or key in keys
        if has_sound and has_key:
            by_kind[kind] += samples
            total += samples if has_kind else 0
        if has_kind and has_key:
            by_sound[sound] += samples
        if has_kind and has_sound:
            by_key[key] += samples
    kinds, found, tonal = (_values(each) for each in (by_kind, by_sound, by_key))
    return MatchCounts(_number_in(library), total, False, kinds, _with_families(found), tonal)


def _zeros(values: Iterable[str]) -> Counter[str]:
    return Counter(dict.fromkeys(values, 0))


def _values(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted((value, count) for value, count in counts.items() if value)


def _with_families(values: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return classes in their order, and families; a family counts its members, as its filter finds them.

    A family is listed when a sample has its name for a class, or two of its classes are there.
    """
    stored = dict(values)
    counts = dict(stored)
    for family, members in SOUND_FAMILIES.items():
        found = [stored[name] for name in members if name in stored]
        if family in stored or len(found) > 1:
            counts[family] = sum(found)
    order = [*dict.fromkeys((*SOUND_FAMILIES, *SOUNDS))]
    return sorted(counts.items(), key=lambda each: order.index(each[0]))


def _number_in(cells: Iterable[Cell]) -> int:
    return sum(samples for *_, samples in cells)
