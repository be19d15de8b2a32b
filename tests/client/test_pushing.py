"""What the client does when the service says wait, no or nothing; and the names that it writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sample_agent import service
from sample_agent.account import Account, load_account, save_account
from sample_agent.folders import walk
from sample_agent.pull import Names, safe_name
from sample_agent.push import Push, Pushed, hash_sounds, leave_known
from sample_agent.service import Service

Answer = tuple[int, dict[str, Any]]
ACCEPTED: Answer = (202, {"job_id": "J"})
FULL: Answer = (422, {"detail": "Your plan has no uploads left."})


class Scripted:
    """A service that answers uploads from a list, the last one for ever, and notes what it was sent."""

    def __init__(self, *uploads: Answer, left: int = 100, known: tuple[str, ...] = ()) -> None:
        self.uploads, self.left, self.known = list(uploads), left, known
        self.keys: list[str] = []

    def answer(self, path: str, headers: Any) -> Answer:
        if path == "/api/usage":
            return 200, {"uploads": {"left": self.left}, "storage_bytes": {"left": 10**9}}
        if path == "/api/uploads/known":
            return 200, {"known": [{"sha256": each} for each in self.known]}
        self.keys.append(headers["Idempotency-Key"])
        return self.uploads.pop(0) if len(self.uploads) > 1 else self.uploads[0]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Serve a script; the client waits only a moment between two tries."""
    monkeypatch.setattr(service, "LONGEST_PAUSE_S", 0.01)
    servers = []

    def start(script: Scripted) -> Service:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, body = script.answer(self.path, self.headers)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return Service(Account(f"http://127.0.0.1:{server.server_port}", "token"))

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(6):
        (tmp_path / f"{number}.wav").write_bytes(bytes([number]))
    return tmp_path


def push(client: Service, folder: Path, jobs: int = 1) -> Pushed:
    hashed, done = hash_sounds(walk(folder).sounds, jobs, lambda: None)
    Push(client, "Pack", threading.Event()).send(leave_known(client, hashed, done), jobs, done, lambda: None)
    return done


@pytest.mark.parametrize("status", [409, 429, 502, 503, 504, 507])
def test_it_tries_again_with_the_same_key_when_the_service_says_later(
    serve: Any, folder: Path, status: int
) -> None:
    script = Scripted((status, {"detail": "Later."}), (status, {"detail": "Later."}), ACCEPTED)
    done = push(serve(script), folder)
    assert (done.sent, done.refused, done.stopped) == (6, [], "")
    assert len(set(script.keys[:3])) == 1
    assert len(set(script.keys)) == 6


def test_a_plan_that_is_full_ends_it_and_what_is_left_is_counted(serve: Any, folder: Path) -> None:
    script = Scripted(ACCEPTED, ACCEPTED, FULL, left=0)
    done = push(serve(script), folder)
    assert (done.sent, done.left, done.stopped, done.refused) == (2, 4, FULL[1]["detail"], [])
    assert len(script.keys) == 3, "nothing is sent in vain"


def test_a_refused_file_is_listed_and_the_others_are_sent(serve: Any, folder: Path) -> None:
    script = Scripted(ACCEPTED, (422, {"detail": "This is no audio."}), ACCEPTED)
    done = push(serve(script), folder, jobs=1)
    assert (done.sent, done.left) == (5, 0)
    assert [(sound.path.name, why) for sound, why in done.refused] == [("1.wav", "This is no audio.")]


def test_a_token_that_is_refused_or_a_service_that_is_away_ends_it(
    serve: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = push(serve(Scripted((403, {"detail": "No permission."}))), folder)
    assert (done.sent, done.left, done.stopped) == (0, 6, "No permission.")
    away = Service(Account("http://127.0.0.1:9", "token"))
    monkeypatch.setattr(away, "find_known", lambda _: set())
    assert push(away, folder).stopped == "The service can't be reached. Run the command again later."


def test_what_the_service_knows_and_what_is_there_twice_is_not_sent(serve: Any, folder: Path) -> None:
    (folder / "again.wav").write_bytes(bytes([5]))
    hashed, _ = hash_sounds(walk(folder).sounds, 2, lambda: None)
    script = Scripted(ACCEPTED, known=(hashed[0].sha256, hashed[1].sha256))
    done = push(serve(script), folder, jobs=4)
    assert (done.sent, done.known, done.same) == (4, 2, 1)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..", "_"),
        ('a<b>:"c|?*.wav', "a_b___c___.wav"),
        ("con.wav", "_con.wav"),
        ("Kick.wav ", "Kick.wav"),
        (f"{'x' * 300}.wav", f"{'x' * 196}.wav"),
        ("", "_"),
    ],
)
def test_a_name_stays_inside_its_folder(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_samples_of_the_same_name_get_paths_of_their_own(tmp_path: Path) -> None:
    names = Names(tmp_path)
    sample = {"name": "Kick", "filename": "kick.aif", "collection": "Pack", "folder": "Drums/Kicks"}
    paths = [names.path_of(sample, unit=False) for _ in range(2)]
    paths.append(names.path_of({**sample, "filename": "KICK.aif"}, unit=False))
    inside = [path.relative_to(tmp_path).as_posix() for path in paths]
    assert inside == [
        "Pack/Drums/Kicks/kick.aif",
        "Pack/Drums/Kicks/kick 2.aif",
        "Pack/Drums/Kicks/KICK 3.aif",
    ]
    assert names.path_of({"name": "A/B", "filename": "x"}, unit=True) == tmp_path / "A_B.wav"


def test_an_account_is_saved_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("SAMPLE_AGENT_URL", "SAMPLE_AGENT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    path = save_account(Account("https://samples.example", "secret"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_account() == Account("https://samples.example", "secret")
    monkeypatch.setenv("SAMPLE_AGENT_TOKEN", "other")
    assert load_account() == Account("https://samples.example", "other")
