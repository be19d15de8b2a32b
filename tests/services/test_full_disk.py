"""A disk that fills up while an upload is received."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Job
from tests.services.raw_http import form_token, sign_in
from tests.support import kick
from tests.web_process import Web

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(sys.platform != "linux", reason="stops gunicorn by its process group"),
]


def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    """The process may write files of at most 3 MB, which fails like a full disk while a body is received."""
    made = Web(tmp_path, before="ulimit -f 6000; ")
    made.start()
    try:
        answer = httpx.post(
            f"{made.url}/api/upload",
            files={"audio": ("a.wav", kick() + bytes(4_000_000))},
            headers=made.headers,
        )
        assert (answer.status_code, answer.headers["Content-Type"]) == (507, "application/problem+json")
        assert "disk is nearly full" in answer.json()["detail"]
        assert int(answer.headers["Retry-After"]) > 0
        with httpx.Client(base_url=made.url) as client:
            sign_in(client, "p@example.com")
            form = {"csrf_token": form_token(client)}
            for accept, words in (
                ("application/json", "disk is nearly full"),
                ("text/html", "disk is nearly full"),
            ):
                told = client.post(
                    "/upload",
                    data=form,
                    files={"audio": ("a.wav", kick() + bytes(4_000_000))},
                    headers={"Accept": accept},
                )
                assert told.status_code == 507
                assert words in told.text
        assert [
            path for name in ("tmp", "store") for path in (made.data_dir / name).rglob("*") if path.is_file()
        ] == []
        with made.database():
            assert db.session.scalars(select(Job)).all() == []
    finally:
        made.stop()
