"""A queue with real workers, which can be killed, and real services, which can be restarted."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import psycopg
import redis
from aiosmtpd.controller import Controller
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select

from app import create_app
from app.config import Settings
from app.extensions import db
from app.models import Batch, Job, Subscription, User
from app.models.base import transaction
from app.upload import intake
from tests.live import ROOT, EngineProcess, free_port, served
from tests.queue.engine_front import engine_front
from tests.queue.service_process import Server
from tests.services.conftest import Inbox, program
from tests.support import kick

SECRET = "a secret for tests, long enough to be taken"
SLOTS = 2
EMBEDDED, SERVICES = "sqlite", "postgres-redis"
BACKENDS = (EMBEDDED, SERVICES)


class Consumer:
    """A worker process of SLOTS threads, started as in the Procfile except for its engine."""

    def __init__(self, env: dict[str, str], log: Path, housekeeping: bool, stop_after_s: int) -> None:
        consumer = str(Path(sys.executable).parent / "huey_consumer")
        self._command = [consumer, "tests.queue.worker.huey", "--worker-type", "thread"]
        self._command += ["--workers", str(SLOTS), "--graceful-signal", "TERM"]
        self._command += ["--shutdown-timeout", str(stop_after_s), "--max-delay", "1"]
        self._command += [] if housekeeping else ["--no-periodic"]
        self._env, self._log = env, log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, cwd=ROOT, env=self._env, stdout=log, stderr=log)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(40)

    def engine_pids(self) -> list[int]:
        """Return the process id of this worker's fork server."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        with suppress(OSError):
            return [int(pid) for path in children for pid in path.read_text().split()]
        return []


class Lab:
    """Everything a test of the queue needs: settings, an app, services and workers."""

    def __init__(self, folder: Path, backend: str, entry: str, *, engines: int, **settings: str) -> None:
        self.folder, self.backend, self.entry = folder, backend, entry
        self.inbox = Inbox()
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # a line for every word of SMTP
        self._mail = Controller(self.inbox, hostname="127.0.0.1", port=free_port())
        self.redis: Server | None = None
        self.database: Server | None = None
        self._servers = TemporaryDirectory(prefix="sp404-lab-")  # a socket's path may not be long
        self.redis_url = ""
        values = {
            "DATA_DIR": str(folder / "data"),
            "SECRET_KEY": SECRET,
            "BASE_URL": "http://127.0.0.1:5000",
            "SMTP_URL": f"smtp://127.0.0.1:{self._mail.port}",
            "FREE_TIER_DELAY_S": "0",
            "WORKER_SLOTS": str(SLOTS),
        }
        self.values = values | settings
        self.engines: list[EngineProcess] = []
        self._front: Server | None = None
        if engines:
            self._add_engines(engines)
        self.consumers: list[Consumer] = []
        self.log = folder / "consumers.log"

    def open(self) -> Flask:
        self._mail.start()
        if self.backend == SERVICES:
            self._open_services()
        for engine in self.engines:
            engine.start()
        if self._front is not None:
            self._front.start()
        app = create_app(Settings.from_env(self.values))
        with app.app_context():
            upgrade()
        return app

    def close(self) -> None:
        for consumer in self.consumers:
            consumer.stop()
        if self._front is not None:
            self._front.stop()
        for engine in self.engines:
            engine.kill()
        if self.redis is not None:
            self.redis.stop()
        if self.database is not None:
            self.database.stop(signal.SIGINT)  # at once: SIGTERM waits for whoever is connected
        self._mail.stop()
        self._servers.cleanup()

    def _add_engines(self, count: int) -> None:
        """Add engines that fetch from one store; several are behind one address."""
        own = {"DATA_DIR": self.values["DATA_DIR"], "ENGINE_SLOTS": "8"}
        own["ENGINE_TEST_ENTRY"] = f"tests.queue.entries:{self.entry}"
        for _ in range(count):
            self.engines.append(EngineProcess(self.folder, **own))
            own["BASE_URL"] = self.engines[0].base_url
        self.values |= self.engines[0].for_workers
        if count > 1:
            self._front, self.values["ENGINE_URL"] = engine_front(self.folder, self.engines)

    def add_consumer(self, housekeeping: bool = True, stop_after_s: int = 25, **settings: str) -> Consumer:
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        env = keep | self.values | settings | {"QUEUE_TEST_ENTRY": self.entry, "PYTHONUNBUFFERED": "1"}
        consumer = Consumer(env, self.log, housekeeping, stop_after_s)
        consumer.start()
        self.consumers.append(consumer)
        return consumer

    def flush_queue(self) -> None:
        """Delete every message in the queue."""
        if self.backend == SERVICES:
            redis.Redis.from_url(self.redis_url).flushall()
        else:
            path = self.folder / "data" / "queue.db"
            with suppress(sqlite3.OperationalError), sqlite3.connect(path, timeout=10) as queue:
                for table in ("task", "schedule", "kv"):
                    queue.execute(f"DELETE FROM {table}")

    def journal(self) -> dict[str, list[tuple[float, float]]]:
        """Return, for each job id, when each process that ran it was first and last seen."""
        found: dict[str, list[tuple[float, float]]] = {}
        for path in (self.folder / "data" / "journal").glob("*"):
            times = [float(line.split()[0]) for line in path.read_text().splitlines()]
            found.setdefault(path.name.split("-")[0], []).append((times[0], times[-1]))
        return {job_id: sorted(spans) for job_id, spans in found.items()}

    def journal_pids(self) -> set[int]:
        pids = set()
        for path in (self.folder / "data" / "journal").glob("*"):
            words = path.read_text().split("\n", 1)[0].split()
            pids |= {int(path.name.split("-")[1]), *map(int, words[1:])}
        return pids

    def _open_services(self) -> None:
        port, folder = free_port(), Path(self._servers.name)
        self.redis_url = f"redis://127.0.0.1:{port}/0"
        command = [program("redis-server"), "--save", "", "--bind", "127.0.0.1", "--port", str(port)]
        self.redis = Server(command, lambda: redis.Redis.from_url(self.redis_url).ping(), folder)
        self.redis.start()
        self.database, url = postgres_server(folder)
        self.values |= {"REDIS_URL": self.redis_url, "DATABASE_URL": f"{url}/postgres"}


