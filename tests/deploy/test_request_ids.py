"""The id that a proxy gives a request is in its answer, in its job and in what worker and engine log."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask import Flask

from app import logs
from app.config import Settings
from app.engine import remote_engine, wire_format
from app.engine.answer_stream import AnswerStream
from app.engine.http_stream import NoResponseError
from app.extensions import db
from app.jobs import run
from app.models import Job, User
from app.sandbox.errors import EngineUnavailable
from tests.support import ApiScript, kick

GIVEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"TRUSTED_PROXIES": "1"}


def test_the_id_of_the_proxy_goes_with_the_job(
    app: Flask, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = ApiScript(app, owner)
    audio = {"audio": (BytesIO(kick()), "kick.wav")}
    sent = script.call("POST", "/api/upload", {"X-Request-ID": GIVEN}, data=audio)
    assert (sent.status_code, sent.headers["X-Request-ID"]) == (202, GIVEN)
    assert db.session.query(Job).one().request_id == GIVEN
    marks: list[str] = []
    monkeypatch.setattr(run.log, "info", lambda *_: marks.append(logs._context.get()))
    run.run_next()
    assert [mark.endswith(f" attempt 1 request {GIVEN}") for mark in marks] == [True, True]


@pytest.mark.parametrize("given", ["short", "a b c d e f g h", "x" * 65, "12345678\\n", ""])
def test_an_id_that_is_unfit_for_a_log_is_replaced(app: Flask, given: str) -> None:
    answer = app.test_client().get("/healthz", headers={"X-Request-ID": given})
    assert len(answer.headers["X-Request-ID"]) == 26


def test_the_engine_gets_the_id_as_a_header_and_logs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, str]] = []

    def refuse(method: str, url: str, *, headers: dict[str, str], **_: object) -> None:
        sent.append(headers)
        raise NoResponseError("away")

    monkeypatch.setattr(remote_engine, "open_stream", refuse)
    engine = remote_engine.RemoteEngine("http://engine", "secret")
    sending = remote_engine._send_order(engine, wire_format.PROCESS_PATH, "{}")
    with logs.log_context("job 1", GIVEN), pytest.raises(EngineUnavailable), sending:
        pass
    assert sent[0]["X-Request-ID"] == GIVEN
    stream = AnswerStream(Settings(), "", "1", lambda _path, _listener: {}, GIVEN)
    assert stream._log_name == f"job 1 request {GIVEN}"
