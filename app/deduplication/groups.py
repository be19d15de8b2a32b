"""Keep the groups of duplicates: who belongs to which, what they hold, and what their user decided.

Every function that writes runs inside `transaction()`. Locks are taken in one order: account, samples,
groups.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, exists, func, select, update
from sqlalchemy.orm import aliased

from app.deduplication.copies import load_copies
from app.deduplication.quality import Copy, choose_best
from app.extensions import db
from app.models import DuplicateGroup, DuplicateMember, Sample

AT_ONCE = 500  # groups of one statement
WITHOUT_SYNC = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class GroupState:
    """The group that a sample belongs to."""

    group_id: str
    anchor_id: str  # every member has its audio, or was confirmed by comparing with it
    told_apart: str | None


def read_states(sample_ids: Collection[str]) -> dict[str, GroupState]:
    """Return the group of each of these samples that has one.

    The place of an anchor that is gone is taken by the oldest member.
    """
    anchor, member = aliased(DuplicateMember), aliased(DuplicateMember)
    oldest = select(func.min(member.sample_id)).where(member.group_id == DuplicateGroup.id).scalar_subquery()
    is_anchor = (anchor.sample_id == DuplicateGroup.anchor_id) & (anchor.group_id == DuplicateGroup.id)
    rows = (
        select(
            DuplicateMember.sample_id,
            DuplicateGroup.id,
            func.coalesce(anchor.sample_id, oldest),
            DuplicateGroup.told_apart,
        )
        .join(DuplicateGroup, DuplicateGroup.id == DuplicateMember.group_id)
        .outerjoin(anchor, is_anchor)
        .where(DuplicateMember.sample_id.in_(sample_ids))
    )
    return {row[0]: GroupState(*row[1:]) for row in db.session.execute(rows)}


def member_ids(group_id: str) -> Sequence[str]:
    """Return the samples of a group, also those in the trash, the oldest first."""
    own = select(DuplicateMember.sample_id).where(DuplicateMember.group_id == group_id)
    return db.session.scalars(own.order_by(DuplicateMember.sample_id)).all()


def join_group(user_id: str, anchor_id: str, sample_ids: Collection[str], group_ids: Sequence[str]) -> None:
    """Put samples and whole groups into one group, under an anchor; the first group is the one that stays."""
    session = db.session
    if group_ids:
        group_id, *merged = group_ids
        rows = session.scalars(select(DuplicateGroup).where(DuplicateGroup.id.in_(merged)))
        chosen = next((row.kept_id for row in rows if row.is_chosen), None)
        moved = update(DuplicateMember).where(DuplicateMember.group_id.in_(merged))
        session.execute(moved.values(group_id=group_id))
        session.execute(delete(DuplicateGroup).where(DuplicateGroup.id.in_(merged)))
        group = session.get_one(DuplicateGroup, group_id, populate_existing=True)
        group.anchor_id = anchor_id
        if chosen is not None and not group.is_chosen:
            group.kept_id, group.is_chosen = chosen, True
    else:
        group = DuplicateGroup(user_id=user_id, anchor_id=anchor_id)
        session.add(group)
    session.flush()
    session.add_all(DuplicateMember(sample_id=each, group_id=group.id) for each in sample_ids)
    refresh_groups([group.id])


def refresh_groups_of(sample_ids: Collection[str]) -> None:
    """Count again what the groups of these samples hold, after samples were deleted or restored."""
    own = select(DuplicateMember.group_id).where(DuplicateMember.sample_id.in_(sample_ids)).distinct()
    if group_ids := db.session.scalars(own).all():
        refresh_groups(group_ids)


def refresh_groups_among(*conditions: ColumnElement[bool]) -> None:
    """Count again what the groups of all samples that meet the conditions hold."""
    own = select(DuplicateMember.group_id).join(Sample, Sample.id == DuplicateMember.sample_id)
    group_ids = db.session.scalars(own.where(*conditions).distinct().order_by(DuplicateMember.group_id)).all()
    for first in range(0, len(group_ids), AT_ONCE):
        refresh_groups(group_ids[first : first + AT_ONCE])


def refresh_groups(group_ids: Collection[str]) -> None:
    """Count again what groups hold, and decide again which sample stays where their user did not choose."""
    db.session.flush()
    locked = select(DuplicateGroup).where(DuplicateGroup.id.in_(group_ids)).order_by(DuplicateGroup.id)
    groups = db.session.scalars(locked.with_for_update().execution_options(populate_existing=True)).all()
    found = load_copies([group.id for group in groups])
    for group in groups:
        _count_again(group, found.get(group.id, []))
    db.session.flush()


def _count_again(group: DuplicateGroup, copies: Sequence[Copy]) -> None:
    is_there = any(each.sample_id == group.kept_id for each in copies)
    if copies and not (group.is_chosen and is_there):
        group.kept_id, group.is_chosen = choose_best(copies).sample_id, False
    kept = find_kept(group, copies)
    is_alone = kept is None or len(copies) < 2
    group.samples = 0 if is_alone else len(copies)
    group.spare_bytes = 0 if is_alone else sum(each.size_bytes for each in copies if each is not kept)


def find_kept(group: DuplicateGroup, copies: Sequence[Copy]) -> Copy | None:
    """Return the copy that the group says is kept if it is still there, or else the best.

    So what a page says stays is what stays, also when another copy has become as good meanwhile.
    """
    if not copies:
        return None
    stored = [each for each in copies if each.sample_id == group.kept_id]
    return stored[0] if stored else choose_best(copies)


def choose_kept(group: DuplicateGroup, sample_id: str) -> None:
    """Keep this sample of the group, whatever would be better."""
    group.kept_id, group.is_chosen = sample_id, True
    refresh_groups([group.id])


def tell_apart(group: DuplicateGroup, sample_ids: Collection[str]) -> None:
    """Take samples out of a group for good: each gets a group of its own, which the group never joins."""
    group.told_apart = group.told_apart or group.id
    for sample_id in sample_ids:
        own = DuplicateGroup(user_id=group.user_id, anchor_id=sample_id, told_apart=group.told_apart)
        db.session.add(own)
        db.session.flush()
        moved = update(DuplicateMember).where(DuplicateMember.sample_id == sample_id)
        db.session.execute(moved.values(group_id=own.id))
    refresh_groups([group.id])


def take_back(group: DuplicateGroup, sample_ids: Collection[str]) -> None:
    """Undo `tell_apart`: bring samples back into the group they were taken out of, and no others."""
    if group.told_apart is None:
        return
    is_alike = and_(
        DuplicateGroup.user_id == group.user_id,
        DuplicateGroup.told_apart == group.told_apart,
        DuplicateGroup.id != group.id,
    )
    own = select(DuplicateMember.sample_id).join(DuplicateGroup)
    own = own.where(DuplicateMember.sample_id.in_(sample_ids), is_alike)
    moved = update(DuplicateMember).where(DuplicateMember.sample_id.in_(own))
    db.session.execute(moved.values(group_id=group.id), execution_options=WITHOUT_SYNC)
    empty = delete(DuplicateGroup).where(is_alike, ~_has_members())
    db.session.execute(empty, execution_options=WITHOUT_SYNC)
    if db.session.scalar(select(DuplicateGroup.id).where(is_alike).limit(1)) is None:
        group.told_apart = None
    refresh_groups([group.id])


def remove_empty_groups() -> None:
    """Remove groups whose samples are all gone for good."""
    empty = delete(DuplicateGroup).where(DuplicateGroup.samples == 0, ~_has_members())
    db.session.execute(empty, execution_options=WITHOUT_SYNC)


def _has_members() -> ColumnElement[bool]:
    return exists().where(DuplicateMember.group_id == DuplicateGroup.id)


def live_members(group_id: str) -> Sequence[str]:
    """Return the samples of a group that are not in the trash, the oldest first."""
    own = select(DuplicateMember.sample_id).join(Sample, Sample.id == DuplicateMember.sample_id)
    live = own.where(DuplicateMember.group_id == group_id, Sample.deleted_at.is_(None))
    return db.session.scalars(live.order_by(DuplicateMember.sample_id)).all()
