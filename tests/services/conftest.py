"""Real services on free ports: Redis, PostgreSQL, an S3 server and a mail server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.message import Message
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from flask import Flask
from flask_migrate import upgrade
from moto.server import ThreadedMotoServer

from app import create_app
from app.config import Settings
from app.extensions import db
from tests.live import free_port
from tests.services.store_proxy import StoreProxy

START_S = 120
BUCKET = "samples"
S3_KEY = "test-key"


def program(name: str) -> str:
    """A server's program; a missing one fails in CI and skips on a developer's machine."""
    places = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ["PATH"]]))
    if found is None:
        message = f"{name} is not installed; `make test` installs it or says how"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def wait_until(ready: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with suppress(Exception):
            ready()
            return
        time.sleep(0.1)
    raise AssertionError(f"{what} did not start within {START_S} s")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    port = free_port()
    command = [program("redis-server"), "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    wait_until(lambda: redis.Redis.from_url(url).ping(), "Redis")
    yield url
    server.terminate()
    server.wait(10)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server without a database name."""
    folder = Path(tempfile.mkdtemp(prefix="sp404-postgres-"))
    port = free_port()
    as_postgres = (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    )
    if as_postgres:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    init = [program("initdb"), "-D", str(data), "-U", "sp404", "--auth=trust", "-E", "UTF8", "--no-sync"]
    subprocess.run([*as_postgres, *init], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    run = [program("postgres"), "-D", str(data), "-p", str(port), "-k", str(folder), "-h", "127.0.0.1", "-F"]
    server = subprocess.Popen([*as_postgres, *run], stderr=subprocess.DEVNULL, cwd=folder)
    url = f"postgresql://sp404@127.0.0.1:{port}"
    wait_until(lambda: psycopg.connect(f"{url}/postgres").close(), "PostgreSQL")
    yield url
    server.terminate()
    server.wait(20)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """An empty database of this test's own."""
    name = f"t{time.time_ns()}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{postgres_server}/{name}"


@pytest.fixture(scope="session")
def s3_settings() -> Iterator[dict[str, str]]:
    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    settings = {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "S3_ACCESS_KEY_ID": S3_KEY,
        "S3_SECRET_ACCESS_KEY": "test-secret",
        "S3_REGION": "us-east-1",
    }
    s3_client(settings).create_bucket(Bucket=BUCKET)
    yield settings
    server.stop()


def s3_client(settings: dict[str, str]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=settings["S3_ENDPOINT_URL"],
        aws_access_key_id=settings["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["S3_SECRET_ACCESS_KEY"],
        region_name=settings["S3_REGION"],
    )


class Inbox(MessageHandler):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Message] = []

    def handle_message(self, message: Message) -> None:
        self.messages.append(message)


@pytest.fixture
def mail_server() -> Iterator[tuple[str, Inbox]]:
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield f"smtp://127.0.0.1:{controller.port}", inbox
    controller.stop()


@pytest.fixture
def gate(s3_settings: dict[str, str]) -> Iterator[StoreProxy]:
    """The same store behind a door that checks what a real one does."""
    made = StoreProxy(s3_settings["S3_ENDPOINT_URL"], s3_settings["S3_SECRET_ACCESS_KEY"], BUCKET)
    yield made
    made.close()


@pytest.fixture
def postgres_app(tmp_path: Path, postgres_url: str) -> Iterator[Flask]:
    """The app with its tables on a database of its own."""
    values = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": postgres_url,
        "SECRET_KEY": "a secret for tests, long enough to be taken",
    }
    app = create_app(Settings.from_env(values))
    with app.app_context():
        upgrade()
        yield app
        db.session.remove()
        db.engine.dispose()
