"""Tell which files a user has sent already, by their hashes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from app.extensions import db
from app.models import Job, Sample, User
from app.models.job import UNFINISHED, UPLOAD


def find_samples(user: User, hashes: Collection[str]) -> dict[str, str]:
    """Return the ids of the user's samples with these SHA-256 of their originals; of several, the oldest."""
    mine = Sample.user_id == user.id, Sample.deleted_at.is_(None), Sample.content_sha256.in_(hashes)
    rows = db.session.execute(
        select(Sample.content_sha256, Sample.id).where(*mine).order_by(Sample.id.desc())
    )
    return {str(sha256): sample_id for sha256, sample_id in rows}


def find_jobs(user: User, hashes: Collection[str]) -> dict[str, str]:
    """Return the ids of the user's unfinished uploads of these files."""
    mine = Job.user_id == user.id, Job.purpose == UPLOAD, Job.state.in_(UNFINISHED)
    under_way = select(Job.content_sha256, Job.id).where(*mine, Job.content_sha256.in_(hashes))
    return {str(sha256): job_id for sha256, job_id in db.session.execute(under_way)}