@contextmanager
def lab(
    folder: Path, backend: str, entry: str, *, engines: int = 0, **settings: str
) -> Iterator[tuple[Lab, Flask]]:
    """Open a lab. With `engines`, they are processes of their own, and this one serves the store's links."""
    made = Lab(folder, backend, entry, engines=engines, **settings)
    app = made.open()
    try:
        with served(app) if engines else nullcontext(), app.app_context():
            yield made, app
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        made.close()


def member(email: str, plan: str | None = "pro") -> User:
    user = User(email=email)
    user.subscription = Subscription(plan=plan, status="active") if plan else None
    with transaction() as session:
        session.add(user)
    return user


def upload(user: User, count: int, a_batch: int = 10, are_distinct: bool = False) -> list[str]:
    """Upload files in batches, as the upload page does; return the ids of their jobs."""
    sound, found = kick(), []
    for number in range(count):
        if number % a_batch == 0:
            batch_id = str(uuid4())
            with transaction() as session:
                expected = min(a_batch, count - number)
                session.add(Batch(id=batch_id, user_id=user.id, expected=expected))
        content = sound + bytes(2 * number) if are_distinct else sound
        found.append(intake.accept_upload(user, BytesIO(content), f"{number}.wav", batch_id).id)
    return found


def states() -> dict[str, int]:
    db.session.rollback()
    rows = db.session.execute(select(Job.state, func.count()).group_by(Job.state))
    found = {str(state): int(count) for state, count in rows}
    db.session.commit()
    return found


def wait_for(what: Callable[[], Any], within_s: float, words: str) -> None:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        with suppress(Exception):
            if what():
                return
        time.sleep(0.1)
    raise AssertionError(f"not within {within_s} s: {words}")


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie that was not waited for yet does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def postgres_server(folder: Path) -> tuple[Server, str]:
    port = free_port()
    as_postgres = (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    )
    if as_postgres:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    init = [program("initdb"), "-D", str(data), "-U", "sp404", "--auth=trust", "-E", "UTF8", "--no-sync"]
    subprocess.run([*as_postgres, *init], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    run = [program("postgres"), "-D", str(data), "-k", str(folder), "-h", "127.0.0.1", "-p", str(port)]
    url = f"postgresql://sp404@127.0.0.1:{port}"
    server = Server([*as_postgres, *run], lambda: psycopg.connect(f"{url}/postgres").close(), folder)
    server.start()
    return server, url
