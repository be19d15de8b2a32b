"""Delete samples with undo: a sample is hidden at once, and its files are removed after `UNDO_PERIOD`."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from sqlalchemy import delete as delete_rows
from sqlalchemy import update

from app.billing import quota
from app.extensions import settings
from app.integrations.storage import StorageError, open_store
from app.models import Sample
from app.models.base import transaction, utcnow

UNDO_PERIOD = timedelta(hours=1)


def delete_sample(sample: Sample) -> None:
    """Hide a sample and free its storage in the plan; of two concurrent requests, only one does it."""
    now = utcnow()
    with transaction() as session:
        hidden = (
            update(Sample).where(Sample.id == sample.id, Sample.deleted_at.is_(None)).values(deleted_at=now)
        )
        if session.scalar(hidden.returning(Sample.id)) is not None:
            quota.release_storage(sample, now)


def restore_sample(sample: Sample) -> None:
    """Undo a deletion; of two concurrent requests, only one does it.

    Raises QuotaExceededError when the storage of the plan has been filled meanwhile.
    """
    deleted_at = sample.deleted_at
    if deleted_at is None:
        return
    with transaction() as session:
        shown = update(Sample).where(Sample.id == sample.id, Sample.deleted_at == deleted_at)
        if session.scalar(shown.values(deleted_at=None).returning(Sample.id)) is not None:
            quota.charge_restored(sample, deleted_at)


def purge_deleted() -> None:
    """Remove samples deleted longer ago than the undo period.

    The rows go first, so a sample without its files is never restored.
    """
    with transaction() as session:
        old = delete_rows(Sample).where(Sample.deleted_at < utcnow() - UNDO_PERIOD)
        keys = session.execute(old.returning(Sample.original_key, Sample.sp404_key)).all()
    store = open_store(settings())
    for pair in keys:
        for key in pair:
            with suppress(StorageError):  # the sweep of orphans removes what is left
                store.delete(key)
