"""Response schemas of the JSON API for collections."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from app.collections.collection_list import ListedCollection


class CollectionAnswer(BaseModel):
    id: str
    name: str
    samples: int
    folders: int = Field(description="How many folders hold samples themselves.")
    size_bytes: int
    newest_at: datetime | None = Field(description="When its newest sample was made; null for an empty one.")
    created_at: datetime

    @classmethod
    def from_listed(cls, listed: ListedCollection) -> CollectionAnswer:
        """Return the answer for a collection."""
        own = listed.collection
        return cls(
            id=own.id,
            name=own.name,
            samples=listed.samples,
            folders=listed.folders,
            size_bytes=listed.size_bytes,
            newest_at=listed.newest_at,
            created_at=own.created_at,
        )


class CollectionsAnswer(BaseModel):
    collections: list[CollectionAnswer]
