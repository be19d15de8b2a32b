"""Requeue the jobs whose worker is gone. Safe to run twice, and from any process."""

from __future__ import annotations

import logging
import os

from sqlalchemy import select

from app.extensions import db
from app.jobs import transitions, workers
from app.models import Job
from app.models.base import utcnow
from app.models.job import is_running

log = logging.getLogger(__name__)


def requeue_abandoned() -> int:
    """Requeue jobs whose lease ran out or whose worker process on this machine is gone; return how many."""
    held = db.session.scalars(select(Job).where(is_running())).all()
    abandoned = [(job.id, job.lease_token) for job in held if _is_abandoned(job)]
    for job_id, token in abandoned:
        try:
            transitions.end_abandoned(job_id, token)
        except Exception:  # one job must not keep the others from being requeued
            log.exception("job %s could not be requeued", job_id)
    return len(abandoned)


def release_own_jobs() -> None:
    """Give back what this worker has not finished when it has to stop; others start it again at once."""
    own = Job.worker.startswith(f"{workers.own_worker_id()}:", autoescape=True)
    held = db.session.execute(select(Job.id, Job.lease_token).where(is_running(), own)).all()
    for job_id, token in held:
        transitions.end_interrupted(job_id, token)


def _is_abandoned(job: Job) -> bool:
    if job.lease_until is None or job.lease_until < utcnow():
        return True
    place, pid, *_ = (job.worker or "::").split(":")
    return place == workers.machine_id() and pid.isdigit() and not _is_alive(int(pid))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
