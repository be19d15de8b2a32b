"""Suggest other searches: the library's tags, samples of that name, wider searches, and what comes near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import case, func, select

from app.extensions import db
from app.models import Sample, User
from app.models.search_row import LibraryTag, SearchRow
from app.search import match_counts
from app.search.chips import Chip, search_chips
from app.search.condition import all_of
from app.search.filters import filter_conditions
from app.search.listed_samples import ListedSample, load_listed
from app.search.match_counts import CountedSearch
from app.search.matching import gathered, walked
from app.search.page_order import row_conditions
from app.search.sample_query import SampleQuery
from app.search.text_conditions import name_contains

MAX_NAMED = 5
MAX_SAME_NAME = 300  # of more samples with the name, none is shown
MAX_WIDER = 1_000  # samples of a wider search that are counted
MAX_TAGS_SHOWN = 30
MAX_CLOSE = 12
MAX_RATED = 5_000  # newest samples that are rated by how much of a search they meet


class NamedSample(NamedTuple):
    """The id and name of a sample whose name is the sentence, though it does not mean that sample."""

    id: str
    name: str


class WiderSearch(NamedTuple):
    """A search without one chip, and how many samples it finds: with `is_more`, more than `total`."""

    query: SampleQuery
    chip: Chip
    total: int
    is_more: bool


def count_tags(user: User, limit: int = MAX_TAGS_SHOWN) -> list[tuple[str, int]]:
    """Return the user's tags with their number of samples, the most used first."""
    own = select(LibraryTag.name, LibraryTag.samples).where(
        LibraryTag.user_id == user.id, LibraryTag.samples > 0
    )
    most_used = own.order_by(LibraryTag.samples.desc(), LibraryTag.name).limit(limit)
    return [(name, count) for name, count in db.session.execute(most_used)]


def samples_named_so(user: User, query: SampleQuery, version: int | None = None) -> list[NamedSample]:
    """Return samples whose name contains the sentence but which its meaning leaves out, newest first.

    They are kept until the library changes. Its version is asked for if it is not given.
    """
    if not query.ask or _leaves_out_no_name(query):
        return []
    return list(_kept_named(match_counts.name_search(user.id, query, MAX_SAME_NAME, version)))


@lru_cache(match_counts.MAX_KEPT)
def _kept_named(search: CountedSearch) -> tuple[NamedSample, ...]:
    has_name = name_contains(search.query.ask)
    if has_name is None:
        return ()
    is_found = all_of(*row_conditions(search.query)).exact
    columns = SearchRow.sample_id, is_found.label("is_found")
    rows = db.session.execute(gathered(search.user_id, [has_name], *columns, limit=search.most)).all()
    if len(rows) > search.most:
        return ()
    ids = sorted((row.sample_id for row in rows if not row.is_found), reverse=True)[:MAX_NAMED]
    if not ids:
        return ()
    named = select(Sample.id, Sample.name).where(Sample.id.in_(ids), Sample.deleted_at.is_(None))
    return tuple(NamedSample(*row) for row in db.session.execute(named.order_by(Sample.id.desc())))


def _leaves_out_no_name(query: SampleQuery) -> bool:
    """Say whether a search finds every sample whose name has its sentence: it asks for these words alone."""
    are_words = all(term.field in ("word", "boost") and not term.negated for term in query.terms)
    return are_words and not filter_conditions(query)


def wider_searches(user: User, query: SampleQuery, version: int | None = None) -> list[WiderSearch]:
    """Return what a search that finds nothing would find without one of its chips, most samples first.

    All counts are one statement, however many chips there are, and kept until the library changes. Its
    version is asked for if it is not given.
    """
    chips = list({str(chip.without): chip for chip in reversed(search_chips(query))}.values())[::-1]
    if not chips:
        return []
    searches = tuple(replace(SampleQuery.from_args(chip.without), learned=query.learned) for chip in chips)
    search = match_counts.name_search(user.id, query, MAX_WIDER, version, searches)
    found = [
        WiderSearch(wider, chip, min(count, MAX_WIDER), count > MAX_WIDER)
        for wider, chip, count in zip(searches, chips, _kept_wider(search, searches), strict=True)
        if count
    ]
    return sorted(found, key=lambda wider: -wider.total)


@lru_cache(match_counts.MAX_KEPT)
def _kept_wider(search: CountedSearch, searches: tuple[SampleQuery, ...]) -> tuple[int, ...]:
    """Count what each of these finds, up to one more than `search.most`."""
    rows = (
        gathered(search.user_id, row_conditions(wider), SearchRow.number, limit=search.most).subquery()
        for wider in searches
    )
    counts = (select(func.count()).select_from(each).scalar_subquery() for each in rows)
    return tuple(db.session.execute(select(*counts)).one())


def close_matches(
    user: User, query: SampleQuery, wider: Sequence[WiderSearch], version: int | None = None
) -> list[ListedSample]:
    """Return the samples that come nearest to a search that finds nothing.

    What lacks one thing comes first, in the order of the searches without it. If nothing does, the newest
    samples are rated by how much of the search they meet. Which these are is kept until the library changes;
    its version is asked for if it is not given.
    """
    searches = tuple(each.query for each in wider)
    search = match_counts.name_search(user.id, query, MAX_CLOSE, version, searches)
    return load_listed(user, _kept_close(search, searches))


@lru_cache(match_counts.MAX_KEPT)
def _kept_close(search: CountedSearch, wider: tuple[SampleQuery, ...]) -> Sequence[str]:
    ids: dict[str, None] = {}
    for each in wider:
        if not (rest := row_conditions(each)):
            continue  # nothing of the search is left that a sample could meet
        found = gathered(search.user_id, rest, SearchRow.sample_id, limit=MAX_WIDER).subquery()
        newest = select(found.c.sample_id).order_by(found.c.sample_id.desc()).limit(search.most)
        ids |= dict.fromkeys(db.session.scalars(newest))
        if len(ids) >= search.most:
            break
    return list(ids)[: search.most] or _best_rated(search)


def _best_rated(search: CountedSearch) -> Sequence[str]:
    conditions = row_conditions(search.query)
    if not conditions:
        return ()
    met = [case((each.exact, 1), else_=0) for each in conditions]
    rated = walked(search.user_id, [], SearchRow.sample_id, sum(met[1:], met[0]).label("met"))
    newest = rated.order_by(SearchRow.sample_id.desc()).limit(MAX_RATED).subquery()
    best = select(newest.c.sample_id).where(newest.c.met > 0).order_by(newest.c.met.desc())
    return db.session.scalars(best.order_by(newest.c.sample_id.desc()).limit(search.most)).all()
