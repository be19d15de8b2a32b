"""Rename a collection, move it to the trash and out of it, and remove it for good."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from app.billing import quota
from app.collections.collection_rows import check_room, find_named
from app.extensions import db
from app.models import Collection, Sample, SampleMove, User, ownership
from app.models.base import transaction, utcnow
from app.models.sample_places import cut_name, fold_name

UNDO_PERIOD = timedelta(hours=1)
WITHOUT_SYNC = {"synchronize_session": False}


class NameTakenError(Exception):
    """The user has another collection of that name; the message is a sentence."""

    def __init__(self, name: str) -> None:
        super().__init__(f"You already have a collection called “{name}”. Choose another name.")


def rename_collection(collection: Collection, name: str) -> None:
    """Give a collection another stored name. Raises NameTakenError."""
    with transaction() as session:
        quota.lock_account(collection.user_id)
        other = find_named(collection.user_id, name)
        if other is not None and other.id != collection.id:
            raise NameTakenError(other.name)
        session.refresh(collection)
        if collection.deleted_at is not None:
            raise ownership.RowNotFoundError(Collection.__name__)
        collection.name, collection.folded_name = name, fold_name(name)


def deleted_collection(user: User, collection_id: str) -> Collection:
    """Return a deleted collection of the user's that can be restored, or raise RowNotFoundError."""
    return ownership.owned_by(user, Collection, collection_id, Collection.deleted_at.is_not(None))


def hide_collection(collection: Collection, at: datetime) -> bool:
    """Move a collection to the trash, in the caller's transaction; False when it is there already.

    Its samples still name it, so restoring it brings them back into it.
    """
    db.session.refresh(collection, with_for_update=True)
    if collection.deleted_at is not None:
        return False
    collection.deleted_at, collection.folded_name = at, None
    return True


def show_collection(collection: Collection) -> None:
    """Take a collection out of the trash, in the caller's transaction, which has locked the account.

    If its name was taken meanwhile, it gets the next free one. Raises TooManyCollectionsError.
    """
    db.session.refresh(collection, with_for_update=True)
    if collection.deleted_at is not None:
        check_room(collection.user_id)
        name, number = collection.name, 1
        while find_named(collection.user_id, name) is not None:
            number += 1
            name = cut_name(collection.name, f" {number}")
        collection.name, collection.folded_name, collection.deleted_at = name, fold_name(name), None


def purge_collections() -> None:
    """Remove collections that were deleted longer ago than the undo period, and what an undo of moves needs.

    Their samples, if they were kept, are then in no collection.
    """
    old = utcnow() - UNDO_PERIOD
    with transaction() as session:
        session.execute(delete(SampleMove).where(SampleMove.moved_at < old), execution_options=WITHOUT_SYNC)
        gone = session.scalars(select(Collection).where(Collection.deleted_at < old).with_for_update()).all()
        for collection in gone:
            for model in (Sample, SampleMove):
                inside = update(model).where(model.collection_id == collection.id)
                session.execute(inside.values(collection_id=None, folder=""), execution_options=WITHOUT_SYNC)
            session.delete(collection)
