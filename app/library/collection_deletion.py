"""Delete a collection, alone or with its samples, and undo that."""

from __future__ import annotations

from app.billing import quota
from app.collections import collection_edits
from app.extensions import db
from app.library import trash
from app.models import Collection
from app.models.base import transaction, utcnow


def delete_collection(collection: Collection, with_samples: bool) -> int:
    """Move a collection to the trash, and its samples if asked to; return how many of these.

    Safe to call twice. They all have the time of the collection's deletion.
    """
    user_id, hidden, at = collection.user_id, 0, utcnow()
    with transaction():
        quota.lock_account(user_id)
        is_hidden = collection_edits.hide_collection(collection, at)
        if is_hidden and with_samples:
            hidden = trash.hide_collection(user_id, collection.id, at)
    return hidden


def restore_collection(collection: Collection) -> int:
    """Bring a collection back, with the samples that were deleted with it: all or none; return how many.

    Raises TooManyCollectionsError, and QuotaExceededError when the plan has no room for the samples.
    """
    user_id = collection.user_id
    with transaction():
        quota.lock_account(user_id)
        db.session.refresh(collection)
        at = collection.deleted_at
        if at is None:
            return 0
        shown = trash.show_collection(user_id, collection.id, at)
        collection_edits.show_collection(collection)
    return shown
