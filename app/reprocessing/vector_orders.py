"""Make the similarity vectors of samples that an older engine measured, while workers have no jobs.

Nobody is charged and nobody waits for it: a sample at a time, only while this worker runs no job and none is
ready. The orders stand in the database, so the work goes on after a stop, and workers share it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.audio.errors import UnreadableAudio
from app.audio.result import Analysis
from app.audio.similarity import layout
from app.engine import dispatch
from app.engine.contract import EngineOrder, ProgressListener
from app.extensions import db, settings
from app.integrations.storage import ObjectMissingError, StorageError
from app.jobs import scheduler, workers
from app.models import Sample, SampleVector, VectorOrder
from app.models.base import transaction, utcnow
from app.models.sample_vector import replace_vector
from app.sandbox.errors import EngineCancelled, EngineError, EngineUnavailable

ORDERED_AT_ONCE = 2_000
MAX_TRIES = 3
# Longer than any file may take. An order whose worker died is due again after it.
HELD_FOR = timedelta(hours=2)
RETRY_AFTER = timedelta(hours=1)
TURN_S = 50.0  # then the next housekeeping goes on
LOOK_EVERY_S = 1.0

log = logging.getLogger(__name__)


class OldEngineError(Exception):
    """An engine process of an older version has answered, which makes no vector of the present one."""


def order_missing_vectors() -> None:
    """Order a vector for every sample that has none of the present version.

    Safe to stop at any time, and to run twice at once: what two processes order is ordered once.
    """
    last = ""
    while ids := db.session.scalars(_select_without_vector(last)).all():
        last = ids[-1]
        with suppress(IntegrityError), transaction() as session:  # another process orders the same
            session.execute(delete(VectorOrder).where(VectorOrder.sample_id.in_(ids)))
            session.add_all(VectorOrder(sample_id=each, version=layout.SIMILARITY_VERSION) for each in ids)
    db.session.commit()


def make_missing_vectors() -> None:
    """Make the vectors that are due, until a job needs this worker or the turn is over."""
    until, is_idle = time.monotonic() + TURN_S, _idle_check()
    while time.monotonic() < until and is_idle():
        sample_id = take_order()
        if sample_id is None or not make_vector(sample_id, is_idle):
            return


def _select_without_vector(after: str) -> Select[str]:
    has_none = or_(SampleVector.version.is_(None), SampleVector.version < layout.SIMILARITY_VERSION)
    not_ordered = or_(VectorOrder.version.is_(None), VectorOrder.version < layout.SIMILARITY_VERSION)
    return (
        select(Sample.id)
        .outerjoin(SampleVector, SampleVector.sample_id == Sample.id)
        .outerjoin(VectorOrder, VectorOrder.sample_id == Sample.id)
        .where(Sample.id > after, Sample.deleted_at.is_(None), has_none, not_ordered)
        .order_by(Sample.id)
        .limit(ORDERED_AT_ONCE)
    )


def _idle_check() -> Callable[[], bool]:
    """Return a function that says, to the second, whether this worker runs no job and none is ready."""
    looked, idle = float("-inf"), False

    def is_idle() -> bool:
        nonlocal looked, idle
        if time.monotonic() - looked >= LOOK_EVERY_S:
            looked = time.monotonic()
            idle = workers.free_slots() == settings().worker_slots and not scheduler.ready_tiers(1)
            db.session.commit()
        return idle

    return is_idle


def take_order() -> str | None:
    """Take the order that has been due longest, and count the try; None when none is due."""
    due = select(VectorOrder.sample_id).where(VectorOrder.due_at <= utcnow(), VectorOrder.tries < MAX_TRIES)
    first = due.order_by(VectorOrder.due_at).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    taken = update(VectorOrder).where(VectorOrder.sample_id == first).returning(VectorOrder.sample_id)
    with transaction() as session:
        values = {"due_at": utcnow() + HELD_FOR, "tries": VectorOrder.tries + 1}
        return session.scalar(taken.values(**values))


def make_vector(sample_id: str, is_wanted: Callable[[], bool]) -> bool:
    """Measure one sample and store its vector; return whether to go on with others."""
    try:
        _store(sample_id, _measure(sample_id, is_wanted))
    except UnreadableAudio as error:
        _end_try(sample_id, str(error), is_final=True)
    except ObjectMissingError:
        _end_try(sample_id, "The original file is no longer in our storage.", is_final=True)
    except (EngineCancelled, EngineUnavailable, StorageError) as error:
        _give_back(sample_id, str(error))
        return False
    except EngineError as error:
        _end_try(sample_id, str(error))
    except OldEngineError:
        _give_back(sample_id, "the engine is of an older version")
        return False
    return True


def _measure(sample_id: str, is_wanted: Callable[[], bool]) -> Analysis | None:
    """Return a new analysis of a sample's original; None when the sample is gone."""
    sample = db.session.get(Sample, sample_id, populate_existing=True)
    if sample is None or sample.deleted_at is not None:
        return None
    order = EngineOrder(
        about=sample.id,
        name=sample.filename,
        export_sp404=False,
        ai_analysis=False,
        limit_s=settings().job_limit_s,
    )
    key = sample.original_key
    db.session.commit()  # no transaction is open while the engine works
    listener = ProgressListener(lambda _: None, lambda _: None, is_wanted)
    parent = settings().data_dir.resolve() / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f"vector-{sample_id}-", dir=parent) as folder:
        return dispatch.process_file(key, Path(folder), order, listener).analysis


def _store(sample_id: str, analysis: Analysis | None) -> None:
    """Give the sample its vector, and the sound that is heard in it now; the order is done.

    Everything else of the sample stays as it was measured and described.
    """
    with transaction() as session:
        wanted = select(Sample).where(Sample.id == sample_id, Sample.deleted_at.is_(None)).with_for_update()
        sample = session.scalar(wanted.execution_options(populate_existing=True))
        if sample is not None and analysis is not None:
            if analysis.similarity_version < layout.SIMILARITY_VERSION:
                raise OldEngineError
            replace_vector(sample, analysis)
            sample.reclassify(analysis)
        session.execute(delete(VectorOrder).where(VectorOrder.sample_id == sample_id))


def _end_try(sample_id: str, error: str, is_final: bool = False) -> None:
    log.warning("sample %s gets no vector: %s", sample_id, error)
    with transaction() as session:
        order = session.get(VectorOrder, sample_id, populate_existing=True)
        if order is not None:
            order.error = error[:200]
            order.due_at = None if is_final or order.tries >= MAX_TRIES else utcnow() + RETRY_AFTER


def _give_back(sample_id: str, reason: str) -> None:
    """Leave an order for later without counting the try: a job came, or the engine or the store is away."""
    log.info("sample %s gets its vector later: %s", sample_id, reason)
    with transaction() as session:
        order = update(VectorOrder).where(VectorOrder.sample_id == sample_id)
        session.execute(order.values(due_at=utcnow(), tries=VectorOrder.tries - 1))
