"""Enqueue one mail for files that were dropped together, when the last of them is done."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app.extensions import db
from app.models import Batch, Job, User
from app.models.base import transaction, utcnow
from app.models.job import CANCELLED, UNFINISHED
from app.notify import batch_mail, message_kinds, outbox

# How long to wait for a browser that announced more files than it has sent: it may have been closed.
ABANDONED_AFTER = timedelta(minutes=10)


def settle_if_done(batch_id: str) -> None:
    """Enqueue the mail if the whole batch is done, inside the caller's transaction.

    The batch is locked first, so that of two jobs finishing at the same moment the second sees the first.
    """
    db.session.flush()
    batch = db.session.scalar(select(Batch).where(Batch.id == batch_id).with_for_update())
    if batch is None or batch.settled_at is not None:
        return
    # Checked before the jobs are loaded: in a batch of hundreds, this runs once for every finished job.
    unfinished = select(Job.id).where(Job.batch_id == batch_id, Job.state.in_(UNFINISHED)).limit(1)
    if db.session.scalar(unfinished) is not None:
        return
    jobs = list(db.session.scalars(select(Job).where(Job.batch_id == batch_id).order_by(Job.id)))
    complete = len(jobs) + batch.refused >= batch.expected or batch.touched_at < utcnow() - ABANDONED_AFTER
    if not complete:
        return
    batch.settled_at = utcnow()
    user = db.session.get_one(User, batch.user_id)
    told = [job for job in jobs if batch_mail.is_told_by_mail(job)]
    if user.mail_on_completion and any(job.state != CANCELLED for job in told):
        # A file that joins after the mail was sent gets a mail of its own, and so does a retry.
        retries = sum(job.retries for job in jobs)
        key = f"batch:{batch.id}:{len(jobs)}" + (f":{retries}" if retries else "")
        outbox.enqueue(key, user.id, message_kinds.BATCH_DONE, {"batch_id": batch.id})


def settle_abandoned() -> None:
    """Settle batches whose browser went away before it had sent all files it announced."""
    unfinished = select(Job.id).where(Job.batch_id == Batch.id, Job.state.in_(UNFINISHED)).exists()
    waiting = select(Batch.id).where(
        Batch.settled_at.is_(None), Batch.touched_at < utcnow() - ABANDONED_AFTER, ~unfinished
    )
    for batch_id in db.session.scalars(waiting).all():
        with transaction():
            settle_if_done(batch_id)
