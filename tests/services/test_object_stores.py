"""Disk and bucket behave alike as stores; and what only a bucket does."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.config import Settings
from app.integrations.storage import (
    ArrivedObject,
    DiskStore,
    ObjectMissingError,
    S3Store,
    StorageError,
    Store,
    link_prefix,
    open_store,
)
from app.integrations.storage.s3_store import create_client
from tests.live import free_port
from tests.services.conftest import s3_client
from tests.services.store_proxy import StoreProxy

pytestmark = pytest.mark.services
SECRET = "a secret for tests, long enough to be taken"


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    values = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "BASE_URL": "https://x.example"}
    if request.param == "s3":
        values |= request.getfixturevalue("s3_settings")
    return open_store(Settings.from_env(values))


@pytest.fixture
def bucket(s3_settings: dict[str, str]) -> S3Store:
    """Return a bucket that this test alone uses."""
    client = create_client(Settings.from_env({"SECRET_KEY": SECRET, **s3_settings}))
    made = S3Store(client, f"b{os.urandom(6).hex()}")
    assert made.create_bucket() is True
    return made


def put(store: Store, key: str, content: bytes, folder: Path) -> None:
    (folder / "source").write_bytes(content)
    store.put(key, folder / "source", "audio/wav")


def test_a_part_of_an_object_is_read_up_to_its_end(store: Store, tmp_path: Path) -> None:
    put(store, "made/x/1", bytes(range(100)), tmp_path)
    assert store.read("made/x/1", 10, 5) == bytes(range(10, 15))
    assert store.read("made/x/1", 99, 1) == bytes([99])
    assert store.read("made/x/1", 95, 50) == bytes(range(95, 100))
    assert store.read("made/x/1", 100, 50) == b""
    with pytest.raises(ObjectMissingError):
        store.read("made/x/2", 0, 5)


def test_a_store_puts_replaces_and_deletes_objects(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "out"
    for content in (b"first", b"second"):
        put(store, "a/b/c.wav", content, tmp_path)
        store.fetch("a/b/c.wav", target)
        assert target.read_bytes() == content
    store.copy("a/b/c.wav", "d/e.wav")
    store.fetch("d/e.wav", target)
    assert target.read_bytes() == b"second"
    with pytest.raises(StorageError):
        store.copy("a/none.wav", "d/e.wav")
    for _ in range(2):
        store.delete("a/b/c.wav")
    with pytest.raises(ObjectMissingError):
        store.fetch("a/b/c.wav", target)
    store.check_reachable()


def test_a_bucket_lists_its_objects_and_the_old_ones(bucket: S3Store, tmp_path: Path) -> None:
    assert bucket.create_bucket() is False
    bucket.check_reachable()
    assert list(bucket.list_objects()) == []
    for key, content in (("in/a", b"1"), ("in/b", b"22"), ("out/c", b"333")):
        put(bucket, key, content, tmp_path)
    found = {each.key: each for each in bucket.list_objects()}
    assert {key: each.size_bytes for key, each in found.items()} == {"in/a": 1, "in/b": 2, "out/c": 3}
    assert len({each.version for each in found.values()}) == 3
    stored_at: datetime = bucket._client.head_object(Bucket=bucket._bucket, Key="in/a")["LastModified"]
    assert list(bucket.older_than("in/", stored_at + timedelta(minutes=1))) == ["in/a", "in/b"]
    assert list(bucket.older_than("in/", stored_at - timedelta(minutes=1))) == []
    assert list(bucket.older_than("nothing/", stored_at + timedelta(minutes=1))) == []


def test_an_arrived_object_is_copied_as_it_was_seen(
    s3_settings: dict[str, str], gate: StoreProxy, tmp_path: Path
) -> None:
    store = open_store(Settings.from_env({"SECRET_KEY": SECRET, **s3_settings, "S3_ENDPOINT_URL": gate.url}))
    assert isinstance(store, S3Store)
    assert store.find_object("arrived/none") is None
    put(store, "arrived/1", bytes(range(100)), tmp_path)
    seen = store.find_object("arrived/1")
    assert seen is not None
    assert seen.size_bytes == 100
    for count in (1, 10, 200):
        assert store.first_bytes("arrived/1", seen, count) == bytes(range(100))[:count]
    store.copy_unchanged("arrived/1", seen, "kept/1", "audio/flac")
    assert store.read("kept/1", 0, 200) == bytes(range(100))
    kept = store._client.head_object(Bucket=store._bucket, Key="kept/1")
    assert kept["ContentType"] == "audio/flac"
    put(store, "arrived/1", b"other bytes", tmp_path)
    with pytest.raises(StorageError):
        store.copy_unchanged("arrived/1", seen, "kept/2", "audio/flac")
    assert store.find_object("kept/2") is None
    with pytest.raises(StorageError):
        store.first_bytes("arrived/1", ArrivedObject(100, '"of other bytes"'), 10)


def test_what_a_bucket_refuses_is_not_taken_for_a_missing_object(
    s3_settings: dict[str, str], gate: StoreProxy, tmp_path: Path
) -> None:
    store = open_store(Settings.from_env({"SECRET_KEY": SECRET, **s3_settings, "S3_ENDPOINT_URL": gate.url}))
    assert isinstance(store, S3Store)
    put(store, "refused/1", b"bytes", tmp_path)
    gate.is_shut = True
    for ask in (
        lambda: store.read("refused/1", 0, 1),
        lambda: store.fetch("refused/1", tmp_path / "out"),
        lambda: store.find_object("refused/1"),
        lambda: store.create_bucket(),
        lambda: store.check_reachable(),
        lambda: list(store.list_objects()),
    ):
        with pytest.raises(StorageError) as refused:
            ask()
        assert not isinstance(refused.value, ObjectMissingError)


def test_a_bucket_link_names_the_download_for_a_quarter_of_an_hour(bucket: S3Store, tmp_path: Path) -> None:
    put(bucket, "k.wav", b"bytes", tmp_path)
    link = bucket.url("k.wav", content_type="audio/x-test", download_name="Ünïcode.wav")
    answer = httpx.get(link)
    assert (answer.content, answer.headers["Content-Type"]) == (b"bytes", "audio/x-test")
    assert "%C3%9Cn%C3%AFcode.wav" in answer.headers["Content-Disposition"]
    plain = bucket.url("k.wav", content_type="audio/x-test")
    assert "Content-Disposition" not in httpx.get(plain).headers
    sent = bucket.upload_url("k.wav", 5)
    assert [parse_qs(urlsplit(each).query)["X-Amz-Expires"] for each in (link, plain, sent)] == [["900"]] * 3


def test_pages_of_one_origin_may_send_files_for_an_hour_without_asking_again(bucket: S3Store) -> None:
    for origin in ("https://former.example", "https://x.example"):
        bucket.allow_origin(origin)
    (rule,) = bucket._client.get_bucket_cors(Bucket=bucket._bucket)["CORSRules"]
    assert (rule["AllowedOrigins"], rule["MaxAgeSeconds"]) == (["https://x.example"], 3600)
    assert set(rule["AllowedMethods"]) == {"PUT", "GET", "HEAD"}


def away() -> dict[str, str]:
    """Return the settings of a bucket that does not answer."""
    port = free_port()
    return {
        "S3_BUCKET": "b",
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "S3_ACCESS_KEY_ID": "k",
        "S3_SECRET_ACCESS_KEY": "s",
        "S3_REGION": "eu-west-1",
        "SECRET_KEY": SECRET,
    }


def test_a_store_that_is_down_raises_a_storage_error(tmp_path: Path) -> None:
    store = open_store(Settings.from_env(away()))
    with pytest.raises(StorageError):
        put(store, "k", b"x", tmp_path)
    with pytest.raises(StorageError):
        store.check_reachable()


def test_only_whether_a_bucket_is_there_is_asked_of_the_hasty_client(s3_settings: dict[str, str]) -> None:
    """One that gives up within seconds would break off the upload of a long file."""
    found = Settings.from_env({"SECRET_KEY": SECRET, **s3_settings})

    def config_of(**which: bool) -> Any:
        return create_client(found, **which).meta.config

    def worst_s(config: Any) -> float:
        longest: float = max(config.connect_timeout, config.read_timeout)
        return longest * int(config.retries["total_max_attempts"])

    patient, hasty = config_of(), config_of(is_probe=True)
    assert worst_s(hasty) <= 10 < 60 <= worst_s(patient)
    assert (patient.signature_version, hasty.signature_version) == ("s3v4", "s3v4")
    missing = S3Store(s3_client(s3_settings), "samples", s3_client(away()))
    assert missing.find_object("none") is None
    with pytest.raises(StorageError):
        missing.check_reachable()


def test_a_prefix_of_links_needs_no_key(s3_settings: dict[str, str], tmp_path: Path) -> None:
    plain = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "BASE_URL": "https://x.example"}
    assert link_prefix(Settings.from_env(plain)) == "https://x.example/media/"
    prefix = link_prefix(Settings.from_env(plain | s3_settings))
    assert prefix == f"{s3_settings['S3_ENDPOINT_URL']}/{s3_settings['S3_BUCKET']}/"
    amazon = {name: value for name, value in s3_settings.items() if name != "S3_ENDPOINT_URL"}
    prefix = link_prefix(Settings.from_env(plain | amazon | {"S3_REGION": "eu-west-1"}))
    assert prefix == f"https://{s3_settings['S3_BUCKET']}.s3.eu-west-1.amazonaws.com/"
    assert isinstance(open_store(Settings.from_env(plain)), DiskStore)
