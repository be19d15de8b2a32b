"""Give an account the demo sounds: each of them once, at once, and without a charge."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

from sqlalchemy import select

from app.audio.decoding.format_sniffer import WAV
from app.billing import plans, quota
from app.extensions import db
from app.jobs import purposes
from app.models import Job, Sample, User
from app.models.base import transaction, utcnow
from app.models.job import UNFINISHED
from app.upload import intake, spool
from app.upload.demo_sounds import make_demo_sounds
from app.upload.upload_purpose import UPLOAD_PURPOSE

DEMO = "demo"
DEMO_PURPOSE = replace(UPLOAD_PURPOSE, name=DEMO, charges_upload=False, is_delayed_on_free=False)


def add_demo_sounds(user: User) -> list[Job]:
    """Queue a job for each demo sound that the account lacks; the caller wakes a worker.

    Raises UploadUnavailableError and DiskFullError.
    """
    spool.require_free_disk()
    known = _known_hashes(user)
    missing = [sound for sound in make_demo_sounds() if _sha256(sound[1]) not in known]
    if not missing:
        return []
    batch_id = intake.open_batch(user, None, len(missing))
    jobs = [_build_job(user, name, content, batch_id) for name, content in missing]
    for job, (_, content) in zip(jobs, missing, strict=True):
        _store(str(job.incoming_key), content)
    return _insert_missing(user, jobs)


def _build_job(user: User, name: str, content: bytes, batch_id: str) -> Job:
    plan = plans.plan_for_user(user)
    received = intake.ReceivedFile(len(content), WAV, _sha256(content))
    job = intake.build_job(user.id, plan, received, name, batch_id, intake.UploadOptions())
    job.purpose, job.run_at = DEMO, utcnow()
    job.priority = purposes.priority_for(plan, DEMO_PURPOSE)
    return job


def _store(key: str, content: bytes) -> None:
    with NamedTemporaryFile(dir=spool.spool_folder(), prefix="upload-") as file:
        with spool.disk_errors_told():
            file.write(content)
            file.flush()
        intake.store_received(key, Path(file.name), WAV.mime, "The demo sounds")


def _insert_missing(user: User, jobs: Sequence[Job]) -> list[Job]:
    """Insert the jobs whose sounds the account still lacks, and remove the files of the others."""
    with transaction() as session:
        is_open = quota.lock_account(
            user.id
        )  # of two requests at once, the second finds the jobs of the first
        known = _known_hashes(user)
        added = [job for job in jobs if is_open and job.content_sha256 not in known]
        for job in added:
            session.add(job)
            quota.keep_free_of_charge(job)
    for job in jobs:
        if job not in added:
            intake.remove_stored(str(job.incoming_key))
    return added


def _known_hashes(user: User) -> set[str | None]:
    """Return the hashes of the demo sounds that the account has, or is about to have."""
    demos = [_sha256(content) for _, content in make_demo_sounds()]
    samples = select(Sample.content_sha256).where(
        Sample.user_id == user.id, Sample.content_sha256.in_(demos), Sample.deleted_at.is_(None)
    )
    jobs = select(Job.content_sha256).where(
        Job.user_id == user.id, Job.content_sha256.in_(demos), Job.state.in_(UNFINISHED)
    )
    return {*db.session.scalars(samples), *db.session.scalars(jobs)}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
