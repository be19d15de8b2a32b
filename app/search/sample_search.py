"""Step 7 of a search: run it, a page at a time.

The steps, each in its own module: 1 `sample_query` reads the address, 2 `sentence_parser` turns the sentence
into terms, 3 `learned_words` explains words no rule knows, 4 `filters` and 5 `conditions` choose the rows,
6 `ranking` and `page_order` order them, and this module puts it all together. `chips`, `term_labels` and
`facets` say on the page what was understood and what else could be searched.

All of it reads the search index, `SearchRow`; only the samples of the page itself are loaded: whole, or by
`listed_samples` what a list shows of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.sql.base import ExecutableOption

from app.extensions import db
from app.models import Sample, User
from app.search import indexing, inverted_index, page_order
from app.search.listed_samples import ListedSample, load_listed
from app.search.match_counts import MatchCounts, count_matches
from app.search.sample_query import SampleQuery

PAGE_SIZE = 50
Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class SamplePage(Generic[Loaded]):
    """One page of results; `next_after` is the id to continue after, None on the last page.

    `waiting` samples have changes that the search does not know yet. With `is_partly_ranked` there are too
    many matches to rank them all, and those that are not ranked are on no page.
    """

    samples: list[Loaded]
    next_after: str | None
    counts: MatchCounts
    waiting: int
    is_partly_ranked: bool

    @property
    def total(self) -> int:
        """How many samples match, as far as they are counted: see `is_more`."""
        return self.counts.total

    @property
    def is_more(self) -> bool:
        """Whether more samples match than `total`."""
        return self.counts.is_more


def list_samples(
    user: User, query: SampleQuery, after: str | None, limit: int = PAGE_SIZE
) -> SamplePage[ListedSample]:
    """Return one page of the user's samples that match, continued after the sample with that id.

    Of each sample it has what a list shows.
    """
    return _find_page(user, query, after, limit, load_listed)


def find_samples(
    user: User,
    query: SampleQuery,
    after: str | None,
    limit: int = PAGE_SIZE,
    options: Sequence[ExecutableOption] = (),
) -> SamplePage[Sample]:
    """Return the same page with whole samples, and what the options load with them."""
    return _find_page(user, query, after, limit, partial(load_samples, options=options))


def is_page_start(user: User, after: str) -> bool:
    """Say whether a page can continue after this id: any sample of the user's, also a deleted one."""
    known = select(Sample.id).where(Sample.id == after, Sample.user_id == user.id)
    return db.session.scalar(known) is not None


def _find_page(
    user: User,
    query: SampleQuery,
    after: str | None,
    limit: int,
    load: Callable[[User, Sequence[str]], list[Loaded]],
) -> SamplePage[Loaded]:
    waiting = indexing.follow_changes(user.id)
    inverted_index.avoid_scans()
    counts = count_matches(user.id, query)
    # One more than the page holds tells whether there is a next page.
    ids, is_partly_ranked = page_order.sorted_ids(user.id, query, counts, after or "", limit + 1)
    next_after = ids[limit - 1] if len(ids) > limit else None
    return SamplePage(load(user, ids[:limit]), next_after, counts, waiting, is_partly_ranked)


def load_samples(user: User, ids: Sequence[str], options: Sequence[ExecutableOption] = ()) -> list[Sample]:
    """Return the user's samples with these ids in this order, without those that are deleted."""
    own = Sample.user_id == user.id, Sample.deleted_at.is_(None), Sample.id.in_(ids)
    rows = db.session.scalars(select(Sample).where(*own).options(*options))
    loaded = {sample.id: sample for sample in rows}
    return [loaded[sample_id] for sample_id in ids if sample_id in loaded]
