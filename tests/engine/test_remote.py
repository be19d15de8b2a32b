"""The worker's side of the remote engine: how it deals with one that is away, silent, full or killed."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from app.engine import remote_engine, wire_format
from app.engine.contract import EngineAnswer, EngineOrder, ProgressListener
from app.sandbox.errors import EngineCancelled, EngineUnavailable
from tests.engine.fake_store import FakeStore, running_store
from tests.live import ENGINE_SECRET, EngineProcess, free_port
from tests.support import kick

HANGS = EngineOrder(name="hang_with_grandchild.wav", limit_s=60)


def process(
    url: str, source: str, folder: Path, order: EngineOrder, still_wanted: bool = True
) -> EngineAnswer:
    listener = ProgressListener(lambda _: None, lambda _: None, lambda: still_wanted)
    return remote_engine.process_remotely(
        remote_engine.RemoteEngine(url, ENGINE_SECRET), source, folder, order, listener
    )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_engine, "MAX_WAIT_S", 0.5)
    monkeypatch.setattr(remote_engine, "RETRY_PAUSE_S", 0.1)


def test_a_missing_engine_is_unavailable_and_does_not_blame_the_file(tmp_path: Path, impatient: None) -> None:
    with pytest.raises(EngineUnavailable, match="refused"):
        process(f"http://127.0.0.1:{free_port()}", "x", tmp_path, EngineOrder())


def test_a_wrong_secret_or_link_does_not_blame_the_file(
    engine_process: EngineProcess, tmp_path: Path
) -> None:
    with pytest.raises(EngineUnavailable, match="422"):
        process(engine_process.url, "http://elsewhere/x", tmp_path, EngineOrder())
    service = remote_engine.RemoteEngine(engine_process.url, "another secret")
    with pytest.raises(EngineUnavailable, match="401"):
        remote_engine.process_remotely(
            service, "x", tmp_path, EngineOrder(), ProgressListener(print, print, lambda: True)
        )


def test_an_engine_killed_during_the_work_is_unavailable(tmp_path: Path) -> None:
    with EngineProcess(tmp_path) as engine, running_store(engine.store_port) as store:
        timer = threading.Timer(2, engine.kill)
        timer.start()
        with pytest.raises(EngineUnavailable):
            process(engine.url, store.keep("x", kick()), tmp_path, HANGS)
        timer.join()


def test_a_restarting_engine_is_waited_for(tmp_path: Path) -> None:
    """Otherwise every job in the queue would fail to reach it and be postponed."""
    with EngineProcess(tmp_path) as engine, running_store(engine.store_port) as store:
        engine.kill()
        timer = threading.Timer(1, engine.start)
        timer.start()
        answer = process(engine.url, store.keep("x", kick()), tmp_path, EngineOrder(name="kick.wav"))
        timer.join()
    assert answer.analysis.kind == "one-shot"


def test_a_silent_engine_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, impatient: None
) -> None:
    monkeypatch.setattr(wire_format, "MAX_SILENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        started = time.monotonic()
        with pytest.raises(EngineUnavailable, match="timed out"):
            process(f"http://127.0.0.1:{mute.getsockname()[1]}", "x", tmp_path, EngineOrder())
    assert time.monotonic() - started < 30


def test_a_full_engine_is_retried_and_then_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, impatient: None
) -> None:
    with running_store(free_port()) as full:
        full.answer("full", 503, {"Content-Length": "0", "Retry-After": "1"})
        monkeypatch.setattr(wire_format, "PROCESS_PATH", "/media/full")
        with pytest.raises(EngineUnavailable, match="no free slot"):
            process(full.url, "x", tmp_path, EngineOrder())
        assert len(full.asked) > 3


def test_a_caller_who_no_longer_wants_the_answer_ends_the_work(
    engine_process: EngineProcess, store: FakeStore, tmp_path: Path
) -> None:
    started = time.monotonic()
    with pytest.raises(EngineCancelled):
        process(engine_process.url, store.keep("x", kick()), tmp_path, HANGS, still_wanted=False)
    assert time.monotonic() - started < 30
