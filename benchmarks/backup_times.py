"""Measure backing up and restoring a library, on the clock, in processor time and in memory.

python -m benchmarks.backup_times [--samples 10000] [--kilobytes 50] [--database postgresql://user@host:port]
"""

from __future__ import annotations

import argparse
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.library_scale.databases import SQLITE, Place, drop_database, open_database
from benchmarks.library_scale.product import Product
from benchmarks.library_scale.samples import SEED, make_owners
from benchmarks.library_scale.sounds import make_sounds
from tests.live import ROOT

# Run Flask and write its own peak; what the system tells of a child includes the process that started it.
NOTE_PEAK = """
import atexit, pathlib, re, sys
peak = pathlib.Path(sys.argv.pop(1))
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: peak.write_text(re.search("VmHWM.*", status.read_text())[0]))
from flask.cli import main
main()
"""
KEYS = "SELECT original_key FROM samples UNION SELECT sp404_key FROM samples"


def main() -> None:
    """Print a line for the first backup, for one without changes, for checking and for restoring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--kilobytes", type=int, default=50, help="of each file; a sample has two")
    parser.add_argument("--database", default=SQLITE)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        place = Place(Path(folder), options.database)
        product = open_database(place, "backup", make_owners([options.samples], 0), make_sounds(Random(SEED)))
        _store_files(product, options.kilobytes * 1000)
        backups, restored = str(Path(folder) / "backups"), _empty_product(place)
        print("| step | on the clock | processor time | peak memory |\n|---|---|---|---|")
        _time("first backup", product, "backup", backups)
        _time("next backup, nothing new", product, "backup", backups)
        _time("check", product, "restore", backups, "--check")
        _time("restore", restored, "restore", backups)
        for each in (product, restored):
            drop_database(each)


def _store_files(product: Product, size_bytes: int) -> None:
    """Give every sample its two files, each with bytes of its own."""
    for key in _keys(product):
        path = product.folder / "store" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(secrets.token_bytes(size_bytes))


def _keys(product: Product) -> list[str]:
    if product.database_url:
        with psycopg.connect(product.database_url) as server:
            return [key for (key,) in server.execute(KEYS)]
    with closing(sqlite3.connect(product.file)) as connection:
        return [key for (key,) in connection.execute(KEYS)]


def _empty_product(place: Place) -> Product:
    product = place.product("restored")
    if product.database_url:
        server, _, name = product.database_url.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
    return product


def _time(step: str, product: Product, *arguments: str) -> None:
    """Run a command of the product and print what it took."""
    started, peak = time.monotonic(), product.folder / "peak"
    process = subprocess.Popen(
        [sys.executable, "-c", NOTE_PEAK, str(peak), "--app", "wsgi", *arguments],
        cwd=ROOT,
        env=product.environ,
        stdout=sys.stderr,
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{step}: ended with {os.waitstatus_to_exitcode(status)}")
    clock_s, processor_s = time.monotonic() - started, used.ru_utime + used.ru_stime
    peak_mb = int(peak.read_text().split()[1]) / 1000
    print(f"| {step} | {clock_s:.1f} s | {processor_s:.1f} s | {peak_mb:.0f} MB |", flush=True)


if __name__ == "__main__":
    main()
