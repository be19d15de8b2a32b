"""The proxy in front asks by a request's headers whether to receive its body."""

from __future__ import annotations

from contextvars import Context
from typing import Any

import pytest
from flask import Flask

from app.auth import api_tokens
from app.extensions import db
from app.models import Job, User
from app.models.api_token import JOBS_READ
from tests.support import ApiScript, Browser, kick

MB = 10**6


def asked(length: int | None, path: str = "/upload", **headers: str) -> dict[str, str]:
    sizes = {} if length is None else {"X-Upload-Length": str(length)}
    return {"X-Upload-Path": path} | sizes | headers


@pytest.mark.parametrize(
    ("length", "headers", "status"),
    [
        (9 * MB, {}, 204),
        (None, {}, 204),
        (99 * MB, {}, 204),  # ten files in a form without JavaScript
        (102 * MB, {}, 403),
        (99 * MB, {"Accept": "application/json"}, 403),  # one file by the page's script
        (10 * MB, {"Accept": "application/json"}, 204),
        (99 * MB, {"Accept": "application/json", "X-Upload-Path": "/upload/zip"}, 204),  # a ZIP of sounds
        (102 * MB, {"Accept": "application/json", "X-Upload-Path": "/upload/zip"}, 403),
    ],
)
def test_a_member_may_send_what_the_plan_takes(
    as_freeloader: Browser, length: int | None, headers: dict[str, str], status: int
) -> None:
    assert as_freeloader.get("/upload/permission", headers=asked(length, **headers)).status_code == status


def test_strangers_may_not_send(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/upload/permission", headers=asked(10)).status_code == 403
    assert client.get("/upload/permission", headers=asked(10, "/api/upload")).status_code == 403
    assert client.get("/upload/permission").status_code == 403


def test_a_token_may_send_when_it_may_upload_and_its_plan_has_room(app: Flask, freeloader: User) -> None:
    script = ApiScript(app, freeloader)
    assert script.get("/upload/permission", headers=asked(10 * MB, "/api/upload")).status_code == 204
    assert script.get("/upload/permission", headers=asked(12 * MB, "/api/upload")).status_code == 403
    _, reader = api_tokens.create_token(freeloader, "reader", [JOBS_READ], None)
    headers = asked(10, "/api/upload", Authorization=f"Bearer {reader}")
    assert app.test_client().get("/upload/permission", headers=headers).status_code == 403
    for number in range(10):
        assert script.upload("kick.wav", kick(), key=f"key-{number}").status_code == 202
    assert script.get("/upload/permission", headers=asked(10, "/api/upload")).status_code == 403
    again = asked(10, "/api/upload", **{"Idempotency-Key": "key-3"})
    assert script.get("/upload/permission", headers=again).status_code == 204


def unreceived(file: bytes) -> dict[str, Any]:
    content = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="kick.wav"\r\n\r\n' + file
    headers = {"X-Unreceived": "yes", "Content-Type": "multipart/form-data; boundary=b"}
    return {"data": content + b"\r\n--b--\r\n", "headers": headers}


@pytest.mark.parametrize("size", [10, 3 * MB])
def test_a_body_the_proxy_has_not_received_is_never_read(
    app: Flask, script: ApiScript, as_owner: Browser, size: int
) -> None:
    """An upload that is allowed gets 503, so that the client tries again. A stranger is refused as usual."""
    sent = unreceived(kick() + bytes(size))
    by_script = script.call("POST", "/api/upload", **sent)
    assert (by_script.status_code, by_script.content_type) == (503, "application/problem+json")
    sent["headers"]["X-CSRFToken"] = as_owner.token
    by_page = Context().run(as_owner.client.post, "/upload", **sent)
    for answer in (by_script, by_page):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    stranger = app.test_client()
    assert Context().run(stranger.post, "/api/upload", **sent).status_code == 401
    answer = Context().run(stranger.post, "/upload", **sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert db.session.query(Job).count() == 0


def test_a_session_is_no_permission_for_the_api(as_owner: Browser) -> None:
    assert as_owner.get("/upload/permission", headers=asked(10, "/api/upload")).status_code == 403
