"""Measure how long writers wait while migrations run on large tables in PostgreSQL.

Those of the large tables that the first revision has are filled.

python -m benchmarks.migration_locks --database postgresql://user@host:port [--rows 1000000] [--from 0022]
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from tempfile import TemporaryDirectory

import psycopg
from alembic.script import ScriptDirectory
from flask_migrate import upgrade

from app import create_app
from app.config import Settings
from app.extensions import db
from scripts.migration import MIGRATIONS

SECRET = "a secret for measuring, long enough to be taken"
MAX_WAIT_S = 1.0
USER = "1" * 26
# Values of required columns that are not plain: ids that differ, and what refers to another row.
OF_ROW = "lpad(n::text, 26, '0')"
OWN = {"id": OF_ROW, "sample_id": OF_ROW, "user_id": f"'{USER}'", "number": "n", "batch_id": "'b'"}
LARGE = ("samples", "audio_features", "sample_vectors", "search_rows", "api_usage", "processing_jobs")
PLAIN = {"json": "'{}'", "bytea": "''", "boolean": "true", "timestamp with time zone": "now()"}
NUMBERS = {"integer", "bigint", "double precision", "numeric"}
COLUMNS = (
    "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
    " AND is_nullable = 'NO' AND column_default IS NULL"
)


def main() -> None:
    """Print the longest wait of a writer of each table during each migration; fail above a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--from", dest="start", default="0022")
    options = parser.parse_args()
    url = f"{options.database.rstrip('/')}/migration_locks"
    with psycopg.connect(f"{options.database.rstrip('/')}/postgres", autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS migration_locks WITH (FORCE)")
        server.execute("CREATE DATABASE migration_locks")
    with TemporaryDirectory() as folder:
        values = {"DATA_DIR": folder, "DATABASE_URL": url, "SECRET_KEY": SECRET}
        with create_app(Settings.from_env(values)).app_context():
            upgrade(revision=options.start)
            tables = _fill(url, options.rows)
            worst = max(_measure_migrations(url, options.start, tables))
            db.engine.dispose()
    sys.exit(0 if worst <= MAX_WAIT_S else f"A writer waited {worst:.2f} s.")


def _fill(url: str, rows: int) -> list[str]:
    """Put so many rows into each large table, with the plainest values; return the tables that there are."""
    tables = []
    with psycopg.connect(url) as server:
        server.execute("SET session_replication_role = replica")  # neither triggers nor foreign keys
        for table in LARGE:
            started = time.monotonic()
            required = server.execute(COLUMNS, (table,)).fetchall()
            if not required:
                continue
            values = {name: OWN.get(name) or _plain_value(kind) for name, kind in required}
            names = ", ".join(f'"{name}"' for name in values)
            values |= {"entry_key": OF_ROW} if "entry_key" in values else {}
            server.execute(
                f"INSERT INTO {table} ({names}) SELECT {', '.join(values.values())}"
                f" FROM generate_series(1, {rows}) AS n"
            )
            print(f"{table}: filled in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
            tables.append(table)
    return tables


def _plain_value(kind: str) -> str:
    return "0" if kind in NUMBERS else PLAIN.get(kind, "''")


def _measure_migrations(url: str, start: str, tables: list[str]) -> list[float]:
    scripts = ScriptDirectory(str(MIGRATIONS)).iterate_revisions("head", start)
    print(f"| migration | takes | {' | '.join(tables)} |\n|---|---|{'---|' * len(tables)}")
    worst = []
    for script in reversed(list(scripts)):
        with _Writers(url, tables) as writers:
            started = time.monotonic()
            upgrade(revision=script.revision)
            taken_s = time.monotonic() - started
        waits = " | ".join(f"{wait_s:.2f} s" for wait_s in writers.longest_s.values())
        print(f"| {script.revision} {script.doc} | {taken_s:.1f} s | {waits} |", flush=True)
        worst.append(max(writers.longest_s.values()))
    return worst


class _Writers:
    """One writer for each large table, which changes a row again and again and notes its longest wait."""

    def __init__(self, url: str, tables: list[str]) -> None:
        self.longest_s = dict.fromkeys(tables, 0.0)
        self._url, self._done = url, threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(table,)) for table in tables]

    def __enter__(self) -> _Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _write(self, table: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as server:
            found = server.execute(
                "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
                " AND a.attnum = i.indkey[0] WHERE i.indisprimary AND i.indrelid = %s::regclass",
                (table,),
            ).fetchone()
            assert found is not None
            key = found[0]
            statement = (
                f"UPDATE {table} SET user_id = user_id WHERE {key} = (SELECT min({key}) FROM {table})"
                if table != "audio_features"
                else f"UPDATE {table} SET bpm = bpm WHERE {key} = (SELECT min({key}) FROM {table})"
            )
            while not self._done.is_set():
                started = time.monotonic()
                server.execute(statement)
                self.longest_s[table] = max(self.longest_s[table], time.monotonic() - started)
                time.sleep(0.01)


if __name__ == "__main__":
    main()
