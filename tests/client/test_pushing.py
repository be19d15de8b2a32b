"""What the client does when the service says wait, no or nothing; and the names that it writes."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sample_agent import service
from sample_agent.account import Account, load_account, save_account
from sample_agent.folders import walk
from sample_agent.pull import Pull, safe_name
from sample_agent.push import Push, Pushed, hash_sounds, leave_known
from sample_agent.service import Service, ServiceError

Answer = tuple[int, dict[str, Any]]
ACCEPTED: Answer = (202, {"job_id": "J"})
FULL: Answer = (
    422,
    {"detail": "Your plan has no uploads left.", "errors": [{"field": "plan", "message": "uploads"}]},
)
NOT_AUDIO: Answer = (422, {"detail": "This is no audio.", "errors": []})


class Scripted:
    """A service that answers uploads from a list, the last one for ever, and notes what it was sent.

    It knows what it has accepted, but for the first `stale` uploads, which it answers as if they were there.
    """

    def __init__(self, *uploads: Answer, known: tuple[str, ...] = (), stale: int = 0) -> None:
        self.uploads, self.known, self.stale = list(uploads), set(known), stale
        self.keys: list[str] = []
        self.downloads: list[int] = []  # statuses before each one succeeds

    def answer(self, path: str, headers: Any, body: bytes) -> Answer:
        if path == "/api/uploads/known":
            return 200, {"known": [{"sha256": each} for each in self.known]}
        if "/download" in path:
            return (self.downloads.pop(0) if self.downloads else 200), {"of": path}
        self.keys.append(headers["Idempotency-Key"])
        answer = self.uploads.pop(0) if len(self.uploads) > 1 else self.uploads[0]
        if answer[0] == 202 and len(self.keys) > self.stale:
            audio = body.partition(b'name="audio"')[2].partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0]
            self.known.add(hashlib.sha256(audio).hexdigest())
        return answer


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Serve a script; the client waits only a moment between two tries."""
    monkeypatch.setattr(service, "LONGEST_PAUSE_S", 0.01)
    servers = []

    def start(script: Scripted) -> Service:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, body = script.answer(self.path, self.headers, sent)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            do_POST = do_GET  # noqa: N815 - http.server calls it so

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
    script = Scripted(ACCEPTED, ACCEPTED, FULL)
    done = push(serve(script), folder)
    assert (done.sent, done.left, done.stopped, done.refused) == (2, 4, FULL[1]["detail"], [])
    assert len(script.keys) == 3, "nothing is sent in vain"


def test_a_refused_file_is_listed_and_the_others_are_sent(serve: Any, folder: Path) -> None:
    script = Scripted(ACCEPTED, NOT_AUDIO, ACCEPTED)
    done = push(serve(script), folder, jobs=1)
    assert (done.sent, done.left) == (5, 0)
    assert [(sound.path.name, why) for sound, why in done.refused] == [("1.wav", "This is no audio.")]


def test_a_token_that_is_refused_or_a_service_that_is_away_ends_it(
    serve: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = push(serve(Scripted((403, {"detail": "No permission.", "errors": []}))), folder)
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


SAMPLE = {"id": "A", "name": "Kick", "filename": "kick.aif", "collection": "Pack", "folder": "Drums/Kicks"}


def content_of(sample_id: str) -> bytes:
    """What the scripted service answers to a download."""
    return json.dumps({"of": f"/api/samples/{sample_id}/download"}).encode()


def original(sample_id: str, **values: str) -> dict[str, str]:
    return (
        SAMPLE
        | {"id": sample_id, "content_sha256": hashlib.sha256(content_of(sample_id)).hexdigest()}
        | values
    )


def test_samples_of_one_name_get_numbers_and_no_other_file_is_replaced(serve: Any, tmp_path: Path) -> None:
    mine = tmp_path / "Pack" / "Drums" / "Kicks" / "kick 2.aif"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"my own")
    samples = [original("A"), original("B"), original("C", filename="KICK.aif")]
    client = serve(Scripted(ACCEPTED))
    assert [Pull(client, tmp_path, unit=False).fetch(each) for each in samples[:1]] == [True]
    again = Pull(client, tmp_path, unit=False)
    assert [again.fetch(each) for each in samples] == [False, True, True]
    # The file system tells capitals apart here; where it does not, the last one gets a 4.
    found = {path.name: path.read_bytes() for path in mine.parent.iterdir()}
    assert found == {
        "kick.aif": content_of("A"),
        "kick 2.aif": b"my own",
        "kick 3.aif": content_of("B"),
        "KICK 2.aif": content_of("C"),
    }


def test_wavs_for_the_unit_are_known_by_their_sample(serve: Any, tmp_path: Path) -> None:
    client = serve(Scripted(ACCEPTED))
    old, new = SAMPLE | {"id": "A", "name": "A/B"}, SAMPLE | {"id": "B", "name": "A/B"}
    assert Pull(client, tmp_path, unit=True).fetch(old)
    later = Pull(client, tmp_path, unit=True)
    assert [later.fetch(each) for each in (new, old)] == [True, False]
    assert {path.name for path in tmp_path.rglob("*.wav")} == {"A_B.wav", "A_B 2.wav"}


def test_a_download_waits_for_its_turn_and_leaves_nothing_when_it_is_refused(
    serve: Any, tmp_path: Path
) -> None:
    script = Scripted(ACCEPTED)
    script.downloads = [429, 503, 200, 404]
    pull = Pull(serve(script), tmp_path, unit=False)
    assert pull.fetch(original("A"))
    with pytest.raises(ServiceError, match="answered 404"):
        pull.fetch(original("B", filename="other.aif"))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["kick.aif"]


def test_an_answer_for_a_file_that_is_gone_is_not_taken_for_an_upload(serve: Any, folder: Path) -> None:
    script = Scripted(ACCEPTED, stale=2)
    done = push(serve(script), folder)
    assert (done.sent, done.left) == (6, 0)
    assert (len(script.keys), len(set(script.keys))) == (8, 8)


def test_a_name_that_is_no_text_is_sent_all_the_same(serve: Any, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/kick\xff.wav")).write_bytes(b"x")
    assert push(serve(Scripted(ACCEPTED)), tmp_path).sent == 1


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
