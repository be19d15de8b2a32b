"""Where the bytes live: a folder, or any S3-compatible store. Keys are ours, never a user's text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.config import Settings

if TYPE_CHECKING:
    from boto3.s3.transfer import TransferConfig
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

URL_LIFETIME_S = 900
PARTS_AT_ONCE = 2
BINARY = "application/octet-stream"
CORS_AGE_S = 3600
# What a file is, is told by its bytes when it has arrived; until then it is only that.
UPLOAD_HEADERS = {"Content-Type": BINARY}


class StorageError(Exception):
    """The store could not be reached or did not do what was asked; trying later may help."""


class BadLinkError(Exception):
    """A signed link that was altered or is too old."""


@dataclass(frozen=True)
class Arrived:
    """An object as it is in the bucket now; `etag` changes with its bytes."""

    size_bytes: int
    etag: str


class Store(Protocol):
    def put(self, key: str, source: Path, content_type: str) -> None:
        """Store a file under a key, replacing what was there. A reader sees all of it or none."""

    def fetch(self, key: str, target: Path) -> None:
        """Copy an object to a local file."""

    def copy(self, key: str, target_key: str) -> None:
        """Store an object under a second key; a bucket does so by itself, without sending it to us."""

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is fine."""

    def older_than(self, prefix: str, time: datetime) -> Iterator[str]:
        """Keys below a prefix that were stored before a time."""

    def url(self, key: str, *, content_type: str, download_name: str | None = None) -> str:
        """A link that works for URL_LIFETIME_S seconds and shows this one object only."""


class DiskStore:
    """Objects as files below one folder; links are signed and served by the app itself."""

    def __init__(self, root: Path, secret_key: str) -> None:
        self.root = root.resolve()
        self._signer = URLSafeTimedSerializer(secret_key, salt="media")

    def put(self, key: str, source: Path, content_type: str) -> None:
        target = self._path(key)
        with _as_storage_error():
            try:
                _copy_whole(source, target)
            except FileNotFoundError:
                # A delete beside us may just have removed the folder as an empty one.
                _copy_whole(source, target)

    def fetch(self, key: str, target: Path) -> None:
        with _as_storage_error():
            shutil.copyfile(self._path(key), target)

    def copy(self, key: str, target_key: str) -> None:
        self.put(target_key, self._path(key), "")

    def delete(self, key: str) -> None:
        path = self._path(key)
        with _as_storage_error():
            path.unlink(missing_ok=True)
            _remove_empty_parents(path.parent, self.root)

    def older_than(self, prefix: str, time: datetime) -> Iterator[str]:
        for path in sorted((self.root / prefix).rglob("*")):
            with suppress(FileNotFoundError):
                if path.is_file() and path.stat().st_mtime < time.timestamp():
                    yield path.relative_to(self.root).as_posix()

    def url(self, key: str, *, content_type: str, download_name: str | None = None) -> str:
        return f"/media/{self._signer.dumps([key, content_type, download_name])}"

    def open_link(self, token: str) -> tuple[Path, str, str | None]:
        """The file, content type and download name that a link stands for."""
        try:
            key, content_type, download_name = self._signer.loads(token, max_age=URL_LIFETIME_S)
        except BadSignature as error:
            raise BadLinkError from error
        return self._path(key), content_type, download_name

    def _path(self, key: str) -> Path:
        path = (self.root / key).resolve()
        if self.root not in path.parents:
            raise ValueError(f"not a key: {key!r}")
        return path


