"""Free duplicates: of each group everything but the sample that is kept moves to the trash, with undo.

A `DuplicateCleanup` is the order to do so. Few samples are freed at once, many by a worker, in transactions
of some each; so are they brought back.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import timedelta
from itertools import accumulate

from sqlalchemy import Row, and_, delete, select, tuple_

from app.billing import quota
from app.deduplication import groups
from app.deduplication.copies import load_copies
from app.extensions import db
from app.kits.repointing import repoint_pads
from app.library import trash
from app.library.handover import hand_over
from app.models import DuplicateCleanup, DuplicateGroup, Sample, User
from app.models.base import transaction, utcnow
from app.models.duplicate_group import FREED, FREEING, UNDOING, UNDONE

log = logging.getLogger(__name__)

GROUPS_AT_ONCE = 100
SAMPLES_AT_ONCE = 500
FREEING_TIME = timedelta(minutes=10)  # of one order
KEPT_FOR = timedelta(days=1)
TIME_CHARACTERS = 10  # of an id
Space = tuple[int, str]


def free_groups(user: User, group_ids: Collection[str]) -> DuplicateCleanup:
    """Free some groups of a user: at once, or if they have too many samples, by a worker."""
    return _order(DuplicateCleanup(user_id=user.id, state=FREEING, group_ids=list(group_ids)))


def free_all(user: User) -> DuplicateCleanup:
    """Free all groups of a user: at once, or if there are too many, by a worker."""
    return _order(DuplicateCleanup(user_id=user.id, state=FREEING))


def undo_cleanup(cleanup: DuplicateCleanup) -> None:
    """Bring back what was freed: at once, or if it is too much, by a worker.

    Raises QuotaExceededError when the storage of the plan has been filled meanwhile.
    """
    with transaction() as session:
        quota.lock_account(cleanup.user_id)
        session.refresh(cleanup)
        is_small = cleanup.state == FREED and cleanup.samples <= SAMPLES_AT_ONCE
        if cleanup.state != UNDONE:
            cleanup.state, cleanup.problem = UNDOING, None
    if is_small and not _continue_undoing(cleanup.id):
        raise quota.QuotaExceededError(cleanup.problem or "")


def continue_cleanups() -> None:
    """Continue everything that is being freed or brought back; one order that fails stops no other."""
    unfinished = select(DuplicateCleanup.id, DuplicateCleanup.state)
    unfinished = unfinished.where(DuplicateCleanup.state.in_((FREEING, UNDOING)))
    for cleanup_id, state in db.session.execute(unfinished.order_by(DuplicateCleanup.id)).all():
        try:
            (_continue_freeing if state == FREEING else _continue_undoing)(cleanup_id)
        except Exception:
            log.exception("cleanup %s could not be continued", cleanup_id)


def recent_cleanups(user: User) -> Sequence[DuplicateCleanup]:
    """Return what can still be undone, what is being done, and what came back in part, the latest first."""
    can_be_undone = and_(
        DuplicateCleanup.state == FREED,
        DuplicateCleanup.samples > 0,
        DuplicateCleanup.requested_at > utcnow() - trash.UNDO_PERIOD,
    )
    has_lost = and_(
        DuplicateCleanup.state == UNDONE,
        DuplicateCleanup.problem.is_not(None),
        DuplicateCleanup.requested_at > utcnow() - 2 * trash.UNDO_PERIOD,
    )
    recent = select(DuplicateCleanup).where(
        DuplicateCleanup.user_id == user.id,
        DuplicateCleanup.state.in_((FREEING, UNDOING)) | can_be_undone | has_lost,
    )
    return db.session.scalars(recent.order_by(DuplicateCleanup.requested_at.desc()).limit(5)).all()


def remove_leftovers() -> None:
    """Remove groups whose samples are gone, and orders that can't be undone any more."""
    with transaction() as session:
        groups.remove_empty_groups()
        old = DuplicateCleanup.requested_at < utcnow() - KEPT_FOR
        session.execute(delete(DuplicateCleanup).where(old, DuplicateCleanup.state.in_((FREED, UNDONE))))


def _order(cleanup: DuplicateCleanup) -> DuplicateCleanup:
    """Store an order, and carry it out if one transaction is enough for it."""
    with transaction() as session:
        session.add(cleanup)
    if _is_rest(_most_space(cleanup, None)):
        _continue_freeing(cleanup.id)
    return cleanup


def _continue_freeing(cleanup_id: str) -> None:
    after: Space | None = None
    while True:
        with transaction():
            cleanup = _lock_cleanup(cleanup_id, FREEING)
            if cleanup is None:
                return
            _start_undo_period(cleanup)
            found = _most_space(cleanup, after) if _has_time(cleanup) else []
            taken = _take_some(found)
            _free(cleanup, [each.id for each in taken])
            if _is_rest(found):
                cleanup.state = FREED
                return
            after = taken[-1].spare_bytes, taken[-1].id


def _start_undo_period(cleanup: DuplicateCleanup) -> None:
    """Count the hour of an order from when its first samples move to the trash, not from when it was made."""
    if not cleanup.samples:
        cleanup.requested_at = utcnow()


def _has_time(cleanup: DuplicateCleanup) -> bool:
    """Return whether an order may still free samples, which leaves nearly an hour to undo it.

    The groups that are left after that stay on the page.
    """
    return cleanup.requested_at > utcnow() - FREEING_TIME


