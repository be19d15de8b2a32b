"""The command line client pushes a folder, is killed, goes on, and pulls everything back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import JOB_S, ROOT, Producer, Product
from tests.support import tone, wav

FILES = 30
FOLDERS = ("", "Kicks", "Kicks/Dusty", "Späte Höhen")
SIDE_FILES = (".DS_Store", "Kicks/._kick.wav", "__MACOSX/x.wav", "set.asd", "cover.jpg", "Kicks/empty.wav")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with Product(tmp_path_factory.mktemp("client") / "data", API_REQUESTS_PER_MINUTE="100000") as served:
        yield served


@pytest.fixture(scope="module")
def account(product: Product, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the client, with a token of the demo account."""
    producer = Producer(product)
    producer.post("/demo")
    secret = producer.make_token("samples:read", "samples:write", "exports:write")
    home = str(tmp_path_factory.mktemp("home"))
    own = {"SAMPLE_AGENT_URL": product.url, "SAMPLE_AGENT_TOKEN": secret, "HOME": home}
    return {**os.environ, **own, "XDG_CONFIG_HOME": home, "PYTHONPATH": str(ROOT / "client")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty different sounds in four folders, one of them twice, and files that are no sounds."""
    top = tmp_path_factory.mktemp("push") / "Dusty pack"
    for number in range(FILES):
        path = top / FOLDERS[number % len(FOLDERS)] / f"hit {number:02}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav(0.9 * tone(50 + 2 * number, 0.3, 12)))
    (top / "the same again.wav").write_bytes((top / "hit 00.wav").read_bytes())
    for name in SIDE_FILES:
        path = top / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"" if name.endswith("empty.wav") else b"side")
    return top


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "sample_agent", *map(str, words)]


def run(account: dict[str, str], *words: str | Path, status: int = 0) -> str:
    ran = subprocess.run(
        command(*words), env=account, capture_output=True, text=True, timeout=JOB_S, check=False
    )
    assert ran.returncode == status, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def kill_after(account: dict[str, str], folder: Path, seconds: float) -> None:
    """Start to push a folder, and kill it."""
    running = subprocess.Popen(command("push", folder), env=account, stdout=subprocess.DEVNULL)
    time.sleep(seconds)
    running.send_signal(signal.SIGKILL)
    running.wait(10)


def test_a_push_that_is_killed_goes_on_and_sends_every_file_once(
    account: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    assert "30 of 31 sounds would be sent." in run(account, "push", folder, "--dry-run")
    for _ in range(2):
        kill_after(account, folder, 1.2)
    told = run(account, "push", folder)
    assert "Files left out: 5 (3 hidden or made by another program, 1 no audio, 1 empty)." in told
    assert "1 the same as another one in the folder" in told
    assert "0 sent, 30 there already" in run(account, "push", folder)
    assert wait_for_samples(account, FILES) == FILES
    assert run(account, "ls").split() == [str(FILES), folder.name.split()[0], folder.name.split()[1]]
    listed = run(account, "ls", folder.name, "--json").splitlines()
    assert {json.loads(line)["folder"] for line in listed} == {*FOLDERS}
    pulled = tmp_path / "back"
    assert "30 fetched, 0 there already." in run(account, "pull", pulled)
    assert {path.relative_to(pulled): path.read_bytes() for path in pulled.rglob("*.wav")} == {
        path.relative_to(folder.parent): path.read_bytes() for path in folder.rglob("hit ??.wav")
    }
    assert "0 fetched, 30 there already." in run(account, "pull", pulled)
    assert "30 fetched" in run(account, "pull", tmp_path / "unit", "--unit")


def wait_for_samples(account: dict[str, str], count: int) -> int:
    until = time.monotonic() + JOB_S
    while time.monotonic() < until:
        lines = run(account, "ls", "--ask", "one-shots").splitlines()
        if len(lines) >= count:
            break
        time.sleep(0.5)
    return len(lines)