class S3Store:
    """An S3-compatible bucket; links lead straight to it."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, source: Path, content_type: str) -> None:
        with _as_storage_error():
            self._client.upload_file(
                str(source), self._bucket, key, ExtraArgs={"ContentType": content_type}, Config=_transfer()
            )

    def fetch(self, key: str, target: Path) -> None:
        with _as_storage_error():
            self._client.download_file(self._bucket, key, str(target), Config=_transfer())

    def copy(self, key: str, target_key: str) -> None:
        source: CopySourceTypeDef = {"Bucket": self._bucket, "Key": key}
        with _as_storage_error():
            self._client.copy_object(
                Bucket=self._bucket,
                Key=target_key,
                CopySource=source,
                ContentType=BINARY,
                MetadataDirective="REPLACE",
            )

    def delete(self, key: str) -> None:
        with _as_storage_error():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def older_than(self, prefix: str, time: datetime) -> Iterator[str]:
        with _as_storage_error():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                for entry in page.get("Contents", []):
                    if entry["LastModified"] < time:
                        yield entry["Key"]

    def url(self, key: str, *, content_type: str, download_name: str | None = None) -> str:
        wanted = {"Bucket": self._bucket, "Key": key, "ResponseContentType": content_type}
        if download_name is not None:
            wanted["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{quote(download_name)}"
        return self._client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=URL_LIFETIME_S)

    def upload_url(self, key: str, size_bytes: int) -> str:
        """A link that for URL_LIFETIME_S seconds takes exactly so many bytes by PUT, with UPLOAD_HEADERS."""
        wanted = {"Bucket": self._bucket, "Key": key, "ContentLength": size_bytes}
        wanted["ContentType"] = UPLOAD_HEADERS["Content-Type"]
        return self._client.generate_presigned_url("put_object", Params=wanted, ExpiresIn=URL_LIFETIME_S)

    def arrived(self, key: str) -> Arrived | None:
        """What is there under a key, or None."""
        with _as_storage_error():
            try:
                head = self._client.head_object(Bucket=self._bucket, Key=key)
            except self._client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                    return None
                raise
            return Arrived(head["ContentLength"], head["ETag"])

    def first_bytes(self, key: str, arrived: Arrived, count: int) -> bytes:
        """The beginning of an object, which must still be the one that was seen to have arrived."""
        with _as_storage_error():
            found = self._client.get_object(
                Bucket=self._bucket, Key=key, Range=f"bytes=0-{count - 1}", IfMatch=arrived.etag
            )
            return found["Body"].read()

    def adopt(self, source: str, arrived: Arrived, target: str, content_type: str) -> None:
        """Copy what was seen to have arrived, and nothing that was put there since."""
        with _as_storage_error():
            self._client.copy_object(
                Bucket=self._bucket,
                Key=target,
                CopySource={"Bucket": self._bucket, "Key": source},
                CopySourceIfMatch=arrived.etag,
                MetadataDirective="REPLACE",
                ContentType=content_type,
            )

    def let_in(self, origin: str) -> None:
        """Let pages of one origin send files here: replaces the bucket's CORS rules."""
        with _as_storage_error():
            self._client.put_bucket_cors(
                Bucket=self._bucket,
                CORSConfiguration={
                    "CORSRules": [
                        {
                            "AllowedOrigins": [origin],
                            "AllowedMethods": ["PUT", "GET", "HEAD"],
                            "AllowedHeaders": ["content-type"],
                            "MaxAgeSeconds": CORS_AGE_S,
                        }
                    ]
                },
            )


@lru_cache(maxsize=8)
def open_store(settings: Settings) -> DiskStore | S3Store:
    if settings.s3_bucket:
        return S3Store(_s3_client(settings), settings.s3_bucket)
    return DiskStore(settings.data_dir / "store", settings.effective_secret_key)


def link_prefix(settings: Settings) -> str:
    """What every link into the store starts with: host and path. Needs no key of the store."""
    if not settings.s3_bucket:
        return f"{settings.base_url}/media/"
    wanted = {"Bucket": settings.s3_bucket, "Key": "-"}
    return _s3_client(settings, unsigned=True).generate_presigned_url("get_object", wanted).removesuffix("-")


def _s3_client(settings: Settings, unsigned: bool = False) -> S3Client:
    # Slow to import, and unknown to an embedded run.
    from boto3.session import Session
    from botocore import UNSIGNED
    from botocore.config import Config

    client: S3Client = Session().client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=settings.s3_secret_access_key,
        region_name=settings.s3_region,
        config=Config(
            signature_version=UNSIGNED if unsigned else "s3v4",
            connect_timeout=5,
            read_timeout=60,
            retries={"max_attempts": 3, "mode": "standard"},
            # In this style Amazon's addresses name the region, so no link leads to a redirect.
            s3={"addressing_style": "path" if settings.s3_endpoint_url else "virtual"},
            # The default checksums break uploads to R2.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    return client


def _transfer() -> TransferConfig:
    """Two parts at once: boto3's ten would hold 25 MB for every upload that goes on."""
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(max_concurrency=PARTS_AT_ONCE, max_io_queue=PARTS_AT_ONCE)


@contextmanager
def _as_storage_error() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(str(error)) from error
    except Exception as error:
        # boto3 is not imported on disk, so its exceptions are known by their package.
        if type(error).__module__.partition(".")[0] not in {"botocore", "boto3", "s3transfer"}:
            raise
        raise StorageError(str(error)) from error


def _copy_whole(source: Path, target: Path) -> None:
    """Copy under a draft name first: a reader sees all of the file or none of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{token_hex(4)}.part")
    try:
        shutil.copyfile(source, draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _remove_empty_parents(folder: Path, root: Path) -> None:
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
