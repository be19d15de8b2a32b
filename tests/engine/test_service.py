"""The engine's process over real HTTP: who may ask, what it answers, and what ends the work."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import httpx
import pytest
import soundfile
from flask import Flask

from app.audio.errors import UnreadableAudio
from app.audio.version import ENGINE_VERSION
from app.config import ConfigError, Settings
from app.engine import local_engine, service, wire_format
from app.engine.contract import RENDERED_NAME, EngineOrder, ProgressListener
from app.integrations.storage import link_prefix
from tests.engine.engine_client import (
    AUTHORISED,
    ask_engine,
    engine_health,
    parse_stream,
    wait_for_slots,
    wait_until_taken,
)
from tests.engine.fake_store import FakeStore, running_store
from tests.live import ENGINE_SECRET, ROOT, EngineProcess
from tests.support import drum_loop, kick, silence


def test_the_public_app_and_the_engine_share_no_routes(app: Flask, tmp_path: Path) -> None:
    public = {rule.rule for rule in app.url_map.iter_rules()}
    own = {"/api/process", "/api/render", "/api/health"}
    assert not public & own
    settings = Settings.for_engine({"ENGINE_SECRET": ENGINE_SECRET, "DATA_DIR": str(tmp_path)})
    sandbox = local_engine.new_sandbox()
    engine = service.create_app(settings, sandbox)
    assert {rule.rule for rule in engine.url_map.iter_rules()} == own


def test_it_loads_no_database_queue_or_decoder() -> None:
    names = ("sqlalchemy", "huey", "stripe", "librosa", "numba")
    check = f"import app.engine.service, sys; print([name for name in {names!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT)
    assert found.stdout.strip() == "[]", found.stderr


def test_it_refuses_to_start_without_a_secret(tmp_path: Path) -> None:
    for secret in ("", "too short"):
        with pytest.raises(ConfigError, match="ENGINE_SECRET"):
            Settings.for_engine({"ENGINE_SECRET": secret, "DATA_DIR": str(tmp_path)})
    process = EngineProcess(tmp_path, ENGINE_SECRET="")
    process.start()
    assert process.process is not None
    assert process.process.wait(30) != 0


def test_it_needs_no_credentials_of_the_store() -> None:
    bucket = {"S3_BUCKET": "samples", "S3_ENDPOINT_URL": "https://acc.r2.cloudflarestorage.com"}
    settings = Settings.for_engine({"ENGINE_SECRET": ENGINE_SECRET, **bucket})
    assert link_prefix(settings) == "https://acc.r2.cloudflarestorage.com/samples/"


def test_health_is_public_and_has_what_a_load_balancer_needs(engine_process: EngineProcess) -> None:
    expected = {"status": "ready", "version": ENGINE_VERSION, "slots": 2, "busy": 0}
    assert engine_health(engine_process) == expected


@pytest.mark.parametrize("given", ["", "Bearer x", f"Bearer {ENGINE_SECRET}x", "Bearer \xe9", ENGINE_SECRET])
def test_a_request_without_the_secret_is_refused(
    engine_process: EngineProcess, store: FakeStore, given: str
) -> None:
    url, body = f"{engine_process.url}/api/process", {"url": store.keep("kick.wav", kick())}
    answer = httpx.post(url, json=body, headers={b"Authorization": given.encode("latin-1")})
    assert answer.status_code == 401
    assert store.asked == []


def test_an_answer_is_complete_and_equals_what_a_worker_measures_itself(
    engine_process: EngineProcess, store: FakeStore, tmp_path: Path
) -> None:
    content, order = drum_loop(93), EngineOrder(name="Loop.wav")
    answer = ask_engine(engine_process, store.keep("loop.wav", content), name="Loop.wav")
    assert answer.status_code == 200
    messages, wav = parse_stream(answer.content)
    assert [message.get("step") for message in messages] == ["decoded", "measured", None]
    last = messages[-1]
    assert set(last) == {
        "success", "audio_features", "ai_analysis", "calls", "cost", "processing_time"
    }  # fmt: skip
    assert (last["success"], last["cost"], last["calls"]) == (True, 0, [])
    assert 0 < last["processing_time"] < 60
    (tmp_path / "source").write_bytes(content)
    listener, sandbox = (
        ProgressListener(lambda _: None, lambda _: None, lambda: True),
        local_engine.new_sandbox(),
    )
    here = local_engine.process_locally(sandbox, tmp_path / "source", order, listener)
    sandbox.close()
    assert (last["audio_features"], last["ai_analysis"]) == (here.measurement.to_dict(), here.ai_analysis)
    assert messages[1]["audio_features"] == here.measurement.to_dict()
    assert wav == (tmp_path / RENDERED_NAME).read_bytes()
    assert soundfile.info(BytesIO(wav)).samplerate == 48_000
    assert list((engine_process.data_dir / "tmp").iterdir()) == []


def test_an_order_can_leave_out_wav_and_description(engine_process: EngineProcess, store: FakeStore) -> None:
    url = store.keep("kick.wav", kick())
    messages, wav = parse_stream(
        ask_engine(engine_process, url, export_sp404=False, ai_analysis=False).content
    )
    assert [message.get("step") for message in messages] == ["measured", None]
    assert wav == b""
    assert messages[-1]["ai_analysis"] is None
    assert "sp404" not in messages[-1]["audio_features"]


@pytest.mark.parametrize(
    ("name", "content", "kind", "words"),
    [
        ("noise.wav", b"RIFF\0\0\0\0WAVE", "unreadable", "."),
        ("segfault.wav", kick(), "crashed", "signal 11"),
        ("hoard.wav", kick(), "memory", "MemoryError"),
        ("raise_error.wav", kick(), "crashed", "an honest bug"),
        ("hang_with_grandchild.wav", kick(), "timeout", "time limit"),
    ],
)
def test_each_failure_is_reported_by_its_kind(
    engine_process: EngineProcess, store: FakeStore, name: str, content: bytes, kind: str, words: str
) -> None:
    messages, _ = parse_stream(
        ask_engine(engine_process, store.keep("x", content), name=name, limit_s=2).content
    )
    assert messages[-1]["success"] is False
    assert messages[-1]["error"]["kind"] == kind
    assert words in messages[-1]["error"]["message"]
    wait_for_slots(engine_process, 2)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"url": 5}', b'{"url": "x", "more": 1}', b'{"url": "x", "options": {"limit_s": 0}}'],
)
def test_a_malformed_order_is_refused(engine_process: EngineProcess, body: bytes) -> None:
    answer = httpx.post(f"{engine_process.url}/api/process", content=body, headers=AUTHORISED)
    assert (answer.status_code, answer.json()["success"]) == (422, False)


def test_a_large_order_is_refused(engine_process: EngineProcess) -> None:
    url = f"{engine_process.url}/api/process"
    assert httpx.post(url, content=b" " * 70_000, headers=AUTHORISED).status_code == 413


def test_a_full_engine_answers_when_to_retry(engine_process: EngineProcess, store: FakeStore) -> None:
    url, options = store.keep("x", kick()), {"name": "hang_with_grandchild.wav", "limit_s": 30}
    body = {"url": url, "options": options}
    with httpx.Client(base_url=engine_process.url, headers=AUTHORISED, timeout=10) as client:
        first, second = (client.build_request("POST", "/api/process", json=body) for _ in range(2))
        answers = [client.send(request, stream=True) for request in (first, second)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert engine_health(engine_process)["busy"] == 2
        third = ask_engine(engine_process, url)
        assert (third.status_code, third.headers["Retry-After"]) == (503, "1")
        for answer in answers:
            answer.close()
    wait_for_slots(engine_process, 5)
    assert ask_engine(engine_process, url).status_code == 200


def test_a_caller_that_hangs_up_ends_the_work_and_its_processes(
    engine_process: EngineProcess, store: FakeStore
) -> None:
    """Child, grandchild and folder are gone long before the time limit."""
    url, options = store.keep("x", kick()), {"name": "hang_with_grandchild.wav", "limit_s": 60}
    with httpx.stream(
        "POST",
        f"{engine_process.url}/api/process",
        json={"url": url, "options": options},
        headers=AUTHORISED,
    ) as answer:
        for _ in answer.iter_raw():  # a line, twice a second
            folder = next((engine_process.data_dir / "tmp").iterdir())
            if len(_processes_in(folder)) == 2:
                break
    wait_for_slots(engine_process, 2)
    until = time.monotonic() + 20  # a killed process is gone moments later
    while _processes_in(folder) and time.monotonic() < until:
        time.sleep(0.05)
    assert _processes_in(folder) == []
    assert not folder.exists()


def _processes_in(folder: Path) -> list[str]:
    """Return the ids of the processes that work in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str((entry / "cwd").readlink()).startswith(str(folder)):
                found.append(entry.name)
        except OSError:
            continue
    return found


def test_a_caller_that_reads_nothing_loses_its_slot(tmp_path: Path) -> None:
    """The WAV of a few minutes fills every buffer between the two."""
    with (
        EngineProcess(tmp_path, ENGINE_TEST_SILENCE_S="1") as engine,
        running_store(engine.store_port) as store,
        socket.create_connection(("127.0.0.1", engine.port)) as mute,
    ):
        body = json.dumps({"url": store.keep("x", silence(300)), "options": {}})
        head = f"POST /api/process HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ENGINE_SECRET}\r\n"
        mute.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        wait_until_taken(engine)
        wait_for_slots(engine, 60)
        assert "given up" in engine.log or "timed out" in engine.log


def test_an_unreadable_file_is_explained_to_the_producer(
    engine_process: EngineProcess, store: FakeStore
) -> None:
    messages, _ = parse_stream(ask_engine(engine_process, store.keep("x", b"#EXTM3U\nx")).content)
    with pytest.raises(UnreadableAudio, match=r"\.$"):
        wire_format.parse_answer(messages[-1])
