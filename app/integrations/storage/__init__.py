"""Store files in a folder or an S3-compatible bucket. Keys are made by the app, never from a user's text."""

from __future__ import annotations

from functools import lru_cache

from app.config import Settings
from app.integrations.storage import s3_store
from app.integrations.storage.disk_store import DiskStore, InvalidLinkError
from app.integrations.storage.interface import (
    BINARY_MIME,
    URL_LIFETIME_S,
    ObjectMissingError,
    StorageError,
    Store,
    StoredObject,
)
from app.integrations.storage.s3_store import UPLOAD_HEADERS, ArrivedObject, S3Store

__all__ = [
    "BINARY_MIME",
    "UPLOAD_HEADERS",
    "URL_LIFETIME_S",
    "ArrivedObject",
    "DiskStore",
    "InvalidLinkError",
    "ObjectMissingError",
    "S3Store",
    "StorageError",
    "Store",
    "StoredObject",
    "link_prefix",
    "open_store",
]


@lru_cache(maxsize=8)
def open_store(settings: Settings) -> DiskStore | S3Store:
    """Return the store these settings name; its client is built once per process."""
    if settings.s3_bucket:
        client, probe = (s3_store.create_client(settings, is_probe=is_probe) for is_probe in (False, True))
        return S3Store(client, settings.s3_bucket, probe)
    return DiskStore(settings.data_dir / "store", settings.signing_keys, settings.base_path)


def link_prefix(settings: Settings) -> str:
    """Return the host and path that every link into the store starts with. Needs no key of the store."""
    if not settings.s3_bucket:
        return f"{settings.base_url}/media/"
    wanted = {"Bucket": settings.s3_bucket, "Key": "-"}
    return (
        s3_store.create_client(settings, unsigned=True)
        .generate_presigned_url("get_object", wanted)
        .removesuffix("-")
    )
