"""Keep the table of worker processes: where they run, when they were last alive, whether they take jobs."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from app.extensions import db, settings
from app.models import Job, Worker
from app.models.base import UtcDateTime, transaction, utcnow
from app.models.job import is_running
from app.models.worker_process import DRAINING, RUNNING, SILENT_AFTER

HEARTBEAT_S = 5.0
# Health checks of containers look at its age.
ALIVE_FILE = "worker.alive"
# How long an operator sees that a worker went silent; its jobs are requeued long before.
REMOVED_AFTER = timedelta(minutes=10)


class OwnWorker(NamedTuple):
    """The row of this process in the table of workers, as far as a claim needs it."""

    id: str
    slots: int
    mode: str


def send_heartbeat() -> None:
    """Record that this process is alive; register it when it has no row yet or no longer."""
    _record_beat()
    with suppress(OSError):
        (settings().data_dir / ALIVE_FILE).touch()


def _record_beat() -> None:
    now = utcnow()
    with transaction() as session:
        known = update(Worker).where(Worker.id == own_worker_id()).values(beat_at=now)
        if session.scalar(known.returning(Worker.id)) is not None:
            return
    slots = settings().worker_slots
    with suppress(IntegrityError), transaction() as session:  # another thread of this process may be first
        session.add(Worker(id=own_worker_id(), host=socket.gethostname()[:80], pid=os.getpid(), slots=slots))


def unregister() -> None:
    """Remove this process from the table, as it ends."""
    with transaction() as session:
        session.execute(delete(Worker).where(Worker.id == own_worker_id()))


def remove_silent() -> None:
    """Remove workers that have been silent for long."""
    with transaction() as session:
        session.execute(delete(Worker).where(Worker.beat_at < utcnow() - REMOVED_AFTER))


def set_mode(worker_id: str, mode: str) -> bool:
    """Pause, drain or resume a worker; return False when it is no longer there."""
    with transaction() as session:
        told = update(Worker).where(Worker.id == worker_id).values(mode=mode).returning(Worker.id)
        return session.scalar(told) is not None


def takes_jobs(worker: Worker | OwnWorker | None) -> bool:
    """Return whether a worker may claim jobs: not while an operator has paused it or is draining it.

    A process without a row, such as a test, takes jobs.
    """
    return worker is None or worker.mode == RUNNING


def worker_state(worker: Worker, jobs: list[Job]) -> str:
    """Return what operators see: `no heartbeat`, `drained` (draining and without jobs) or the mode."""
    if worker.is_silent:
        return "no heartbeat"
    return "drained" if worker.mode == DRAINING and not jobs else worker.mode


def lock_own_worker() -> tuple[OwnWorker | None, int]:
    """Lock this process's row, None outside a worker; return what it says, and the slots of all workers.

    Call it inside a transaction. The threads of a worker then claim one after another, and a committed pause
    holds for the next claim.
    """
    values = {"own_id": own_worker_id(), "silent_from": utcnow() - SILENT_AFTER}
    row = db.session.connection().execute(_select_own(), values).one_or_none()
    return (OwnWorker(*row[:3]), row[3] or 0) if row is not None else (None, total_slots())


def total_slots() -> int:
    """Return the slots of all workers that take jobs now."""
    return db.session.connection().scalar(_sum_slots(), {"silent_from": utcnow() - SILENT_AFTER}) or 0


def slots_and_work() -> tuple[int, bool]:
    """Return the slots of all workers that take jobs now, and whether any job runs."""
    values = {"silent_from": utcnow() - SILENT_AFTER}
    slots, running_id = db.session.connection().execute(_select_slots_and_work(), values).one()
    return slots or 0, running_id is not None


def free_slots() -> int:
    """Return how many slots of this process could take a job."""
    worker = db.session.get(Worker, own_worker_id())
    if worker is None or not takes_jobs(worker):
        return 0
    return worker.slots - len(running_jobs(worker))


def running_jobs(worker: Worker) -> list[Job]:
    """Return the jobs a worker holds, the longest running first."""
    held = select(Job).where(is_running(), is_held_by(worker.id))
    return list(db.session.scalars(held.order_by(Job.started_at)))


def is_held_by(worker_id: str) -> ColumnElement[bool]:
    """Return the condition for the jobs that a worker process holds."""
    return Job.worker.startswith(f"{worker_id}:", autoescape=True)


def own_worker_id() -> str:
    """Return the id of this process in the table: its machine and its process id."""
    return f"{machine_id()}:{os.getpid()}"


def holder_name() -> str:
    """Return the name under which this thread holds jobs: its process and its own name."""
    return f"{own_worker_id()}:{threading.current_thread().name}"[:120]


@lru_cache(maxsize=1)
def _select_own() -> Select[str, int, str, int]:
    own = select(Worker.id, Worker.slots, Worker.mode, _sum_slots().scalar_subquery())
    return own.where(Worker.id == bindparam("own_id")).with_for_update(of=Worker)


@lru_cache(maxsize=1)
def _select_slots_and_work() -> Select[int, str]:
    running = select(Job.id).where(is_running()).limit(1)
    return select(_sum_slots().scalar_subquery(), running.scalar_subquery())


@lru_cache(maxsize=1)
def _sum_slots() -> Select[int]:
    other = aliased(Worker)
    fresh = other.beat_at > bindparam("silent_from", type_=UtcDateTime)
    return select(func.sum(other.slots)).where(other.mode == RUNNING, fresh)


@lru_cache(maxsize=1)
def machine_id() -> str:
    """Return a name for where process ids are unique: this host since its boot, in this container."""
    namespace = Path("/proc/self/ns/pid")
    boot = Path("/proc/sys/kernel/random/boot_id")
    inside = f"{boot.read_text()[:8]}.{namespace.stat().st_ino}" if namespace.exists() else ""
    return f"{socket.gethostname()}.{inside}".replace(":", "-")[:80]
