"""With a path in BASE_URL, the product lives below that path, which a proxy in front takes away."""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from app.extensions import db
from app.jobs import run
from app.models import Job, User
from app.notify.external_urls import external_url
from tests.support import PASSWORD, kick

BELOW = "/sampler"
PAGES = (
    "/dashboard",
    "/upload",
    "/jobs",
    "/samples",
    "/kits",
    "/collections",
    "/billing",
    "/settings",
    "/settings/security",
    "/duplicates",
)
ADDRESS = re.compile(r'(?:href|src|action|data-[\w-]+|hx-(?:get|post|put|delete))="(/[^"]*)"')


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {
        "BASE_URL": f"http://samples.example.com{BELOW}",
        "SECRET_KEY": "a secret for tests, long enough to be taken",
    }


class Visitor:
    """A browser behind a proxy that passes on `/sampler/…` as `/…`, and nothing else."""

    def __init__(self, app: Flask) -> None:
        def proxy(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            path = environ["PATH_INFO"]
            if not path.startswith(f"{BELOW}/"):
                start_response("404 Not Found", [])
                return [b"not ours: " + path.encode()]
            return app.wsgi_app(environ | {"PATH_INFO": path.removeprefix(BELOW)}, start_response)

        self._client = Client(proxy)

    def get(self, path: str) -> TestResponse:
        """Request an address as a page gives it."""
        return self._client.get(path, base_url="http://samples.example.com")

    def post(self, path: str, **form: Any) -> TestResponse:
        token = re.search(r'name="csrf-token" content="([^"]+)"', self.get(f"{BELOW}/sign-in").text)
        assert token is not None
        form["csrf_token"] = token[1]
        return self._client.post(path, data=form, base_url="http://samples.example.com")


def test_every_address_begins_with_the_path(app: Flask, owner: User) -> None:
    visitor = Visitor(app)
    sent_to = visitor.get(f"{BELOW}/dashboard").headers["Location"]
    assert sent_to == f"{BELOW}/sign-in?next={BELOW}/dashboard"
    signed_in = visitor.post(sent_to, email=owner.email, password=PASSWORD)
    assert (signed_in.status_code, signed_in.headers["Location"]) == (303, f"{BELOW}/dashboard")
    kept = signed_in.headers.getlist("Set-Cookie")
    assert [each for each in kept if f"Path={BELOW};" not in f"{each};"] == []
    assert len(kept) == 2
    sent = visitor.post(f"{BELOW}/upload", audio=(BytesIO(kick()), "kick.wav"))
    assert sent.headers["Location"] == f"{BELOW}/jobs"
    assert run.run_next() is not None
    sample_id = db.session.query(Job).one().sample_id
    assert sample_id is not None
    for page in (*PAGES, f"/samples/{sample_id}"):
        answer = visitor.get(BELOW + page)
        assert answer.status_code == 200, page
        addresses = set(ADDRESS.findall(answer.text))
        assert addresses
        assert [each for each in addresses if not each.startswith(f"{BELOW}/")] == [], page
    styles = re.findall(r'rel="stylesheet" href="([^"]+)"', answer.text)
    assert {visitor.get(each).status_code for each in styles} == {200}
    link = visitor.get(f"{BELOW}/samples/{sample_id}/sp404").headers["Location"]
    assert link.startswith(f"{BELOW}/media/")
    assert visitor.get(link).data[:4] == b"RIFF"
    assert external_url("pages.landing") == f"http://samples.example.com{BELOW}/"
