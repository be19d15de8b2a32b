"""Upgrade a running service from an earlier version to this one under load; print what failed or was lost.

python -m benchmarks.rolling_upgrade --from REVISION [--samples 100000] [--filled DATABASE] [--seconds 30]
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import psycopg

from app import create_app
from app.auth import api_tokens
from app.config import Settings
from app.extensions import db
from app.models import User
from app.models.api_token import ABILITIES
from app.models.base import new_id
from benchmarks.library_scale.databases import Place, open_database
from benchmarks.library_scale.product import Product
from benchmarks.library_scale.samples import SEED, make_owners
from benchmarks.library_scale.sounds import make_sounds
from benchmarks.library_scale.visitor import session_cookie
from benchmarks.load.stage import start_services
from benchmarks.rolling_upgrade.library_state import Contents, largest_library, read_library, read_store
from benchmarks.rolling_upgrade.traffic import Traffic
from benchmarks.rolling_upgrade.versions import Running, Version, check_out, newest_migration
from benchmarks.tables import Cell, Table, show_tables
from tests.live import ROOT, free_port
from tests.services.nginx_front import HOST, Front
from tests.support import kick

WEBS = WORKERS = 2
READERS, SCRIPTS = 4, 3
OBJECTS = 200  # of the library in the store; each belongs to many samples
SETTLE_S = 300
SET_KEYS = """
    UPDATE samples SET original_key = k.key, sp404_key = k.key
    FROM (SELECT id, 'library/' || (row_number() OVER (ORDER BY id) %% %s) || '.wav' AS key FROM samples) k
    WHERE k.id = samples.id AND deleted_at IS NULL"""
JOBS = "SELECT state, count(*), max(attempt) FROM processing_jobs WHERE id = ANY(%s) GROUP BY state"


def main() -> int:
    """Run the upgrade; return 1 when a request failed, a job was lost or the library changed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--from", dest="revision", required=True, help="the earlier version, as git names it")
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--filled", help="a database that library_scale filled; it is changed")
    parser.add_argument("--seconds", type=float, default=30, help="of use before and after the upgrade")
    parser.add_argument("--folder", type=Path, help="keep the logs there")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(TemporaryDirectory(prefix="rolling-")))
        upgrade = Upgrade(stack, folder.resolve(), options)
        traffic = upgrade.run(options.seconds)
        table, is_good = upgrade.judge(traffic)
    show_tables([table], None)
    print(*traffic.failures[:40], sep="\n", file=sys.stderr)
    return 0 if is_good else 1


