"""Delete samples with undo: a sample is hidden at once, and its files are removed after `UNDO_PERIOD`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy import delete as delete_rows

from app.billing import quota
from app.deduplication import groups
from app.extensions import db, settings
from app.integrations.storage import StorageError, open_store
from app.models import DuplicateCleanup, Sample
from app.models.base import transaction, utcnow
from app.models.duplicate_group import UNDOING

UNDO_PERIOD = timedelta(hours=1)
WITHOUT_SYNC = {"synchronize_session": False}


def delete_sample(sample: Sample) -> None:
    """Hide a sample and free its storage in the plan; of two concurrent requests, only one does it."""
    user_id, sample_id = sample.user_id, sample.id
    with transaction():
        hide_samples(user_id, [sample_id], utcnow())


def restore_sample(sample: Sample) -> None:
    """Undo a deletion; of two concurrent requests, only one does it.

    Raises QuotaExceededError when the storage of the plan has been filled meanwhile.
    """
    user_id, sample_id, deleted_at = sample.user_id, sample.id, sample.deleted_at
    if deleted_at is None:
        return
    with transaction() as session:
        shown = show_samples(user_id, [sample_id], deleted_at)
        of_cleanup = update(DuplicateCleanup).where(
            DuplicateCleanup.user_id == user_id, DuplicateCleanup.requested_at == deleted_at
        )
        left = {
            "samples": DuplicateCleanup.samples - len(shown),
            "freed_bytes": DuplicateCleanup.freed_bytes - sum(shown.values()),
        }
        session.execute(of_cleanup.values(left), execution_options=WITHOUT_SYNC)


def hide_samples(user_id: str, sample_ids: Collection[str], at: datetime) -> Mapping[str, int]:
    """Move a user's samples to the trash, in the caller's transaction; return the bytes that each freed."""
    own = Sample.id.in_(sample_ids), Sample.user_id == user_id, Sample.deleted_at.is_(None)
    hidden = _set_deleted(own, at)
    quota.release_storage(user_id, hidden, at)
    groups.refresh_groups_of(hidden)
    return hidden


def hide_collection(user_id: str, collection_id: str, at: datetime) -> int:
    """Move all samples of a collection to the trash, in the caller's transaction; return how many.

    However many there are, it takes a few statements and one row of the ledger.
    """
    inside = Sample.collection_id == collection_id, Sample.user_id == user_id
    hidden = _set_deleted((*inside, Sample.deleted_at.is_(None)), at)
    if hidden:
        quota.release_storage(user_id, {collection_id: sum(hidden.values())}, at)
        groups.refresh_groups_among(*inside, Sample.deleted_at == at)
    return len(hidden)


def show_collection(user_id: str, collection_id: str, deleted_at: datetime) -> int:
    """Take the samples of a collection out of the trash that were deleted at a time; return how many.

    The caller's transaction has locked the account. Raises QuotaExceededError when the plan has no room for
    all of them.
    """
    inside = Sample.collection_id == collection_id, Sample.user_id == user_id
    shown = _set_deleted((*inside, Sample.deleted_at == deleted_at), None)
    if shown:
        quota.charge_restored(user_id, {collection_id: sum(shown.values())}, deleted_at)
        groups.refresh_groups_among(*inside, Sample.deleted_at.is_(None))
    return len(shown)


def show_samples(user_id: str, sample_ids: Collection[str], deleted_at: datetime) -> Mapping[str, int]:
    """Take a user's samples out of the trash that were deleted at a time, in the caller's transaction.

    Returns the bytes of each. Raises QuotaExceededError when the plan has no room for all of them.
    """
    quota.lock_account(user_id)  # before the samples, as whoever frees duplicates does
    own = Sample.id.in_(sample_ids), Sample.user_id == user_id, Sample.deleted_at == deleted_at
    shown = _set_deleted(own, None)
    if shown:
        quota.charge_restored(user_id, shown, deleted_at)
        groups.refresh_groups_of(shown)
    return shown


def deleted_ids(user_id: str, deleted_at: datetime, limit: int) -> Collection[str]:
    """Return samples of a user that were deleted at a time and are still in the trash."""
    own = select(Sample.id).where(Sample.user_id == user_id, Sample.deleted_at == deleted_at)
    return db.session.scalars(own.order_by(Sample.id).limit(limit)).all()


def purge_deleted() -> None:
    """Remove samples deleted longer ago than the undo period, but none that are being brought back.

    The rows go first, so a sample without its files is never restored.
    """
    is_coming_back = exists().where(
        DuplicateCleanup.user_id == Sample.user_id,
        DuplicateCleanup.requested_at == Sample.deleted_at,
        DuplicateCleanup.state == UNDOING,
    )
    with transaction() as session:
        old = delete_rows(Sample).where(Sample.deleted_at < utcnow() - UNDO_PERIOD, ~is_coming_back)
        returned = old.returning(Sample.original_key, Sample.sp404_key)
        keys = session.execute(returned, execution_options=WITHOUT_SYNC).all()
    store = open_store(settings())
    for pair in keys:
        for key in pair:
            with suppress(StorageError):  # the sweep of orphans removes what is left
                store.delete(key)


def _set_deleted(own: tuple[ColumnElement[bool], ...], at: datetime | None) -> Mapping[str, int]:
    changed = update(Sample).where(*own).values(deleted_at=at).returning(Sample.id, quota.charged_bytes())
    return dict(db.session.execute(changed, execution_options=WITHOUT_SYNC).all())
