"""Measure the search for similar sounds beside one numpy product, and the memory it takes over many owners.

python -m benchmarks.nearest [--rows 100000] [--owners 40] [--each 20000] [--database postgresql://…]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sqlalchemy import insert

from app.audio.similarity import layout
from app.auth import accounts
from app.extensions import db
from app.models import SampleVector, User
from app.models.base import new_id, transaction, utcnow
from app.models.search_row import SearchRow
from app.search import sample_query, similar_samples, vector_cache
from app.search.nearest import MIN_COMPARED, rank_blocks
from app.search.similar_samples import SimilarQuery
from benchmarks.claim_time import open_app

ROUNDS = 40
BATCH = 5_000
MAX_RATIO = 4.0
SETTLED = utcnow() - 2 * vector_cache.SETTLES_AFTER
KINDS = (("one-shot", "kick"), ("one-shot", "snare"), ("one-shot", "closed hat"), ("loop", "drums"))
COMMON = {"live": True, "cell": 0, "key": "", "liked": False, "bpm": -1.0, "duration_s": 0.4} | dict.fromkeys(
    ("name_words", "words", "description_words", "traits", "text"), ""
)


def main() -> int:
    """Print the times and the memory; return 1 when a search takes more than four products or the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--owners", type=int, default=40)
    parser.add_argument("--each", type=int, default=20_000)
    parser.add_argument("--database")
    options = parser.parse_args()
    with TemporaryDirectory() as folder, open_app(Path(folder), options.database):
        ratio = compare_times(options.rows)
        is_bounded = compare_memory(options.owners, options.each)
    return int(ratio > MAX_RATIO or not is_bounded)


def compare_times(rows: int) -> float:
    """Print the times of one product and of a search, in turn; return the ratio of their medians."""
    user = add_library("large", rows)
    ids = [db.session.query(SampleVector.sample_id).filter_by(user_id=user.id).limit(1).scalar()]
    with _timed("first search, which reads all vectors"):
        search(user, ids)
    [block] = vector_cache.vector_cache().read_vectors(user.id)
    query = np.array(similar_samples.read_source(user, ids).vector)
    query32, plain = query.astype(np.float32), np.ascontiguousarray(block.rows)
    parts: dict[str, Callable[[], Any]] = {
        "one product": lambda: plain @ query32,
        "nearest 500, without the database": lambda: rank_blocks(
            iter([block]), query, layout.BALANCED, MIN_COMPARED
        ),
        "a search": lambda: search(user, ids),
        "the same, only snares": lambda: search(user, ids, sound="snare"),
        "the same, brighter": lambda: search(user, ids, but="brighter"),
    }
    # The product keeps which rows a comparison chose. Here it forgets them, so that each part compares all.
    times = {name: statistics.median(each) for name, each in _in_turn(parts, block.kept.clear).items()}
    for name, seconds in times.items():
        print(f"{name:40} {seconds * 1000:8.2f} ms {seconds / times['one product']:8.2f}", flush=True)
    return times["a search"] / times["one product"]


def compare_memory(owners: int, each: int) -> bool:
    """Print the memory after one owner after another has searched; return whether the limit was kept."""
    cache = vector_cache.vector_cache()
    users = [add_library(f"owner{number}", each) for number in range(owners)]
    is_bounded = True
    for number, user in enumerate(users, start=1):
        ids = [db.session.query(SampleVector.sample_id).filter_by(user_id=user.id).limit(1).scalar()]
        search(user, ids)
        db.session.rollback()
        is_bounded &= cache.used_bytes <= cache.max_bytes
        if number in (1, 2, 4, 8) or number % 8 == 0:
            print(
                f"{number:4} owners: {cache.used_bytes / 1e6:7.1f} MB kept, process {_resident_mb():7.1f} MB"
            )
    return is_bounded


def search(user: User, ids: list[str], sound: str = "", but: str = "") -> None:
    """Find fifty samples that are like one, as the page does."""
    source = similar_samples.read_source(user, ids)
    wanted = SimilarQuery(but=but, search=sample_query.SampleQuery(sound=sound))
    similar_samples.find_similar(user, source, wanted, ids)


def add_library(name: str, rows: int) -> User:
    """Add a user with vectors around a few hundred centres, and rows to filter by."""
    user = accounts.register_user(f"{name}@example.com", "a quiet long password", "UTC")
    rng = np.random.default_rng(len(name))
    centres = rng.standard_normal((300, layout.LENGTH)) * 0.3
    for start in range(0, rows, BATCH):
        count = min(BATCH, rows - start)
        vectors = centres[rng.integers(0, 300, count)] + rng.standard_normal((count, layout.LENGTH)) * 0.05
        _insert_rows(user, vectors.astype("<f4"), rng)
    return user


def _insert_rows(user: User, vectors: np.ndarray, rng: np.random.Generator) -> None:
    ids = [new_id() for _ in vectors]
    common = COMMON | {"user_id": user.id, "created_at": SETTLED}
    rows = []
    for each in ids:
        kind, sound = KINDS[int(rng.integers(0, len(KINDS)))]
        own = {"sample_id": each, "name": each.lower(), "brightness": float(rng.uniform(0, 100))}
        rows.append(common | own | {"kind": kind, "sound": sound})
    stored = [
        {"sample_id": each, "user_id": user.id, "version": layout.SIMILARITY_VERSION, "created_at": SETTLED}
        | {"vector": vector.tobytes()}
        for each, vector in zip(ids, vectors, strict=True)
    ]
    with _without_samples(), transaction() as session:
        session.execute(insert(SearchRow), rows)
        session.execute(insert(SampleVector), stored)


@contextmanager
def _without_samples() -> Iterator[None]:
    """Let vectors be stored whose samples are not: a search reads neither their audio nor their text."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    switch = "PRAGMA foreign_keys={}" if is_sqlite else "SET session_replication_role = {}"
    _run(switch.format("OFF" if is_sqlite else "replica"))
    yield
    _run(switch.format("ON" if is_sqlite else "DEFAULT"))


def _run(statement: str) -> None:
    db.session.commit()
    driver: Any = db.session.connection().connection.driver_connection
    db.session.rollback()
    driver.execute(statement)


def _in_turn(parts: dict[str, Callable[[], Any]], forget: Callable[[], None]) -> dict[str, list[float]]:
    """Return the processor times of each part, measured in turn so that all see the same load."""
    times: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(ROUNDS):
        for name, run in parts.items():
            forget()
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    return times


@contextmanager
def _timed(name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{name:40} {(time.perf_counter() - start) * 1000:8.0f} ms", flush=True)


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


if __name__ == "__main__":
    sys.exit(main())