class Upgrade:
    """The earlier version at work on a filled library, and the way to this one."""

    def __init__(self, stack: ExitStack, folder: Path, options: argparse.Namespace) -> None:
        server, extra = start_services(stack, folder, {})
        before = check_out(options.revision, folder / "before")
        if options.filled:
            product = Product(folder / "rolling", options.filled)
            product.command("db", "downgrade", newest_migration(before))
        else:
            people, sounds = make_owners([options.samples], 0), make_sounds(Random(SEED), 300)
            product = open_database(Place(folder, server), "rolling", people, sounds, before)
        assert product.database_url is not None
        self.database_url = product.database_url
        self.owner = largest_library(self.database_url)
        self.settings = product.settings | extra | {
            "BASE_URL": f"https://{HOST}", "TRUSTED_PROXIES": "1", "FREE_TIER_DELAY_S": "0",
            "API_REQUESTS_PER_MINUTE": "100000", "DRAIN_S": "3",
        }  # fmt: skip
        self.bucket = _bucket(self.settings)
        self._store_sounds()
        self.old = Version("before", before, self.settings, folder)
        self.new = Version("after", ROOT, self.settings, folder)
        self.ports = [str(free_port()) for _ in range(WEBS)]
        self.front = Front(folder, *(f"http://127.0.0.1:{port}" for port in self.ports))
        self.webs: list[Running] = []
        self.workers: list[Running] = []
        stack.callback(self._kill)

    def run(self, seconds: float) -> Traffic:
        """Use the earlier version, exchange everything, use this one, and wait for the jobs."""
        self.newer = new_id()
        self.library = self._read()
        self.webs = [self.old.start("web", PORT=port) for port in self.ports]
        self.workers = [self.old.start("worker") for _ in range(WORKERS)]
        for each in self.webs:
            each.wait_until_ready()
        self.front.start()
        traffic = Traffic(self.front, session_cookie(self.owner), self._token(), self._sample())
        with traffic.running(READERS, SCRIPTS):
            time.sleep(seconds)
            self._exchange(traffic)
            _step(traffic, "after")
            time.sleep(seconds)
        self._wait_for(traffic)
        return traffic

    def _exchange(self, traffic: Traffic) -> None:
        """Migrate, then exchange the workers and the web processes, one after another."""
        _step(traffic, "migrations")
        self.new.command("db", "upgrade")
        _step(traffic, "workers")
        for place, worker in enumerate(self.workers):
            self.workers[place] = self.new.start("worker")
            worker.stop()
        _step(traffic, "web processes")
        for place, web in enumerate(self.webs):
            web.stop()
            self.webs[place] = self.new.start("web", PORT=web.port)
            self.webs[place].wait_until_ready()

    def judge(self, traffic: Traffic) -> tuple[Table, bool]:
        """Return what happened in each step, and whether everything is as it must be."""
        with psycopg.connect(self.database_url) as connection:
            jobs = connection.execute(JOBS, [list(traffic.uploaded)]).fetchall()
        done = {str(state): (int(count), int(tries)) for state, count, tries in jobs}
        after = self._read()
        completed, tries = done.get("completed", (0, 0))
        rows: list[tuple[Cell, ...]] = [
            *((f"requests answered, {step}", f"{count:,}") for step, count in traffic.answers.items()),
            ("requests that failed", len(traffic.failures)),
            ("jobs accepted; completed", f"{len(traffic.uploaded):,}; {completed:,}"),
            ("most tries of a job", tries),
            *((f"{name} before; after", _compared(self.library[name], after[name])) for name in after),
        ]
        is_good = not traffic.failures and completed == len(traffic.uploaded) and after == self.library
        return Table("Rolling upgrade", ("", ""), rows), is_good

    def _wait_for(self, traffic: Traffic) -> None:
        until = time.monotonic() + SETTLE_S
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            while time.monotonic() < until:
                found = connection.execute(JOBS, [list(traffic.uploaded)]).fetchall()
                if {row[0] for row in found} <= {"completed", "failed"}:
                    return
                time.sleep(1)

    def _read(self) -> dict[str, Contents]:
        rows = read_library(self.database_url, self.owner.id, self.newer)
        return rows | {"objects in the store": read_store(self.bucket, "library/")}

    def _store_sounds(self) -> None:
        for number in range(OBJECTS):
            self.bucket.put_object(Key=f"library/{number}.wav", Body=kick() + number.to_bytes(4, "big"))
        with psycopg.connect(self.database_url) as connection:
            connection.execute(SET_KEYS, [OBJECTS])

    def _token(self) -> str:
        with create_app(Settings.from_env(self.settings)).app_context():
            user = db.session.get(User, self.owner.id)
            assert user is not None
            _, secret = api_tokens.create_token(user, "script", list(ABILITIES), None)
            db.session.remove()
            db.engine.dispose()
        return secret

    def _sample(self) -> str:
        with psycopg.connect(self.database_url) as connection:
            newest = "SELECT max(id) FROM samples WHERE user_id = %s AND deleted_at IS NULL"
            row = connection.execute(newest, [self.owner.id]).fetchone()
        assert row is not None
        return str(row[0])

    def _kill(self) -> None:
        for each in [*self.webs, *self.workers]:
            each.stop()
            each.kill()
        if hasattr(self.front, "process"):
            self.front.stop()


def _bucket(settings: dict[str, str]) -> Any:
    store = boto3.resource(
        "s3", endpoint_url=settings["S3_ENDPOINT_URL"], region_name=settings["S3_REGION"],
        aws_access_key_id=settings["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["S3_SECRET_ACCESS_KEY"],
    )  # fmt: skip
    return store.Bucket(settings["S3_BUCKET"])


def _step(traffic: Traffic, name: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {name}; so far {len(traffic.failures)} failed", file=sys.stderr)
    traffic.step = name


def _compared(before: Contents, after: Contents) -> str:
    same = "the same" if before == after else "OTHERS"
    return f"{before.amount:,}; {after.amount:,}, {same}"


if __name__ == "__main__":
    sys.exit(main())
