"""Upload sounds into a small and a large library in turn, and run their jobs."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from flask import Flask

from app import create_app
from app.audio.warm import set_cache_folder
from app.config import Settings
from app.extensions import db
from app.jobs import run
from app.models import Job
from benchmarks.library_scale.pages import Figures
from benchmarks.library_scale.timing import summarize
from benchmarks.library_scale.visitor import Visit, Visitor
from tests.support import RATE, tone, wav

WARM_UPS = 2
MOST_RATIO = 1.2


def measure_uploads(library: str, small: Visitor, large: Visitor, count: int) -> list[Figures]:
    """Return how an upload's request and its job compare; the uploaded samples are deleted again."""
    set_cache_folder()
    with _worker(small) as one, _worker(large) as other:
        logging.getLogger(run.__name__).setLevel(logging.WARNING)
        pairs = [(_upload(small, one), _upload(large, other)) for _ in range(WARM_UPS + count)][WARM_UPS:]
    measured = []
    for name, place in (("upload: its request", 0), ("upload: its job", 1)):
        times = summarize([(its[place], mine[place]) for its, mine in pairs])
        ratios = times.wall_ratio, times.processor_ratio
        measured.append(Figures(library, name, times.wall_ms, times.processor_ms, *ratios, MOST_RATIO))
    return measured


def _upload(visitor: Visitor, worker: Flask) -> tuple[Visit, Visit]:
    """Upload a sound and run its job; return the times of both."""
    visit = visitor.upload("measured kick.wav", _new_sound())
    with worker.app_context():
        started, spent = time.perf_counter(), time.process_time()
        ending = run.run_next()
        job = Visit(time.perf_counter() - started, time.process_time() - spent, "")
        if ending is None or ending.state != "completed":
            raise RuntimeError(f"the job of an upload ended as {ending}")
        sample_id = db.session.get_one(Job, visit.answer()["job_id"]).sample_id
    visitor.delete(str(sample_id))
    return visit, job


def _new_sound() -> bytes:
    """Return a kick that no library has: its noise differs each time."""
    kick = 0.8 * tone(52, 0.3, 12)
    return wav(kick + np.random.default_rng().normal(0, 0.001, len(kick)), RATE)


@contextmanager
def _worker(visitor: Visitor) -> Iterator[Flask]:
    """Yield an app that can run jobs of the product's database."""
    app = create_app(Settings.from_env(visitor.product.settings))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
