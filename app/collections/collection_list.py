"""Count the sounds, folders and bytes of each collection, and list the folders inside a folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, select

from app.extensions import db
from app.models import Collection, Sample, User
from app.models.sample_places import BETWEEN_FOLDERS, fold_name, folders_above
from app.search.sample_query import SampleQuery

MAX_NAMED = 50  # collections that a list of choices shows


@dataclass(frozen=True, slots=True)
class ListedCollection:
    """A collection with what is in it; `folders` are those that hold sounds themselves."""

    collection: Collection
    samples: int
    folders: int
    size_bytes: int
    newest_at: datetime | None


class NamedCollection(NamedTuple):
    """A collection to choose."""

    id: str
    name: str


class ListedFolder(NamedTuple):
    """A folder with its path in the collection, and how many samples are in it and in the folders below."""

    name: str
    path: str
    samples: int


def list_collections(user: User) -> list[ListedCollection]:
    """Return the user's collections by name, with what is in them."""
    there = and_(Sample.collection_id == Collection.id, Sample.deleted_at.is_(None))
    figures = (
        func.count(Sample.collection_id),
        func.count(func.nullif(func.lower(Sample.folder), "").distinct()),
        func.coalesce(func.sum(Sample.size_bytes), 0),
        func.max(Sample.created_at),
    )
    rows = select(Collection, *figures).outerjoin(Sample, there).where(*_own(user.id)).group_by(Collection.id)
    by_name = rows.order_by(Collection.folded_name)
    return [
        ListedCollection(row[0], row[1], row[2], int(row[3]), row[4]) for row in db.session.execute(by_name)
    ]


def named_collections(user: User, limit: int = MAX_NAMED) -> list[NamedCollection]:
    """Return the first of the user's collections by name."""
    rows = select(Collection.id, Collection.name).where(*_own(user.id)).order_by(Collection.folded_name)
    return [NamedCollection(*row) for row in db.session.execute(rows.limit(limit))]


def filter_choices(user: User, query: SampleQuery) -> dict[str, Any]:
    """Return what the filters of a list offer: `collections`, and the `folders` in the one that is chosen."""
    folders = folders_in(query.collection, query.folder) if query.collection_name else []
    return {"collections": named_collections(user), "folders": folders}


def count_by_folder(collection_id: str) -> dict[str, int]:
    """Return how many samples each folder of a collection holds itself, by path; those in none by ``""``."""
    there = Sample.collection_id == collection_id, Sample.deleted_at.is_(None)
    rows = select(Sample.folder, func.count()).where(*there).group_by(Sample.folder).order_by(Sample.folder)
    return {row[0]: row[1] for row in db.session.execute(rows)}


def folders_in(collection_id: str, parent: str = "") -> list[ListedFolder]:
    """Return the folders right below one, or the top folders of a collection, by name.

    Folders whose names differ only in case are one, as a search finds them.
    """
    depth, above = len(folders_above(parent)), fold_name(parent)
    found: dict[str, ListedFolder] = {}
    for path, count in count_by_folder(collection_id).items():
        chain = folders_above(path)
        if len(chain) > depth and (not depth or fold_name(chain[depth - 1]) == above):
            child = chain[depth]
            known = found.get(fold_name(child))
            name = child.rpartition(BETWEEN_FOLDERS)[2]
            found[fold_name(child)] = (
                known._replace(samples=known.samples + count) if known else ListedFolder(name, child, count)
            )
    return sorted(found.values(), key=lambda folder: folder.path.casefold())


def _own(user_id: str) -> tuple[ColumnElement[bool], ...]:
    return Collection.user_id == user_id, Collection.deleted_at.is_(None)
