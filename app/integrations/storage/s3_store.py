"""Keep objects in an S3-compatible bucket; links lead straight to the bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from app import tracing
from app.config import Settings
from app.download_names import safe_file_name
from app.integrations.storage.interface import (
    BINARY_MIME,
    URL_LIFETIME_S,
    ObjectMissingError,
    StoredObject,
    translate_errors,
)

if TYPE_CHECKING:
    from boto3.s3.transfer import TransferConfig
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

MAX_PARALLEL_PARTS = 2
CORS_AGE_S = 3600
BEYOND_THE_END = "InvalidRange"
MISSING_CODES = {"404", "NoSuchKey"}
# An uploaded file is plain bytes until it has arrived and its content shows the format.
UPLOAD_HEADERS = {"Content-Type": BINARY_MIME}


@dataclass(frozen=True)
class ArrivedObject:
    """An object as it was when the bucket was asked; its `etag` changes with its bytes."""

    size_bytes: int
    etag: str


class S3Store:
    """One bucket, as a Store, with links for direct uploads."""

    def __init__(self, client: S3Client, bucket: str, probe: S3Client | None = None) -> None:
        self._client = client
        self._probe = probe or client  # with short timeouts, only to see whether the bucket is there
        self._bucket = bucket

    @tracing.traced("store put", "client")
    def put(self, key: str, source: Path, content_type: str) -> None:
        with translate_errors():
            self._client.upload_file(
                str(source),
                self._bucket,
                key,
                ExtraArgs={"ContentType": content_type},
                Config=_transfer_config(),
            )

    @tracing.traced("store fetch", "client")
    def fetch(self, key: str, target: Path) -> None:
        with translate_errors(), self._told_missing():
            self._client.download_file(self._bucket, key, str(target), Config=_transfer_config())

    @tracing.traced("store read", "client")
    def read(self, key: str, first: int, count: int) -> bytes:
        part = f"bytes={first}-{first + count - 1}"
        with translate_errors(), self._told_missing():
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key, Range=part)["Body"].read()
            except self._client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] == BEYOND_THE_END:
                    return b""
                raise

    @contextmanager
    def _told_missing(self) -> Iterator[None]:
        """Raise ObjectMissingError where there is no such object."""
        try:
            yield
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in MISSING_CODES:
                raise ObjectMissingError(str(error)) from error
            raise

    @tracing.traced("store copy", "client")
    def copy(self, key: str, target_key: str) -> None:
        source: CopySourceTypeDef = {"Bucket": self._bucket, "Key": key}
        with translate_errors():
            self._client.copy_object(
                Bucket=self._bucket,
                Key=target_key,
                CopySource=source,
                ContentType=BINARY_MIME,
                MetadataDirective="REPLACE",
            )

    @tracing.traced("store delete", "client")
    def delete(self, key: str) -> None:
        with translate_errors():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def older_than(self, prefix: str, time: datetime) -> Iterator[str]:
        with translate_errors():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                for entry in page.get("Contents", []):
                    if entry["LastModified"] < time:
                        yield entry["Key"]

    def check_reachable(self) -> None:
        with translate_errors():
            self._probe.head_bucket(Bucket=self._bucket)

    def list_objects(self) -> Iterator[StoredObject]:
        with translate_errors():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket):
                for entry in page.get("Contents", []):
                    version = f"{entry['ETag']}-{entry['LastModified'].timestamp():.3f}"
                    yield StoredObject(entry["Key"], entry["Size"], version)

    def url(self, key: str, *, content_type: str, download_name: str | None = None) -> str:
        wanted = {"Bucket": self._bucket, "Key": key, "ResponseContentType": content_type}
        if download_name is not None:
            wanted["ResponseContentDisposition"] = (
                f"attachment; filename*=UTF-8''{quote(safe_file_name(download_name))}"
            )
        return self._client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=URL_LIFETIME_S)

    def upload_url(self, key: str, size_bytes: int) -> str:
        """Return a link that accepts exactly so many bytes by PUT, for URL_LIFETIME_S seconds.

        The request has to send UPLOAD_HEADERS, which are part of the signature.
        """
        wanted = {"Bucket": self._bucket, "Key": key, "ContentLength": size_bytes}
        wanted["ContentType"] = UPLOAD_HEADERS["Content-Type"]
        return self._client.generate_presigned_url("put_object", Params=wanted, ExpiresIn=URL_LIFETIME_S)

    @tracing.traced("store find object", "client")
    def find_object(self, key: str) -> ArrivedObject | None:
        """Return size and etag of the object with this key, or None."""
        with translate_errors():
            try:
                head = self._client.head_object(Bucket=self._bucket, Key=key)
            except self._client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in MISSING_CODES:
                    return None
                raise
            return ArrivedObject(head["ContentLength"], head["ETag"])

    @tracing.traced("store first bytes", "client")
    def first_bytes(self, key: str, arrived: ArrivedObject, count: int) -> bytes:
        """Return the first bytes of an object, which must not have changed since `find_object`."""
        with translate_errors():
            found = self._client.get_object(
                Bucket=self._bucket, Key=key, Range=f"bytes=0-{count - 1}", IfMatch=arrived.etag
            )
            return found["Body"].read()

    @tracing.traced("store copy unchanged", "client")
    def copy_unchanged(self, source: str, arrived: ArrivedObject, target: str, content_type: str) -> None:
        """Copy an object, or raise StorageError if it has changed since `find_object`."""
        with translate_errors():
            self._client.copy_object(
                Bucket=self._bucket,
                Key=target,
                CopySource={"Bucket": self._bucket, "Key": source},
                CopySourceIfMatch=arrived.etag,
                MetadataDirective="REPLACE",
                ContentType=content_type,
            )

    def create_bucket(self) -> bool:
        """Make the bucket; return False when it is there already."""
        with translate_errors():
            try:
                self._client.head_bucket(Bucket=self._bucket)
            except self._client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] not in MISSING_CODES:
                    raise
                self._client.create_bucket(Bucket=self._bucket)
                return True
            return False

    def allow_origin(self, origin: str) -> None:
        """Let pages of one origin send files to the bucket: replaces its CORS rules."""
        with translate_errors():
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


def create_client(settings: Settings, unsigned: bool = False, is_probe: bool = False) -> S3Client:
    """Build a client with explicit timeouts; an unsigned one needs no keys and can only make links.

    A probe gives up after a few seconds.
    """
    # boto3 is slow to import, and a run without a bucket never needs it.
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
            connect_timeout=2 if is_probe else 5,
            read_timeout=3 if is_probe else 30,
            retries={"max_attempts": 1 if is_probe else 3, "mode": "standard"},
            # In the virtual style Amazon's host names include the region, so links need no redirect.
            s3={"addressing_style": "path" if settings.s3_endpoint_url else "virtual"},
            # The default checksums break uploads to R2.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    return client


def _transfer_config() -> TransferConfig:
    """Limit transfers to two parts at a time: boto3's ten would hold 25 MB of memory for every upload."""
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(max_concurrency=MAX_PARALLEL_PARTS, max_io_queue=MAX_PARALLEL_PARTS)
