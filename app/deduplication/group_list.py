"""Load groups of duplicates for a page, those with most space to free first. Nothing is decoded for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, tuple_

from app.deduplication.copies import load_copies
from app.deduplication.groups import find_kept
from app.deduplication.quality import Copy, what_differs, why_kept
from app.extensions import db
from app.models import DuplicateGroup, SampleVector, User

PAGE_GROUPS = 20
SHOWN_COPIES = 12
MAX_COUNTED = 10_000
CURSOR = re.compile(r"([1-9][0-9]{0,17})-([0-9A-HJKMNP-TV-Z]{26})")
IN_ORDER = DuplicateGroup.spare_bytes, DuplicateGroup.id


@dataclass(frozen=True)
class ShownCopy:
    """A copy in a list, with why it is kept or how it differs from the one that is."""

    copy: Copy
    words: str

    @property
    def sample_id(self) -> str:
        return self.copy.sample_id


@dataclass(frozen=True)
class ShownGroup:
    """A group in a list: the copy that is kept, and others. `hidden` more are not shown."""

    id: str
    kept: ShownCopy
    others: Sequence[ShownCopy]
    samples: int
    spare_bytes: int
    has_same_audio: bool

    @property
    def hidden(self) -> int:
        return self.samples - 1 - len(self.others)

    @property
    def sample_ids(self) -> list[str]:
        return [self.kept.sample_id, *(each.sample_id for each in self.others)]


@dataclass(frozen=True)
class GroupPage:
    """One page of groups; `next_after` continues it, and is None on the last one."""

    groups: Sequence[ShownGroup]
    next_after: str | None

    @property
    def spare_bytes(self) -> int:
        return sum(group.spare_bytes for group in self.groups)

    @property
    def sample_ids(self) -> list[str]:
        return [each for group in self.groups for each in group.sample_ids]


@dataclass(frozen=True)
class Totals:
    """How many groups a library has, what they could free, and how many samples are still to be compared."""

    groups: int
    spare_bytes: int
    waiting: int


def list_groups(user: User, after: str | None = None, limit: int = PAGE_GROUPS) -> GroupPage:
    """Return a page of the user's groups; `after` is the `next_after` of the page before it."""
    rows = select(DuplicateGroup).where(DuplicateGroup.user_id == user.id, DuplicateGroup.spare_bytes > 0)
    if after:
        rows = rows.where(tuple_(*IN_ORDER) < read_cursor(after))
    rows = rows.order_by(*(column.desc() for column in IN_ORDER)).limit(limit + 1)
    found = db.session.scalars(rows).all()
    last = found[limit - 1] if len(found) > limit else None
    next_after = f"{last.spare_bytes}-{last.id}" if last is not None else None
    return GroupPage(_show_groups(found[:limit], SHOWN_COPIES), next_after)


def read_cursor(after: str) -> tuple[int, str]:
    """Return the place that a `next_after` stands for; raise ValueError for any other text."""
    matched = CURSOR.fullmatch(after)
    if matched is None:
        raise ValueError("this is not the place of a page")
    return int(matched[1]), matched[2]


def show_group(group: DuplicateGroup, most: int) -> ShownGroup | None:
    """Return a group as a list shows it; None for one with less than two samples."""
    return next(iter(_show_groups([group], most)), None)


def count_groups(user: User) -> Totals:
    """Return the totals of a library."""
    listed = DuplicateGroup.user_id == user.id, DuplicateGroup.spare_bytes > 0
    totals = select(func.count(), func.coalesce(func.sum(DuplicateGroup.spare_bytes), 0)).where(*listed)
    groups, spare_bytes = db.session.execute(totals).one()
    due = select(SampleVector.number).where(
        SampleVector.user_id == user.id, SampleVector.compare_at.is_not(None)
    )
    waiting = db.session.scalar(select(func.count()).select_from(due.limit(MAX_COUNTED).subquery()))
    return Totals(groups, int(spare_bytes), waiting or 0)


def _show_groups(groups: Sequence[DuplicateGroup], most: int) -> list[ShownGroup]:
    copies = load_copies([group.id for group in groups], most)
    shown = (_show_group(group, copies.get(group.id, [])) for group in groups)
    return [each for each in shown if each is not None]


def _show_group(group: DuplicateGroup, copies: Sequence[Copy]) -> ShownGroup | None:
    kept = find_kept(group, copies)
    others = [each for each in copies if each is not kept]
    if kept is None or not others or not group.spare_bytes:
        return None
    return ShownGroup(
        id=group.id,
        kept=ShownCopy(kept, why_kept(kept, others, group.is_chosen)),
        others=[ShownCopy(each, what_differs(each, kept)) for each in others],
        samples=group.samples,
        spare_bytes=group.spare_bytes,
        has_same_audio=all(each.has_audio_of(kept) for each in others),
    )
