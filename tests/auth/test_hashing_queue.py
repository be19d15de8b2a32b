"""The hashing queue runs one password at a time, lets few wait, and holds no database connection."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from app.auth import accounts, credentials, passwords
from app.auth.guess_limits import TooManyGuessesError
from app.auth.hashing_queue import (
    NETWORK_MAX,
    NICENESS,
    RETRY_AFTER_S,
    RUNNING_MAX,
    WAITING_MAX,
    HashingBusyError,
    HashingQueue,
    hashing_queue,
)
from app.extensions import db
from app.models import User
from app.models.base import release_connection, transaction
from tests.auth.sent_mails import link_in, mails
from tests.support import PASSWORD, Browser

NEW = "another quiet long password"


class Crowd:
    """Threads that take a place in a queue and keep it until they are let go."""

    def __init__(self, queue: HashingQueue, app: Flask) -> None:
        self._queue, self._app, self._go = queue, app, threading.Event()
        self._threads: list[threading.Thread] = []
        self.refused = 0

    def add(self, count: int, address: str) -> None:
        for _ in range(count):
            self._threads.append(threading.Thread(target=self._take_a_place, args=(address,)))
            self._threads[-1].start()
        waiting = [thread for thread in self._threads if thread.is_alive()]
        while self._queue._inside.total() + self.refused < len(waiting):
            threading.Event().wait(0.005)

    def _take_a_place(self, address: str) -> None:
        with self._app.test_request_context(environ_overrides={"REMOTE_ADDR": address}):
            try:
                with self._queue.turn():
                    self._go.wait(30)
            except HashingBusyError:
                self.refused += 1

    def leave(self) -> None:
        self._go.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def crowd(app: Flask) -> Iterator[Crowd]:
    made = Crowd(hashing_queue, app)
    yield made
    made.leave()
    assert hashing_queue._inside == {}


def test_a_full_queue_refuses_at_once_and_says_when_to_try_again(
    app: Flask, owner: User, crowd: Crowd
) -> None:
    browser = Browser(app)
    for n in range(RUNNING_MAX + WAITING_MAX):
        crowd.add(1, f"192.0.2.{n}")
    answer = browser.post("/sign-in", email=owner.email, password=PASSWORD)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, str(RETRY_AFTER_S))
    assert "Many people are signing in right now. Nothing was changed." in answer.text
    assert browser.get("/healthz").status_code == 200
    crowd.leave()
    assert browser.post("/sign-in", email=owner.email, password=PASSWORD).status_code == 303


def test_one_network_leaves_places_for_others(app: Flask, owner: User, crowd: Crowd) -> None:
    crowd.add(NETWORK_MAX, "2001:db8::1")
    queue = HashingQueue()
    with app.test_request_context(environ_overrides={"REMOTE_ADDR": "2001:db8::2"}):
        with pytest.raises(HashingBusyError):
            hashing_queue._enter("2001:db8::/64")
        with queue.turn():
            pass
    hashing_queue._enter("192.0.2.1")
    hashing_queue._leave("192.0.2.1")


def test_the_queue_leaves_most_threads_of_the_web_process_free() -> None:
    from tests.live import procfile

    threads = int(procfile("web").partition("--threads ")[2].split()[0])
    assert threads * 2 / 3 >= RUNNING_MAX + WAITING_MAX


def test_only_so_many_hash_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, lock = HashingQueue(), threading.Lock()
    monkeypatch.setattr("app.auth.hashing_queue.NETWORK_MAX", 99)
    now = most = 0

    def work() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.01)
        with lock:
            now -= 1

    threads = [threading.Thread(target=queue.run, args=(work,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (now, most) == (0, RUNNING_MAX)


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of threads are Linux's")
def test_hashing_goes_after_everything_else() -> None:
    import os

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert HashingQueue().run(niceness) == min(niceness() + NICENESS, 19) or niceness() >= NICENESS
    assert HashingQueue().run(niceness) >= NICENESS


def test_a_turn_can_be_taken_again_within_it() -> None:
    queue = HashingQueue()
    with queue.turn(), queue.turn():
        assert queue.run(lambda: 5) == 5
    assert queue._inside == {}


def test_a_failed_hash_gives_its_place_back() -> None:
    queue = HashingQueue()
    for _ in range(RUNNING_MAX + WAITING_MAX + 1):
        with pytest.raises(ZeroDivisionError):
            queue.run(lambda: 1 / 0)
    assert queue._inside == {}


class TestConnections:
    """Whatever hashes a password holds no connection meanwhile."""

    @pytest.fixture
    def held(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
        """Collect how many connections are checked out at the moment of each hash."""
        held: list[int] = []
        hasher = passwords._hasher

        class Watched:
            def __getattr__(self, name: str) -> Callable[..., Any]:
                inner = getattr(hasher, name)
                if name not in {"hash", "verify"}:
                    return inner  # type: ignore[no-any-return]  # any attribute

                def watched(*values: str) -> Any:
                    held.append(self.out)
                    return inner(*values)

                return watched

            out = 0

        watched = Watched()

        def count(step: int) -> Callable[..., None]:
            def counted(*_: object) -> None:
                watched.out += step

            return counted

        db.session.rollback()
        with ExitStack() as stack:
            for name, step in (("checkout", 1), ("checkin", -1)):
                listener = count(step)
                event.listen(db.engine, name, listener)
                stack.callback(event.remove, db.engine, name, listener)
            monkeypatch.setattr(passwords, "_hasher", watched)
            yield held

    def test_no_page_that_hashes_holds_a_connection(
        self, app: Flask, owner: User, as_owner: Browser, held: list[int]
    ) -> None:
        email = owner.email
        Browser(app).post("/register", email="new@example.com", password=PASSWORD, timezone="UTC")
        Browser(app).post("/sign-in", email="nobody@example.com", password="guess")
        as_owner.post("/settings/email", email="next@example.com", current=PASSWORD)
        as_owner.post("/settings/two-factor/off", current=PASSWORD)
        as_owner.post("/settings/password", current=PASSWORD, password=NEW)
        credentials.request_reset(email)
        reset = next(link_in(each) for each in mails() if each["Subject"] == "Set a new password")
        db.session.commit()
        assert Browser(app).post(reset, password=PASSWORD).status_code == 303
        member = Browser(app)
        assert member.post("/sign-in", email=email, password=PASSWORD).status_code == 303
        member.token = member.fresh_token()
        member.post("/settings/close", email=email, current=PASSWORD)
        assert len(held) >= 9
        assert set(held) == {0}

    def test_renewing_an_old_hash_holds_none_either(
        self, app: Flask, owner: User, held: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(passwords, "needs_rehash", lambda *_: True)
        before = owner.password_hash
        db.session.commit()
        assert accounts.authenticate(owner.email, PASSWORD) is not None
        assert owner.password_hash != before
        assert held == [0, 0]


@pytest.mark.parametrize("email", ["owner@example.com", "nobody@example.com"])
@pytest.mark.parametrize("path", ["/forgotten-password", "/sign-in"])
def test_no_connection_is_held_while_a_form_takes_its_time(
    app: Flask, owner: User, monkeypatch: pytest.MonkeyPatch, path: str, email: str
) -> None:
    def refuse(_: object) -> None:
        raise TooManyGuessesError(60)

    browser, held = Browser(app), []
    pool: Any = db.engine.pool
    monkeypatch.setattr("app.auth.sign_in_views.time.sleep", lambda _: held.append(pool.checkedout()))
    monkeypatch.setattr("app.auth.guess_limits.check", refuse)
    monkeypatch.setattr("app.auth.guess_limits.reserve", lambda _: None)
    db.session.rollback()
    assert browser.post(path, email=email, password="guess").status_code in {303, 429}
    assert held == [0]


def test_hashing_inside_a_transaction_is_a_programming_error(app: Flask, owner: User) -> None:
    with pytest.raises(RuntimeError), transaction():
        passwords.hash_password(PASSWORD)
    owner.timezone = "Asia/Tokyo"
    with pytest.raises(RuntimeError):
        release_connection()
    db.session.rollback()
    passwords.hash_password(PASSWORD)
