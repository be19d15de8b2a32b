"""Views of the JSON API about collections."""

from __future__ import annotations

from app.api import operations
from app.api.collection_schemas import CollectionAnswer, CollectionsAnswer
from app.api.serving import Answer, serves
from app.collections import collection_list, collection_rows
from app.models import User
from app.models.sample_places import SamplePlace

UNKNOWN = "-"  # no collection has this id, so nothing is found


@serves(operations.LIST_COLLECTIONS)
def list_collections(user: User) -> Answer:
    listed = collection_list.list_collections(user)
    return CollectionsAnswer(collections=[CollectionAnswer.from_listed(each) for each in listed])


def place_filters(user: User, collection: str, folder: str) -> dict[str, str]:
    """Return the filters of a search for a collection by its name, and for a folder in it."""
    place = SamplePlace.from_texts(collection, folder)
    if not collection:
        return {"collection": "", "folder": ""}
    found = collection_rows.find_named(user.id, place.collection) if place.collection else None
    return {"collection": found.id if found else UNKNOWN, "folder": place.folder}
