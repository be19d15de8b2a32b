"""Push a folder with the command line client and kill it three times: python -m benchmarks.client_push.

A product is served with the embedded defaults. In the end each file of the folder must be one upload.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from benchmarks.tables import Cell, Table, add_document_option, show_tables
from sample_agent.folders import hash_file
from tests.live import Producer, Product
from tests.support import tone, wav

ROOT = Path(__file__).resolve().parent.parent
KILLS = 3
TABLE = "client push"
HEADER = ("run", "seconds", "uploads since the first", "different files")
UPLOADS = "SELECT content_sha256 FROM processing_jobs WHERE purpose = 'upload'"


def main() -> int:
    """Print what was sent; return 1 unless every file was sent once."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    add_document_option(parser)
    options = parser.parse_args()
    rows: list[tuple[Cell, ...]] = []
    with tempfile.TemporaryDirectory() as place:
        folder, data = _make_folder(Path(place), options.files), Path(place) / "data"
        with Product(data, API_REQUESTS_PER_MINUTE="100000") as product:
            environment = _environment(product, place)
            kill = random.Random(options.seed)
            for number in range(KILLS):
                _kill_after(environment, folder, seconds := kill.uniform(2, 8))
                rows.append((f"killed ({number + 1})", seconds, *_counts(data)))
            start = time.monotonic()
            ran = subprocess.run(_push(folder), env=environment, capture_output=True, text=True, check=False)
            print(f"last run: {ran.stdout.splitlines()[-1]} {ran.stderr}")
            rows.append(("to its end", time.monotonic() - start, *_counts(data)))
            sent = _uploads(data)
    show_tables([Table(TABLE, HEADER, rows)], options.document)
    print(f"{options.files:,} files, {sent.total():,} uploads of {len(sent):,} different files")
    return int(not sent.total() == len(sent) == options.files)


def _make_folder(place: Path, files: int) -> Path:
    """Return a folder of different short sounds, ten to a folder inside."""
    top = place / "Thousand hits"
    for number in range(files):
        path = top / f"Folder {number // 10:03}" / f"hit {number:05}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav(0.9 * tone(40 + number, 0.12, 20)))
    assert len({hash_file(path) for path in top.rglob("*.wav")}) == files
    return top


def _environment(product: Product, home: str) -> dict[str, str]:
    producer = Producer(product)
    producer.post("/demo")
    secret = producer.make_token("samples:read", "samples:write")
    own = {"SAMPLE_AGENT_URL": product.url, "SAMPLE_AGENT_TOKEN": secret, "HOME": home}
    return {**os.environ, **own, "PYTHONPATH": str(ROOT / "client")}


def _push(folder: Path) -> list[str]:
    return [sys.executable, "-m", "sample_agent", "push", str(folder)]


def _kill_after(environment: dict[str, str], folder: Path, seconds: float) -> None:
    running = subprocess.Popen(_push(folder), env=environment, stdout=subprocess.DEVNULL)
    time.sleep(seconds)
    running.send_signal(signal.SIGKILL)
    running.wait()


def _counts(data: Path) -> tuple[int, int]:
    sent = _uploads(data)
    return sent.total(), len(sent)


def _uploads(data: Path) -> Counter[str]:
    """Return how often each file was uploaded, by its SHA-256."""
    with closing(sqlite3.connect(f"file:{data}/library.db?mode=ro", uri=True)) as database:
        return Counter(sha256 for (sha256,) in database.execute(UPLOADS))


if __name__ == "__main__":
    sys.exit(main())
