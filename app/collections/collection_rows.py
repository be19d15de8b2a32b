"""The collections of a user: look up, create, and keep for the samples that jobs make."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from app.extensions import db
from app.models import Collection, Job, User, ownership
from app.models.collection import MAX_COLLECTIONS
from app.models.sample_places import SamplePlace, fold_name

# What a job's choices say about the place of the samples it makes
COLLECTION_ID, FOLDER = "collection_id", "folder"


class TooManyCollectionsError(Exception):
    """The user has as many collections as there may be; the message is a sentence."""

    def __init__(self) -> None:
        super().__init__(f"You have {MAX_COLLECTIONS} collections, which is the most. Delete one first.")


def owned_collection(user: User, collection_id: str) -> Collection:
    """Return the user's collection, or raise RowNotFoundError, also for a deleted one."""
    return ownership.owned_by(user, Collection, collection_id, Collection.deleted_at.is_(None))


def find_named(user_id: str, name: str) -> Collection | None:
    """Return the user's collection of that name, whatever its case."""
    own = Collection.user_id == user_id, Collection.folded_name == fold_name(name)
    return db.session.scalar(select(Collection).where(*own))


def find_or_create(user_id: str, name: str) -> Collection:
    """Return the user's collection of that name, or a new one, in the caller's transaction.

    The caller has locked the account, so that two requests can't both create it, and has made the name by
    `sample_places.collection_name`. Raises TooManyCollectionsError.
    """
    found = find_named(user_id, name)
    if found is not None:
        return found
    check_room(user_id)
    collection = Collection(user_id=user_id, name=name, folded_name=fold_name(name))
    db.session.add(collection)
    db.session.flush()
    return collection


def check_room(user_id: str) -> None:
    """Raise TooManyCollectionsError when the user may have no further collection."""
    own = Collection.user_id == user_id, Collection.deleted_at.is_(None)
    if (db.session.scalar(select(func.count()).select_from(Collection).where(*own)) or 0) >= MAX_COLLECTIONS:
        raise TooManyCollectionsError


def choose_place(job: Job, place: SamplePlace) -> None:
    """Let a job keep its samples in a place, in the caller's transaction, which has locked the account.

    The collection is created if there is none of that name. Raises TooManyCollectionsError.
    """
    if place.collection:
        collection = find_or_create(job.user_id, place.collection)
        job.choices = (job.choices or {}) | {COLLECTION_ID: collection.id, FOLDER: place.folder}


def chosen_place(job: Job) -> dict[str, Any]:
    """Return `collection_id` and `folder` for a sample that a job makes, in the completing transaction.

    Nothing is returned for a job without a place, or when the collection is gone for good. The collection is
    locked, so that it is not removed before the sample is stored.
    """
    choices = job.choices or {}
    wanted = select(Collection.id).where(
        Collection.id == choices.get(COLLECTION_ID), Collection.user_id == job.user_id
    )
    if COLLECTION_ID not in choices or db.session.scalar(wanted.with_for_update(key_share=True)) is None:
        return {}
    return {COLLECTION_ID: choices[COLLECTION_ID], FOLDER: choices[FOLDER]}
