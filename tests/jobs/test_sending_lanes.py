"""Lanes send a few messages at a time and survive errors; of each kind of chore only one runs at a time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

import pytest
from flask import Flask

from app.extensions import db
from app.jobs import message_lanes, side_threads, task_context
from app.jobs.sending_lanes import Sending, SendingLane
from app.notify import outbox

WAIT_S = 30


@pytest.fixture
def worker(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Let threads find the app as in a worker process."""
    monkeypatch.setattr(task_context, "_app", app)
    return app


class Waiting:
    """Messages that wait for a lane, each of an account; a message is sent when it is released."""

    def __init__(self, slots: int) -> None:
        self.messages: SimpleQueue[str] = SimpleQueue()
        self.told: list[set[str]] = []  # the accounts the lane said were busy, at each look
        self.begun = threading.Semaphore(0)
        self.ended: SimpleQueue[str] = SimpleQueue()
        self.release = threading.Event()
        self.error: Exception | None = None
        self.lane = SendingLane("test", slots, self.take)

    def put(self, *accounts: str) -> None:
        for account in accounts:
            self.messages.put(account)
        self.lane.wake()

    def take(self, busy: set[str]) -> Sending | None:
        self.told.append(busy)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        try:
            account = self.messages.get_nowait()
        except Empty:
            return None
        return Sending(account, lambda: self.send(account))

    def send(self, account: str) -> None:
        self.begun.release()
        self.release.wait(WAIT_S)
        self.ended.put(account)
        if account == "broken":
            raise RuntimeError(account)


@pytest.fixture
def lane_of(worker: Flask) -> Iterator[Callable[[int], Waiting]]:
    made: list[Waiting] = []

    def make(slots: int) -> Waiting:
        made.append(Waiting(slots))
        return made[-1]

    yield make
    for waiting in made:
        waiting.release.set()
        assert waiting.lane.stop(WAIT_S)


def test_a_lane_sends_as_many_at_a_time_as_it_has_slots(lane_of: Callable[[int], Waiting]) -> None:
    waiting = lane_of(2)
    waiting.put("a", "b", "c")
    for _ in range(2):
        assert waiting.begun.acquire(timeout=WAIT_S)
    assert waiting.messages.qsize() == 1
    waiting.release.set()
    assert {waiting.ended.get(timeout=WAIT_S) for _ in range(3)} == {"a", "b", "c"}


def test_a_lane_says_which_accounts_have_a_message_on_its_way(lane_of: Callable[[int], Waiting]) -> None:
    waiting = lane_of(3)
    waiting.put("a", "b", "c")
    for _ in range(3):
        assert waiting.begun.acquire(timeout=WAIT_S)
    assert waiting.told[:3] == [set(), {"a"}, {"a", "b"}]


def test_a_lane_survives_an_error(lane_of: Callable[[int], Waiting]) -> None:
    waiting = lane_of(1)
    waiting.error = RuntimeError("the database is away")
    waiting.release.set()
    waiting.put("broken", "a")
    assert [waiting.ended.get(timeout=WAIT_S) for _ in range(2)] == ["broken", "a"]


def test_a_lane_that_is_stopped_takes_no_more_and_says_whether_it_is_done(
    lane_of: Callable[[int], Waiting],
) -> None:
    waiting = lane_of(2)
    waiting.put("a")
    assert waiting.begun.acquire(timeout=WAIT_S)
    assert not waiting.lane.stop(0)
    waiting.put("b")
    waiting.release.set()
    assert waiting.lane.stop(WAIT_S)
    assert waiting.ended.get(timeout=WAIT_S) == "a"
    assert waiting.messages.qsize() == 1


@pytest.fixture
def refuse_threads(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Let the next threads of a name fail to start, as they do when the system has none to give."""
    start, left = threading.Thread.start, Counter[str]()

    def start_or_fail(thread: threading.Thread) -> None:
        if left[thread.name] > 0:
            left[thread.name] -= 1
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_fail)
    return lambda name, times: left.update({name: times})


def test_a_lane_that_gets_no_thread_goes_on(
    lane_of: Callable[[int], Waiting], refuse_threads: Callable[[str, int], None]
) -> None:
    waiting = lane_of(1)
    waiting.release.set()
    refuse_threads("test-lane", 1)
    refuse_threads("test", 2)
    for accounts in (("a",), ("b", "c", "d")):  # the first wake-up starts no lane
        waiting.put(*accounts)
    assert {waiting.ended.get(timeout=WAIT_S) for _ in range(4)} == {"a", "b", "c", "d"}


@pytest.mark.parametrize("has_context", [True, False])
def test_in_a_worker_a_chore_leaves_mails_to_their_lane(
    worker: Flask, monkeypatch: pytest.MonkeyPatch, has_context: bool
) -> None:
    """Chores run in an app context, and would otherwise send one mail after the other themselves."""
    looked, delivered = threading.Event(), []
    monkeypatch.setattr(outbox, "deliver_mails", lambda: delivered.append(threading.current_thread().name))
    mails = SendingLane("mails", 1, lambda _: looked.set())
    monkeypatch.setattr(message_lanes, "MAILS", mails)
    monkeypatch.setattr(message_lanes, "LANES", (mails,))
    message_lanes.send_mails()  # in this process, which is no worker yet
    assert (delivered, looked.is_set()) == ([threading.current_thread().name], False)
    message_lanes.start_lanes()
    if has_context:
        outside_context(lambda: side_threads.run_aside("exports", message_lanes.send_mails))
    else:
        outside_context(message_lanes.send_mails)
    assert side_threads.wait_for_chores(WAIT_S)
    assert looked.wait(WAIT_S)
    assert mails.stop(WAIT_S)
    assert len(delivered) == 1


def outside_context(call: Callable[[], object]) -> None:
    """Call from a thread without an app context, as the threads of a worker are."""
    thread = threading.Thread(target=call)
    thread.start()
    thread.join(WAIT_S)


def test_a_chore_aside_holds_nobody_and_runs_once_more_when_it_is_asked_for_meanwhile(worker: Flask) -> None:
    begun, release, runs = threading.Semaphore(0), threading.Event(), []

    def chore() -> None:
        begun.release()
        release.wait(WAIT_S)
        runs.append(threading.current_thread().name)
        raise RuntimeError("a chore that fails is only logged")

    outside_context(lambda: side_threads.run_aside("slow", chore))
    assert begun.acquire(timeout=WAIT_S)
    for _ in range(3):
        outside_context(lambda: side_threads.run_aside("slow", chore))
    other = threading.Event()
    outside_context(lambda: side_threads.run_aside("other", other.set))
    assert other.wait(WAIT_S)
    assert not side_threads.wait_for_chores(0)
    release.set()
    assert side_threads.wait_for_chores(WAIT_S)
    assert runs == ["slow", "slow"]


def test_a_chore_that_got_no_thread_is_done_when_it_is_asked_for_again(
    worker: Flask, refuse_threads: Callable[[str, int], None]
) -> None:
    done = threading.Event()
    refuse_threads("chore", 1)
    for _ in range(2):
        outside_context(lambda: side_threads.run_aside("chore", done.set))
    assert done.wait(WAIT_S)
    assert side_threads.wait_for_chores(WAIT_S)


def test_a_caller_with_an_app_context_waits_for_its_chores(app: Flask) -> None:
    runs = []
    side_threads.run_aside("here", lambda: runs.append(db.engine.dialect.name))
    assert runs == ["sqlite"]
