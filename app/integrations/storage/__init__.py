"""Where the bytes live: a folder, or any S3-compatible store. Keys are ours, never a user's text."""

from __future__ import annotations

from functools import lru_cache

from app.config import Settings
from app.integrations.storage import bucket
from app.integrations.storage.bucket import UPLOAD_HEADERS, Arrived, S3Store
from app.integrations.storage.common import BINARY, URL_LIFETIME_S, MissingError, StorageError, Store
from app.integrations.storage.disk import BadLinkError, DiskStore

__all__ = [
    "BINARY",
    "UPLOAD_HEADERS",
    "URL_LIFETIME_S",
    "Arrived",
    "BadLinkError",
    "DiskStore",
    "MissingError",
    "S3Store",
    "StorageError",
    "Store",
    "link_prefix",
    "open_store",
]


@lru_cache(maxsize=8)
def open_store(settings: Settings) -> DiskStore | S3Store:
    if settings.s3_bucket:
        return S3Store(bucket.connect(settings), settings.s3_bucket)
    return DiskStore(settings.data_dir / "store", settings.effective_secret_key)


def link_prefix(settings: Settings) -> str:
    """What every link into the store starts with: host and path. Needs no key of the store."""
    if not settings.s3_bucket:
        return f"{settings.base_url}/media/"
    wanted = {"Bucket": settings.s3_bucket, "Key": "-"}
    return (
        bucket.connect(settings, unsigned=True).generate_presigned_url("get_object", wanted).removesuffix("-")
    )
