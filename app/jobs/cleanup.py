"""Remove what crashes leave behind. Safe to run twice, and from any process."""

from __future__ import annotations

import logging
import shutil
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, and_, or_, select

from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import purposes
from app.models import CardExport, Job, ProjectUpload, Render, Sample
from app.models.base import utcnow
from app.models.job import UNFINISHED

log = logging.getLogger(__name__)

MIN_FILE_AGE_S = 3600
MIN_OBJECT_AGE = timedelta(days=1)


def remove_temporary_files() -> None:
    """Remove work folders and half-received uploads that were not touched for an hour."""
    folder = settings().data_dir / "tmp"
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - MIN_FILE_AGE_S:
                log.info("removing an old temporary file: %s", path.name)
                _remove(path)


def remove_orphans() -> int:
    """Remove objects older than a day that belong to no sample and no job that may still run.

    Returns how many.
    """
    store = open_store(settings())
    removed = 0
    checks = (
        ("incoming/", _is_incoming_needed),
        ("samples/", _is_sample_needed),
        ("made/", _is_made_needed),
        ("projects/", _is_project_needed),
    )
    for prefix, is_wanted in checks:
        for key in store.older_than(prefix, utcnow() - MIN_OBJECT_AGE):
            if not is_wanted(key):
                log.info("removing an orphan: %s", key)
                store.delete(key)
                removed += 1
    return removed


def _is_incoming_needed(key: str) -> bool:
    return db.session.scalar(select(Job.id).where(Job.incoming_key == key, _may_still_run())) is not None


def _is_sample_needed(key: str) -> bool:
    """Look for the job first: when it ends meanwhile, the sample that it made is there."""
    _, user_id, owner_id, *_ = [*key.split("/"), "", ""]
    ahead = and_(Job.user_id == user_id, Job.purpose.in_(purposes.storing_ahead()))
    needed_by = select(Job.id).where(or_(Job.id == owner_id, ahead), _may_still_run()).limit(1)
    if db.session.scalar(needed_by) is not None:
        return True
    return db.session.scalar(select(Sample.id).where(Sample.id == owner_id)) is not None


def _is_made_needed(key: str) -> bool:
    if may_job_run(key):
        return True
    for kept in (Render, CardExport):
        if db.session.scalar(select(kept.id).where(kept.store_key == key)) is not None:
            return True
    return False


def _is_project_needed(key: str) -> bool:
    return db.session.scalar(select(ProjectUpload.id).where(ProjectUpload.store_key == key)) is not None


def may_job_run(key: str) -> bool:
    """Return whether the job that a key is named after may still run."""
    _, _, job_id, *_ = [*key.split("/"), "", ""]
    return db.session.scalar(select(Job.id).where(Job.id == job_id, _may_still_run())) is not None


def _may_still_run() -> ColumnElement[bool]:
    """Return the condition that a job is unfinished, or failed and may be tried again."""
    return or_(Job.state.in_(UNFINISHED), Job.kept_until > utcnow())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()
