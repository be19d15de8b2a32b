"""Every task of the queue. A worker starts here: huey_consumer tasks.huey"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from flask import Flask, has_app_context
from huey import crontab

from app import create_app
from app.billing.plans import PRO_TIER
from app.jobs import claim, engine, run, sweeps
from app.jobs.reconcile import requeue_abandoned
from app.library import trash
from app.models.base import utcnow
from app.notify import outbox
from app.notify.batches import settle_abandoned
from app.queue import FREE_PRIORITY, HOUSE_PRIORITY, PAID_PRIORITY, huey

log = logging.getLogger(__name__)

MOST_PERMITS = 100


@huey.task(name="work")
def work() -> None:
    """A permit: run the best ready job, whichever that is by now."""
    with _app_context():
        ending = run.run_next()
        if ending is None:
            return
        if ending.retry_at is not None:
            work.schedule(delay=max((ending.retry_at - utcnow()).total_seconds(), 0) + 1)
        outbox.deliver_due()


@huey.periodic_task(crontab(), name="keep_house", priority=HOUSE_PRIORITY)
def keep_house() -> None:
    """Every minute: whatever a crash or a lost message left undone is taken up again."""
    with _app_context():
        for chore in (requeue_abandoned, wake_ready, settle_abandoned, outbox.deliver_due, trash.purge):
            _attempt(chore)


@huey.periodic_task(crontab(minute="17"), name="sweep", priority=HOUSE_PRIORITY)
def sweep() -> None:
    """Every hour: files and objects that nobody refers to."""
    with _app_context():
        for chore in (sweeps.temporary_files, sweeps.orphans):
            _attempt(chore)


@huey.on_startup(name="get_ready")
def get_ready() -> None:
    """A worker that comes back does not wait for the next minute, nor its first job for the engine."""
    keep_house()
    engine.SANDBOX.start()


def wake_ready() -> None:
    """A permit for each job that could start: delayed ones that are due, and whose message was lost."""
    for tier in claim.ready_tiers(MOST_PERMITS):
        wake(tier)


def wake(tier: str) -> None:
    """Tell the workers that a job is ready. The row is the job, so losing this loses nothing."""
    try:
        work(priority=PAID_PRIORITY if tier == PRO_TIER else FREE_PRIORITY)
    except Exception:
        log.exception("no worker could be woken; the job starts with the next round of keep_house")


def _attempt(chore: Callable[[], object]) -> None:
    """One chore that fails keeps no other from being done."""
    try:
        chore()
    except Exception:
        log.exception("%s failed; it is tried again next time", chore.__name__)


@contextmanager
def _app_context() -> Iterator[None]:
    """The app of this process; a context that is there already keeps its database session."""
    if has_app_context():
        yield
        return
    with _app().app_context():
        yield


@lru_cache(maxsize=1)
def _app() -> Flask:
    return create_app()
