"""Setting right what crashes, lost messages and time have left behind. Safe to run twice, anywhere."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path

from sqlalchemy import select

from app.extensions import db, settings
from app.jobs import endings
from app.models import Job
from app.models.base import transaction, utcnow
from app.models.job import PROCESSING
from app.notify import batches

log = logging.getLogger(__name__)

OLD_FILE_S = 3600


def reconcile() -> None:
    requeue_abandoned()
    batches.settle_abandoned()
    sweep_temporary_files()


def requeue_abandoned() -> int:
    """Jobs whose lease ran out, or whose worker on this machine is gone, go back to the queue."""
    held = db.session.scalars(select(Job).where(Job.state == PROCESSING)).all()
    abandoned = [(job.id, job.lease_token) for job in held if _is_abandoned(job)]
    for job_id, token in abandoned:
        with transaction() as session:
            job = session.scalar(
                select(Job).where(Job.id == job_id, Job.lease_token == token).with_for_update()
            )
            if job is None:
                continue
            log.warning("job %s attempt %s was abandoned by %s", job.id, job.attempt, job.worker)
            if job.may_retry:
                job.release(utcnow())
            else:
                endings.give_up(job)
    return len(abandoned)


def sweep_temporary_files() -> None:
    """Work folders and half-received uploads that nobody has touched for an hour."""
    folder = settings().data_dir / "tmp"
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - OLD_FILE_S:
                _remove(path)


def _is_abandoned(job: Job) -> bool:
    if job.lease_until is None or job.lease_until < utcnow():
        return True
    host, pid, *_ = (job.worker or "::").split(":")
    return host == socket.gethostname() and pid.isdigit() and not _is_alive(int(pid))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    log.info("removing what was left behind: %s", path.name)
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()
