"""Signed links of the disk store: byte ranges, caching, file names, and altered or expired links."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner

from app.extensions import settings
from app.integrations.storage import URL_LIFETIME_S, open_store

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)


@pytest.fixture
def link(app: Flask, tmp_path: Path) -> str:
    (tmp_path / "file").write_bytes(CONTENT)
    store = open_store(settings())
    store.put("samples/1/a.wav", tmp_path / "file", "audio/wav")
    return store.url("samples/1/a.wav", content_type="audio/wav", download_name="Déjà vu.wav")


@pytest.mark.parametrize(
    ("range_", "first", "last"),
    [
        ("0-9", 0, 9),
        ("-10", SIZE - 10, SIZE - 1),
        (f"{SIZE - 5}-", SIZE - 5, SIZE - 1),
        ("5-999999", 5, SIZE - 1),
    ],
)
def test_a_range_returns_those_bytes(
    client: FlaskClient, link: str, range_: str, first: int, last: int
) -> None:
    answer = client.get(link, headers={"Range": f"bytes={range_}"})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.data == CONTENT[first : last + 1]
    head = client.head(link, headers={"Range": f"bytes={range_}"})
    assert (head.status_code, head.data, head.content_length) == (206, b"", last - first + 1)


def test_a_range_beyond_the_end_is_refused_with_the_length(client: FlaskClient, link: str) -> None:
    answer = client.get(link, headers={"Range": f"bytes={SIZE}-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert answer.headers["Cache-Control"] == "no-store"


def test_several_ranges_return_the_whole_file(client: FlaskClient, link: str) -> None:
    answer = client.get(link, headers={"Range": "bytes=0-1,5-6"})
    assert (answer.status_code, answer.data) == (200, CONTENT)


def test_a_cached_file_is_not_sent_again(client: FlaskClient, link: str) -> None:
    first = client.get(link)
    assert (first.data, first.headers["Accept-Ranges"]) == (CONTENT, "bytes")
    for headers in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-None-Match": f"W/{first.headers['ETag']}"},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        answer = client.get(link, headers=headers)
        assert (answer.status_code, answer.data) == (304, b"")
    assert client.get(link, headers={"If-None-Match": '"another"'}).status_code == 200


def test_a_range_of_another_version_is_not_sent(client: FlaskClient, link: str) -> None:
    etag = client.head(link).headers["ETag"]
    part = {"Range": "bytes=0-9"}
    assert client.get(link, headers=part | {"If-Range": etag}).status_code == 206
    assert client.get(link, headers=part | {"If-Range": '"another"'}).data == CONTENT


@pytest.mark.parametrize(
    "name", ["Déjà vu.wav", 'a"b.wav', "a;b.wav", "ドラム.wav", "a\\b.wav", "a'b%41.wav"]
)
def test_no_file_name_can_add_a_header(client: FlaskClient, link: str, name: str) -> None:
    url = open_store(settings()).url("samples/1/a.wav", content_type="audio/wav", download_name=name)
    headers = client.get(url).headers
    assert headers["Content-Disposition"].startswith("attachment; filename")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["Cache-Control"].startswith("private")


def test_a_browser_may_play_a_sound_and_do_nothing_with_other_files(client: FlaskClient, link: str) -> None:
    shown = {
        content_type: client.get(open_store(settings()).url("samples/1/a.wav", content_type=content_type))
        for content_type in ("audio/wav", "application/octet-stream")
    }
    policies = [answer.headers["Content-Security-Policy"] for answer in shown.values()]
    assert policies == ["default-src 'none'; media-src 'self'", "default-src 'none'; sandbox"]


def test_altered_and_expired_links_are_refused(
    client: FlaskClient, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, _, signature = link.rpartition(".")
    for altered in (
        link[:-1],
        f"{link}x",
        f"{body}.{signature[::-1]}",
        "/media/x",
        "/media/..%2f..%2fsecret_key",
    ):
        assert client.get(altered).status_code == 404
    now = TimestampSigner("x").get_timestamp()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now + URL_LIFETIME_S + 2)
    answer = client.get(link)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")
