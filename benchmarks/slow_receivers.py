"""Measure how long a Pro job and a mail take, with and without ten webhook receivers that answer very slowly.

python -m benchmarks.slow_receivers [--rounds 10] [--backend sqlite]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from app.config import Settings
from app.extensions import db
from app.models import Job, User
from app.models.base import transaction
from app.notify import webhook_delivery
from app.queue import PAID_PRIORITY, build_queue
from app.webhooks import endpoints
from tests.queue.lab import BACKENDS, SERVICES, Lab, lab, member, upload, wait_for
from tests.slow_receivers import Receivers

RECEIVERS, EVENTS, MAX_RATIO, LIMIT_S = 10, 5, 1.5, 300.0
EVENT = "job.completed"


class Wait(NamedTuple):
    """Seconds from an upload to the end of its job, and to its mail in the inbox."""

    job_s: float
    mail_s: float


def main() -> int:
    """Print both waits without and with the receivers, and their ratios; return 1 when one is too high."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--backend", choices=BACKENDS, default=SERVICES)
    options = parser.parse_args()
    receivers = Receivers()
    with (
        tempfile.TemporaryDirectory() as folder,
        lab(Path(folder), options.backend, "nothing", WEBHOOKS_TO_LOOPBACK="true") as (here, _),
    ):
        producer = member("pro@example.com")
        here.add_consumer()
        wake = _wake_up(here)
        _measure(here, producer, wake, 3)  # a warm worker
        without = _measure(here, producer, wake, options.rounds)
        _let_drip(receivers)
        with_receivers = _measure(here, producer, wake, options.rounds)
        held = receivers.held.total()
        receivers.close()
        wait_for(lambda: receivers.held.total() == 0, 60, "the receivers are released")
        without += _measure(here, producer, wake, options.rounds)
    return _report(options.backend, without, with_receivers, held)


def _let_drip(receivers: Receivers) -> None:
    """Give ten free accounts an endpoint that drips and messages for it, and wait until some are held."""
    for number in range(RECEIVERS):
        user = member(f"free{number}@example.com", None)
        endpoints.add_endpoint(user, receivers.url(f"/slow/{number}"), [EVENT])
        with transaction():
            for event in range(EVENTS):
                webhook_delivery.enqueue_event(user.id, EVENT, f"{event}", {})
    wait_for(lambda: receivers.is_holding(2), 60, "receivers are held")
    time.sleep(6)  # a heartbeat has woken whatever else sends webhooks


def _wake_up(here: Lab) -> Callable[[], object]:
    """Return what wakes a worker of the lab, as the web process does. Our own `tasks` has another queue."""

    def run_job() -> None:
        """Stand for the worker's task of this name."""

    run_job.__module__ = "tasks"
    task = build_queue(Settings.from_env(here.values)).task(name="run_job")(run_job)
    return partial(task, priority=PAID_PRIORITY)


def _measure(here: Lab, producer: User, wake: Callable[[], object], rounds: int) -> list[Wait]:
    found = []
    for _ in range(rounds):
        mails, began = len(here.inbox.messages), time.monotonic()
        (job_id,) = upload(producer, 1)
        wake()
        while len(here.inbox.messages) == mails:
            if time.monotonic() - began > LIMIT_S:
                raise SystemExit(f"no mail within {LIMIT_S:g} s")
            time.sleep(0.01)
        mail_s = time.monotonic() - began
        db.session.rollback()
        job = db.session.get_one(Job, job_id)
        if job.finished_at is None:
            raise SystemExit("a mail came before its job was done")
        job_s = (job.finished_at - job.created_at).total_seconds()
        db.session.commit()
        found.append(Wait(job_s, mail_s))
    return found


def _report(backend: str, without: list[Wait], with_receivers: list[Wait], held: int) -> int:
    print(f"{backend}: {RECEIVERS} receivers that drip, {held} of them held at the end")
    ratios = []
    for name in Wait._fields:
        before = statistics.median(getattr(wait, name) for wait in without)
        after = statistics.median(getattr(wait, name) for wait in with_receivers)
        ratios.append(after / before)
        print(f"  {name:7} without {before:6.2f}  with {after:6.2f}  ratio {after / before:.2f}")
    return 0 if max(ratios) <= MAX_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
