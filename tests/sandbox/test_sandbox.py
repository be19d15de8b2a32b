"""The sandbox: its limits hold against hostile code, and nothing outlives a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.audio.errors import UnreadableAudio
from app.sandbox.errors import EngineCancelled, EngineCrashed, EngineError, EngineOutOfMemory, EngineTimeout
from app.sandbox.runner import ChildLimits, Sandbox
from tests.live import ROOT

LIMITS = ChildLimits(memory_bytes=2**30, file_bytes=64 * 2**20)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox("tests.sandbox.child_entries:act", limits=LIMITS)
    yield made
    made.close()


def is_alive(pid: int) -> bool:
    """Return whether a process runs, rather than being gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(*pids: int) -> None:
    until = time.monotonic() + 20
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < until, "still alive"
        time.sleep(0.02)


def test_an_answer_comes_back_with_its_progress(sandbox: Sandbox, tmp_path: Path) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []
    request = {"act": "echo", "say": "ドラム"}
    answer = sandbox.run(
        request, folder=tmp_path, timeout_s=20, on_progress=lambda step, facts: heard.append((step, facts))
    )
    assert answer["said"] == "ドラム"
    assert answer["cwd"] == str(tmp_path)
    assert heard == [("half", {"way": 1})]


def test_no_secret_of_the_worker_reaches_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "top secret")
    monkeypatch.setenv("S3_SECRET_ACCESS_KEY", "top secret")
    fresh = Sandbox("tests.sandbox.child_entries:act", limits=LIMITS)
    try:
        answer = fresh.run({"act": "echo", "say": ""}, folder=tmp_path, timeout_s=20)
    finally:
        fresh.close()
    assert "top secret" not in str(answer["environ"])


def test_an_unreadable_file_keeps_its_sentence(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(UnreadableAudio, match=r"This is no audio\. Upload a WAV\."):
        sandbox.run({"act": "refuse"}, folder=tmp_path, timeout_s=20)


@pytest.mark.parametrize(
    ("act", "error", "detail"),
    [
        ("segfault", EngineCrashed, "signal 11"),
        ("raise_error", EngineCrashed, "an honest bug"),
        ("hoard", EngineOutOfMemory, "MemoryError"),
        ("fill_disk", EngineCrashed, "File too large"),
        ("babble", EngineCrashed, "more than it may"),
        ("not_a_number", EngineCrashed, "not JSON compliant"),
    ],
)
def test_a_failing_child_costs_one_run_and_nothing_else(
    sandbox: Sandbox, tmp_path: Path, act: str, error: type[EngineError], detail: str
) -> None:
    with pytest.raises(error, match=detail):
        sandbox.run({"act": act}, folder=tmp_path, timeout_s=20)
    assert sandbox.run({"act": "echo", "say": "on"}, folder=tmp_path, timeout_s=20)["said"] == "on"


@pytest.mark.parametrize("how", ["timeout", "cancel"])
def test_a_child_that_ignores_signals_is_killed_with_its_child(
    sandbox: Sandbox, tmp_path: Path, how: str
) -> None:
    pids: dict[str, int] = {}
    started = time.monotonic()
    with pytest.raises(EngineTimeout if how == "timeout" else EngineCancelled):
        sandbox.run(
            {"act": "hang_with_grandchild"},
            folder=tmp_path,
            timeout_s=2 if how == "timeout" else 60,
            on_progress=lambda _, facts: pids.update(facts),
            tick=(lambda: not pids) if how == "cancel" else None,
            tick_s=0.2,
        )
    assert time.monotonic() - started < 30
    wait_until_gone(*pids.values())
    assert len(pids) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_killed_runs_leave_no_descriptor_and_no_child_behind(sandbox: Sandbox, tmp_path: Path) -> None:
    def opened() -> tuple[int, int]:
        assert sandbox._server is not None
        there = (Path("/proc/self/fd"), Path(f"/proc/{sandbox._server.pid}/fd"))
        ours, theirs = (len(list(folder.iterdir())) for folder in there)
        return ours, theirs

    def settled() -> tuple[int, int]:
        """Return the numbers when they stand still: the fork server closes its end after the answer."""
        found, before = opened(), None
        while found != before:
            time.sleep(0.5)
            before, found = found, opened()
        return found

    sandbox.run({"act": "echo", "say": ""}, folder=tmp_path, timeout_s=20)
    before = settled()
    for _ in range(5):
        with pytest.raises(EngineTimeout):
            sandbox.run({"act": "wait", "seconds": 60}, folder=tmp_path, timeout_s=0.1)
    sandbox.run({"act": "echo", "say": ""}, folder=tmp_path, timeout_s=20)
    assert settled() == before
    assert sandbox._server is not None
    children = Path(f"/proc/{sandbox._server.pid}/task/{sandbox._server.pid}/children").read_text().split()
    wait_until_gone(*map(int, children))


def test_threads_run_side_by_side(sandbox: Sandbox, tmp_path: Path) -> None:
    pids: list[int] = []
    started = time.monotonic()

    def run_one(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        pids.append(sandbox.run({"act": "wait", "seconds": 2}, folder=folder, timeout_s=20)["pid"])

    threads = [threading.Thread(target=run_one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(pids)) == 4
    assert time.monotonic() - started < 7.5  # one after the other takes 8


def test_a_killed_fork_server_is_replaced(sandbox: Sandbox, tmp_path: Path) -> None:
    first = sandbox._server
    assert first is not None
    first.kill()
    first.wait()
    assert sandbox.run({"act": "echo", "say": "again"}, folder=tmp_path, timeout_s=20)["said"] == "again"


def test_a_killed_worker_leaves_no_process_behind(tmp_path: Path) -> None:
    """kill -9 of the parent in the middle of a run leaves no fork server, child or grandchild."""
    script = textwrap.dedent(f"""
        from pathlib import Path
        from app.sandbox.runner import Sandbox
        sandbox = Sandbox("tests.sandbox.child_entries:act")
        def heard(step, facts):
            print(sandbox._server.pid, facts["child"], facts["grandchild"], flush=True)
        folder = Path({str(tmp_path)!r})
        sandbox.run({{"act": "hang_with_grandchild"}}, folder=folder, timeout_s=60, on_progress=heard)
    """)
    worker = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    pids = [int(pid) for pid in worker.stdout.readline().split()]
    assert len(pids) == 3
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    wait_until_gone(*pids)


def test_close_leaves_no_process(tmp_path: Path) -> None:
    fresh = Sandbox("tests.sandbox.child_entries:act")
    fresh.run({"act": "echo", "say": ""}, folder=tmp_path, timeout_s=20)
    assert fresh._server is not None
    pid = fresh._server.pid
    fresh.close()
    assert not is_alive(pid)
