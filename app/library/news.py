"""Find the samples that were added while a list of the library is open, and count what matches now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ScalarSelect, exists, func, select

from app.extensions import db
from app.models import User
from app.models.search_row import Library, SampleChange, SearchRow
from app.search import matching, ranking
from app.search.page_order import row_conditions
from app.search.sample_query import SampleQuery

MAX_NEW = 50
# A sample that was made earlier may be committed later. A list that has both shows the one it lacks.
COMMIT_LAG, NO_LAG = timedelta(seconds=5), timedelta()
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LibraryMark:
    """A state of a library: the version of its index, and when the latest sample was added."""

    version: int
    latest: datetime


def current_mark(user: User) -> LibraryMark:
    """Return the state of the library as far as its index follows it."""
    latest = select(func.max(SearchRow.created_at)).where(
        SearchRow.user_id == user.id, SearchRow.live.is_(True)
    )
    row = db.session.execute(select(_version(user), latest.scalar_subquery())).one()
    return LibraryMark(row[0] or 0, row[1] or LONG_AGO)


def is_unchanged(user: User, version: int) -> bool:
    """Say whether a library still has the version that a page has shown. This is one small query."""
    changes = exists(SampleChange.number).where(SampleChange.user_id == user.id)
    now, has_changes = db.session.execute(select(_version(user), changes)).one()
    return not has_changes and (now or 0) == version


def new_samples(user: User, query: SampleQuery, since: datetime) -> list[str]:
    """Return the ids of the matching samples added after a time, latest first, at most one too many.

    Where they belong at the top, some may be there already.
    """
    since -= COMMIT_LAG if is_newest_first(query) else NO_LAG
    rows = matching.walked(user.id, row_conditions(query), SearchRow.sample_id)
    added = rows.where(SearchRow.created_at > since).order_by(SearchRow.created_at.desc())
    return list(db.session.scalars(added.limit(MAX_NEW + 1)))


def is_newest_first(query: SampleQuery) -> bool:
    """Say whether new samples belong at the top of the list."""
    return ranking.choose_order(query.sort, query.ask, query.terms) is ranking.NEWEST


def parse_time(text: str) -> datetime | None:
    """Return a time that a page was given; None for any other text, and for a time before 1970."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None and time >= LONG_AGO else None


def _version(user: User) -> ScalarSelect[int]:
    return select(Library.version).where(Library.user_id == user.id).scalar_subquery()
