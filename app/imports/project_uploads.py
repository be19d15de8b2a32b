"""Receive files with projects of the unit: look into them, keep them until they are imported."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import IO

from sqlalchemy import delete, func, or_, select

from app.billing import plans, quota
from app.billing.plans import MB
from app.extensions import db
from app.integrations.storage import BINARY_MIME
from app.jobs import reprocess
from app.models import ProjectUpload, User
from app.models.base import new_id, transaction, utcnow
from app.models.display_names import file_name, file_title
from app.models.ownership import RowNotFoundError
from app.models.project_upload import UPLOAD_LIFETIME
from app.sp404.errors import UnitFileError
from app.sp404.importing.kit_sources import FoundKit, look_into
from app.upload import spool
from app.upload.intake import remove_stored, store_received

KIT_IMPORT = "kit_import"
UPLOAD = "upload_id"  # a choice of the job
MAX_KEPT_UPLOADS = 8
TIME_TO_CHOOSE = timedelta(hours=1)
"""How long a file is kept without a job, even when others are sent."""


def receive(user: User, stream: IO[bytes], raw_name: str | None) -> ProjectUpload:
    """Look into a file that was sent, store it and return its row. Old ones without a job are forgotten.

    Raises UnitFileError for a file that can't be used, UploadUnavailableError and DiskFullError.
    """
    user_id, name, limit = user.id, file_name(raw_name), plans.plan_for_user(user).max_archive_bytes
    spool.require_free_disk()
    forget_unneeded(user_id)  # afterwards no database connection is held while reading and storing
    with spool.on_disk(stream) as path:
        size_bytes = path.stat().st_size
        if size_bytes > limit:
            raise UnitFileError(
                f"{name} is larger than {limit // MB:,} MB, the largest project file your plan "
                "allows. Send one project at a time, or upgrade your plan."
            )
        found = look_into(path, file_title(name))
        upload_id = new_id()
        upload = ProjectUpload(
            id=upload_id,
            user_id=user_id,
            name=name,
            store_key=f"projects/{user_id}/{upload_id}",
            size_bytes=size_bytes,
            found=[one.to_dict() for one in found],
        )
        store_received(upload.store_key, path, BINARY_MIME, name)
    try:
        _add(upload)
    except UnitFileError:
        _delete_objects([upload.store_key])
        raise
    return upload


def found_kits(upload: ProjectUpload) -> list[FoundKit]:
    """Return what was found in a file."""
    return [FoundKit.from_dict(plain) for plain in upload.found]


def forget_unneeded(user_id: str) -> None:
    """Remove a user's files whose jobs are done, and those from which nothing was chosen for an hour.

    Raises UnitFileError when very many are left.
    """
    with transaction():
        if not quota.lock_account(user_id):  # of parallel requests, each sees what the other has done
            raise RowNotFoundError
        needed, since = _needed_uploads(user_id), utcnow() - TIME_TO_CHOOSE
        unneeded = (
            ProjectUpload.user_id == user_id,
            ProjectUpload.id.not_in(needed),
            or_(ProjectUpload.created_at < since, ProjectUpload.id.in_(_ordered_uploads(user_id, since))),
        )
        rows = db.session.execute(select(ProjectUpload.id, ProjectUpload.store_key).where(*unneeded)).all()
        _delete_rows([row.id for row in rows])
    _delete_objects([row.store_key for row in rows])
    _require_place(user_id)
    db.session.commit()


def forget(upload: ProjectUpload) -> None:
    """Remove a file that nobody can order from, because its sender was not told of it."""
    key = upload.store_key
    with transaction():
        _delete_rows([upload.id])
    _delete_objects([key])


def remove_old_uploads() -> None:
    """Remove files that nobody can import any more."""
    old = select(ProjectUpload).where(ProjectUpload.created_at < utcnow() - UPLOAD_LIFETIME)
    uploads = db.session.scalars(old).all()
    ids, keys = [one.id for one in uploads], [one.store_key for one in uploads]
    with transaction():
        _delete_rows(ids)
    _delete_objects(keys)


def _add(upload: ProjectUpload) -> None:
    """Add the row of a file. Raises UnitFileError when parallel requests have added the last ones."""
    with transaction() as session:
        if not quota.lock_account(upload.user_id):
            raise RowNotFoundError
        _require_place(upload.user_id)
        session.add(upload)


def _require_place(user_id: str) -> None:
    kept = select(func.count()).select_from(ProjectUpload).where(ProjectUpload.user_id == user_id)
    if (db.session.scalar(kept) or 0) >= MAX_KEPT_UPLOADS:
        raise UnitFileError(
            f"{MAX_KEPT_UPLOADS} files with projects are waiting. Import them, and send more when that is "
            "done. Files from which you choose nothing are forgotten after an hour."
        )


def _needed_uploads(user_id: str) -> set[str]:
    user = db.session.get_one(User, user_id)
    jobs = reprocess.unfinished_jobs_for(user, KIT_IMPORT) + reprocess.retriable_jobs_for(user, KIT_IMPORT)
    return {str((job.choices or {}).get(UPLOAD)) for job in jobs}


def _ordered_uploads(user_id: str, since: datetime) -> set[str]:
    """Return the files that a job was made of, finished or not."""
    jobs = reprocess.jobs_since(db.session.get_one(User, user_id), KIT_IMPORT, since)
    return {str((job.choices or {}).get(UPLOAD)) for job in jobs}


def _delete_rows(ids: list[str]) -> None:
    db.session.execute(delete(ProjectUpload).where(ProjectUpload.id.in_(ids)))


def _delete_objects(keys: list[str]) -> None:
    for key in keys:
        remove_stored(key)