def _most_space(cleanup: DuplicateCleanup, after: Space | None) -> Sequence[Row[int, str, int]]:
    """Return the groups of an order that hold most space after one of them, and how many samples each has.

    A group that is freed in parts holds less space after each, so it comes again.
    """
    order = DuplicateGroup.spare_bytes, DuplicateGroup.id
    rows = select(*order, DuplicateGroup.samples)
    rows = rows.where(DuplicateGroup.user_id == cleanup.user_id, DuplicateGroup.spare_bytes > 0)
    if cleanup.group_ids is not None:
        rows = rows.where(DuplicateGroup.id.in_(cleanup.group_ids))
    if after is not None:
        rows = rows.where(tuple_(*order) < after)
    rows = rows.order_by(*(column.desc() for column in order)).limit(GROUPS_AT_ONCE + 1)
    return db.session.execute(rows).all()


def _is_rest(found: Sequence[Row[int, str, int]]) -> bool:
    """Return whether these groups are the last, and few enough for one transaction."""
    return len(found) <= GROUPS_AT_ONCE and sum(each.samples for each in found) <= SAMPLES_AT_ONCE


def _take_some(found: Sequence[Row[int, str, int]]) -> Sequence[Row[int, str, int]]:
    """Return as many of the first groups as one transaction frees, at least one if there is one."""
    totals = accumulate(each.samples for each in found[:GROUPS_AT_ONCE])
    fitting = sum(total <= SAMPLES_AT_ONCE for total in totals)
    return found[: max(fitting, 1)]


def _continue_undoing(cleanup_id: str) -> bool:
    """Bring samples back until all are, and return True; False when the plan has no room for more."""
    while True:
        try:
            with transaction():
                cleanup = _lock_cleanup(cleanup_id, UNDOING)
                if cleanup is None:
                    return True
                ids = trash.deleted_ids(cleanup.user_id, cleanup.requested_at, SAMPLES_AT_ONCE)
                if not ids:
                    _end_undoing(cleanup)
                    return True
                shown = trash.show_samples(cleanup.user_id, ids, cleanup.requested_at)
                cleanup.samples -= len(shown)
                cleanup.freed_bytes -= sum(shown.values())
        except quota.QuotaExceededError as error:
            with transaction() as session:
                cleanup = session.get_one(DuplicateCleanup, cleanup_id, populate_existing=True)
                cleanup.state, cleanup.problem = FREED, str(error)
            return False


def _end_undoing(cleanup: DuplicateCleanup) -> None:
    """End an order that has no samples in the trash any more, and note how many were not brought back."""
    if cleanup.samples == 1:
        cleanup.problem = "1 of these samples had been removed for good."
    elif cleanup.samples > 1:
        cleanup.problem = f"{cleanup.samples:,} of these samples had been removed for good."
    cleanup.state, cleanup.samples, cleanup.freed_bytes = UNDONE, 0, 0


def _lock_cleanup(cleanup_id: str, state: str) -> DuplicateCleanup | None:
    """Lock the account of an order and return the order; None when it is not in this state any more."""
    user_id = db.session.scalar(select(DuplicateCleanup.user_id).where(DuplicateCleanup.id == cleanup_id))
    if user_id is None or not quota.lock_account(user_id):
        return None
    cleanup = db.session.get(DuplicateCleanup, cleanup_id, populate_existing=True)
    return cleanup if cleanup is not None and cleanup.state == state else None


def _free(cleanup: DuplicateCleanup, group_ids: Collection[str]) -> None:
    """Move everything to the trash but what is kept, which inherits what its user did with the others.

    What was uploaded after the order stays. Of a group that is too large, the oldest go first.
    """
    own = DuplicateGroup.user_id == cleanup.user_id, DuplicateGroup.id.in_(group_ids)
    copies, kept_by_freed = load_copies(group_ids, SAMPLES_AT_ONCE + 1), dict[str, str]()
    there = _lock_samples([each.sample_id for found in copies.values() for each in found])
    for group in db.session.scalars(select(DuplicateGroup).where(*own)).all():
        kept = groups.find_kept(group, [each for each in copies.get(group.id, []) if each.sample_id in there])
        others = [each.sample_id for each in copies.get(group.id, []) if each is not kept]
        others = [each for each in others if each in there and each[:TIME_CHARACTERS] <= cleanup.id]
        if kept is not None and others:
            hand_over(there[kept.sample_id], [there[each] for each in others])
            kept_by_freed |= dict.fromkeys(others, kept.sample_id)
    repoint_pads(cleanup.user_id, kept_by_freed)
    hidden = trash.hide_samples(cleanup.user_id, kept_by_freed, cleanup.requested_at)
    cleanup.samples += len(hidden)
    cleanup.freed_bytes += sum(hidden.values())


def _lock_samples(sample_ids: Collection[str]) -> dict[str, Sample]:
    """Lock samples, and return those that are not in the trash."""
    locked = select(Sample).where(Sample.id.in_(sample_ids), Sample.deleted_at.is_(None)).order_by(Sample.id)
    locked = locked.with_for_update(key_share=True, of=Sample).execution_options(populate_existing=True)
    return {sample.id: sample for sample in db.session.scalars(locked)}
