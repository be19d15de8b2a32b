"""Compare new samples with the others of their library, and group those that are the same recording.

The database knows what is still to compare: `SampleVector.compare_at`. It is done after the end of a job, in
a thread beside the slots that run jobs, so no job waits for it or fails by it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import select, update

from app.deduplication.grouping import Comparison
from app.extensions import db
from app.integrations.storage import StorageError
from app.models import SampleVector
from app.models.base import transaction, utcnow

log = logging.getLogger(__name__)

BATCH_SAMPLES = 64
LEASE = timedelta(minutes=10)  # what a worker took and did not finish is due again after this
RETRY_AFTER = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(days=3)
MAX_FAILURES = 3  # of the store in a row: then it is away
WITHOUT_SYNC = {"synchronize_session": False}


class Outcome(Enum):
    """How the comparison of one sample ended."""

    DONE, FAILED, NO_STORE = range(3)


@dataclass(frozen=True)
class Due:
    """A sample that this worker compares now."""

    number: int
    sample_id: str
    user_id: str
    created_at: datetime


def compare_due_samples() -> None:
    """Compare every sample that is due, a batch of one library at a time, the newest first.

    It ends early when the store is away. What is due then is taken up by the next run.
    """
    failures = 0
    while failures < MAX_FAILURES:
        lease_end = utcnow() + LEASE
        batch = _claim_batch(lease_end)
        if not batch:
            return
        failures = _compare_batch(batch, lease_end, failures)


def _claim_batch(lease_end: datetime) -> list[Due]:
    """Take due samples of one user until a time, so that no other worker compares them too."""
    is_due = SampleVector.compare_at <= utcnow()
    newest_first = SampleVector.compare_at.desc()
    with transaction() as session:
        user_id = session.scalar(select(SampleVector.user_id).where(is_due).order_by(newest_first).limit(1))
        if user_id is None:
            return []
        columns = SampleVector.number, SampleVector.sample_id, SampleVector.user_id
        due = select(*columns, SampleVector.created_at)
        due = due.where(SampleVector.user_id == user_id, is_due).order_by(newest_first).limit(BATCH_SAMPLES)
        batch = [Due(*row) for row in session.execute(due.with_for_update(skip_locked=True))]
        taken = update(SampleVector).where(SampleVector.number.in_([each.number for each in batch]))
        session.execute(taken.values(compare_at=lease_end), execution_options=WITHOUT_SYNC)
    return batch


def _compare_batch(batch: Sequence[Due], lease_end: datetime, failures: int) -> int:
    """Compare a batch until the store has failed too often in a row; return how often it has by now."""
    from app.deduplication import candidates, sounds

    near = candidates.find_candidates(batch[0].user_id, [due.sample_id for due in batch])
    with sounds.open_reader() as reader:
        for place, due in enumerate(batch):
            comparison = Comparison(due.user_id, due.sample_id, near.get(due.sample_id, []), reader.is_same)
            outcome = _compare_sample(comparison)
            has_time = due.created_at > utcnow() - GIVE_UP_AFTER
            is_over = outcome is Outcome.DONE or not has_time
            _end_lease([due], lease_end, None if is_over else utcnow() + RETRY_AFTER)
            failures = failures + 1 if outcome is Outcome.NO_STORE else 0
            if failures == MAX_FAILURES:
                _end_lease(batch[place + 1 :], lease_end, utcnow() + RETRY_AFTER)
                break
    return failures


def _compare_sample(comparison: Comparison) -> Outcome:
    try:
        return Outcome.DONE if comparison.run() else Outcome.FAILED
    except StorageError as error:
        log.warning("sample %s is compared later: %s", comparison.sample_id, ascii(str(error)))
        return Outcome.NO_STORE
    except Exception:
        log.exception("sample %s could not be compared", comparison.sample_id)
        return Outcome.FAILED


def _end_lease(batch: Sequence[Due], lease_end: datetime, compare_at: datetime | None) -> None:
    """Say when samples are due next, unless they have become due since for another reason."""
    with transaction():
        taken = update(SampleVector).where(
            SampleVector.number.in_([each.number for each in batch]), SampleVector.compare_at == lease_end
        )
        db.session.execute(taken.values(compare_at=compare_at), execution_options=WITHOUT_SYNC)
