"""The product for a load run: a filled database, the services it needs, and the processes of the Procfile."""

from __future__ import annotations

import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import boto3
import httpx
import redis
from sqlalchemy import create_engine, text

from app.config import Settings
from app.integrations.storage import open_store
from benchmarks.library_scale.databases import SQLITE, Place, open_database
from benchmarks.library_scale.product import Product
from benchmarks.library_scale.samples import SEED, make_owners
from benchmarks.library_scale.sounds import make_sounds
from benchmarks.library_scale.visitor import session_cookie
from tests.live import ROOT, clean_environment, free_port, procfile
from tests.queue.lab import postgres_server
from tests.queue.service_process import Server
from tests.services.conftest import BUCKET, S3_KEY, program

START_S, STOP_S = 90, 40
SOUND_KEY, SOUND_S, SOUND_RATE = "load/sound.wav", 2, 48_000
# Those in the trash keep keys of their own: emptying it removes their files.
SAMPLES = "UPDATE samples SET sp404_key = :key, original_key = :key WHERE deleted_at IS NULL"
BARE_APP = "benchmarks.load.bare_app:app"


@dataclass
class Stage:
    """What runs: the address, the sessions of the producers, and the process ids by their part in it."""

    url: str
    bare_url: str
    settings: Settings
    sessions: list[str]
    has_bucket: bool
    parts: dict[str, list[int]] = field(default_factory=dict)


@contextmanager
def open_stage(folder: Path, backend: str, owners: int, web: int, workers: int) -> Iterator[Stage]:
    """Start everything, and stop it afterwards."""
    with ExitStack() as stack:
        parts: dict[str, list[int]] = {}
        server, extra = SQLITE, dict[str, str]()
        if backend != SQLITE:
            server, extra = start_services(stack, folder, parts)
        people = make_owners([], owners)
        sounds = make_sounds(Random(SEED), 300)
        product = open_database(Place(folder, server), "load", people, sounds)
        values = product.settings | extra | {"TRUSTED_PROXIES": "1", "FREE_TIER_DELAY_S": "0"}
        values["BASE_URL"] = f"http://127.0.0.1:{product.port}"
        settings = Settings.from_env(values)
        _store_sound(settings, folder)
        bare_port = free_port()
        _start_product(stack, product, values, parts, web, workers, bare_port)
        _wait_for_workers(settings, workers)
        bare_url = f"http://127.0.0.1:{bare_port}/"
        sessions = [session_cookie(each).removeprefix("session=") for each in people]
        yield Stage(values["BASE_URL"], bare_url, settings, sessions, backend != SQLITE, parts)


def start_services(stack: ExitStack, folder: Path, parts: dict[str, list[int]]) -> tuple[str, dict[str, str]]:
    """Start PostgreSQL, Redis and an S3 server; return the database server and the settings of the others."""
    folder.mkdir(parents=True, exist_ok=True)
    # The path of a socket may not be long.
    short = Path(stack.enter_context(TemporaryDirectory(prefix="load-")))
    database, url = postgres_server(short)
    port, store_port = free_port(), free_port()
    redis_url, store_url = f"redis://127.0.0.1:{port}/0", f"http://127.0.0.1:{store_port}"
    command = [program("redis-server"), "--save", "", "--bind", "127.0.0.1", "--port", str(port)]
    cache = Server(command, lambda: redis.Redis.from_url(redis_url).ping(), short)
    moto = str(Path(sys.executable).parent / "moto_server")
    store = Server(
        [moto, "-H", "127.0.0.1", "-p", str(store_port)], lambda: httpx.get(store_url, timeout=2), short
    )
    cache.start()
    store.start()
    for name, server in (("database", database), ("redis", cache), ("object store", store)):
        stack.callback(server.stop)
        assert server.process is not None
        parts[name] = [server.process.pid]
    given = {
        "REDIS_URL": redis_url, "S3_BUCKET": BUCKET, "S3_ENDPOINT_URL": store_url, "S3_ACCESS_KEY_ID": S3_KEY,
        "S3_SECRET_ACCESS_KEY": "test-secret", "S3_REGION": "us-east-1",
    }  # fmt: skip
    boto3.client(
        "s3", endpoint_url=store_url, aws_access_key_id=S3_KEY, aws_secret_access_key="test-secret",
        region_name="us-east-1",
    ).create_bucket(Bucket=BUCKET)  # fmt: skip
    return url, given


def _store_sound(settings: Settings, folder: Path) -> None:
    """Let every sample have the same sound in the store: filling then takes no hours."""
    file = folder / "sound.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(SOUND_RATE)
        out.writeframes(Random(SEED).randbytes(SOUND_S * SOUND_RATE * 4))
    open_store(settings).put(SOUND_KEY, file, "audio/wav")
    engine = create_engine(settings.sqlalchemy_url)
    with engine.begin() as connection:
        connection.execute(text(SAMPLES), {"key": SOUND_KEY})
    engine.dispose()


def _start_product(
    stack: ExitStack, product: Product, values: dict[str, str], parts: dict[str, list[int]],
    web: int, workers: int, bare_port: int,
) -> None:  # fmt: skip
    env = clean_environment() | values | {"WEB_CONCURRENCY": str(web)}
    bare = f"exec gunicorn {BARE_APP} --bind 127.0.0.1:{bare_port} --workers 1 --threads 32 --keep-alive 15"
    commands = [("web", procfile("web"))] + [("worker", procfile("worker"))] * workers
    for name, command in [*commands, ("bare Flask app", f"{bare} --no-control-socket")]:
        process = _start(command, env, product.folder / f"{name.split()[0]}.log")
        stack.callback(_stop, process)
        parts.setdefault(name, []).append(process.pid)
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{product.port}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.2)
    sys.exit(f"The web process did not start:\n{(product.folder / 'web.log').read_text()[-3000:]}")


def _wait_for_workers(settings: Settings, count: int) -> None:
    """Wait until every worker has loaded its engine and has recorded that it is there."""
    engine, until = create_engine(settings.sqlalchemy_url), time.monotonic() + START_S
    while time.monotonic() < until:
        with engine.connect() as connection:
            if connection.execute(text("SELECT count(*) FROM workers")).scalar_one() >= count:
                break
        time.sleep(0.5)
    engine.dispose()


def _start(command: str, env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(command, shell=True, cwd=ROOT, env=env, stdout=out, stderr=out)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
