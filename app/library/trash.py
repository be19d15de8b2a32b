"""Deleting with undo: a sample is hidden at once and its bytes go when nobody can want it back."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.billing import quota
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.models import Sample
from app.models.base import transaction, utcnow

KEPT_FOR = timedelta(hours=1)


def delete(sample: Sample) -> None:
    """Hide a sample and free its room in the plan."""
    with transaction():
        sample.deleted_at = utcnow()
        quota.free_storage(sample, sample.deleted_at)


def restore(sample: Sample) -> None:
    """Undo a deletion."""
    with transaction():
        if sample.deleted_at is not None:
            quota.take_storage_again(sample, sample.deleted_at)
            sample.deleted_at = None


def purge() -> None:
    """Remove what was deleted long enough ago: the bytes first, so that no row is left without a trace."""
    old = select(Sample.id).where(Sample.deleted_at < utcnow() - KEPT_FOR)
    store = open_store(settings())
    for sample_id in db.session.scalars(old).all():
        sample = db.session.get_one(Sample, sample_id)
        original_key, sp404_key = sample.original_key, sample.sp404_key
        db.session.commit()
        store.delete(original_key)
        store.delete(sp404_key)
        with transaction() as session:
            session.delete(sample)
