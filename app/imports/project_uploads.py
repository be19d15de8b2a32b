"""Receive files with projects of the unit: look into them, keep them until they are imported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile
from typing import IO

from sqlalchemy import delete, select

from app.billing.plans import MB
from app.extensions import db, settings
from app.integrations.storage import BINARY_MIME, StorageError, open_store
from app.jobs import reprocess
from app.models import ProjectUpload, User
from app.models.base import new_id, transaction, utcnow
from app.models.display_names import file_name, file_title
from app.models.project_upload import UPLOAD_LIFETIME
from app.sp404.errors import UnitFileError
from app.sp404.importing.kit_sources import FoundKit, look_into
from app.upload import early_checks, spool
from app.upload.intake import UploadUnavailableError

KIT_IMPORT = "kit_import"
UPLOAD = "upload_id"  # a choice of the job
MAX_KEPT_UPLOADS = 8


def receive(user: User, stream: IO[bytes], raw_name: str | None) -> ProjectUpload:
    """Look into a file that was sent, store it and return its row. Earlier ones without a job are forgotten.

    Raises UnitFileError for a file that can't be used, UploadUnavailableError and DiskFullError.
    """
    user_id, name, limit = user.id, file_name(raw_name), early_checks.largest_project(user)
    spool.require_free_disk()
    forget_unneeded(user)
    db.session.commit()  # no database connection is held while reading and storing
    with _on_disk(stream) as path:
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
        _store(upload.store_key, path, name)
    with transaction() as session:
        session.add(upload)
    return upload


def found_kits(upload: ProjectUpload) -> list[FoundKit]:
    """Return what was found in a file."""
    return [FoundKit.from_dict(plain) for plain in upload.found]


def forget_unneeded(user: User) -> None:
    """Remove the user's files that no job may still read. Raises UnitFileError when very many are left."""
    needed = _needed_uploads(user.id)
    mine = db.session.scalars(select(ProjectUpload).where(ProjectUpload.user_id == user.id)).all()
    _remove([(one.id, one.store_key) for one in mine if one.id not in needed])
    if len(needed) >= MAX_KEPT_UPLOADS:
        raise UnitFileError("Many projects are waiting to be imported. Send more when they are done.")


def remove_old_uploads() -> None:
    """Remove files that nobody can import any more."""
    old = select(ProjectUpload).where(ProjectUpload.created_at < utcnow() - UPLOAD_LIFETIME)
    _remove([(one.id, one.store_key) for one in db.session.scalars(old)])


def _needed_uploads(user_id: str) -> set[str]:
    user = db.session.get_one(User, user_id)
    jobs = reprocess.unfinished_jobs_for(user, KIT_IMPORT) + reprocess.retriable_jobs_for(user, KIT_IMPORT)
    return {str((job.choices or {}).get(UPLOAD)) for job in jobs}


def _remove(uploads: list[tuple[str, str]]) -> None:
    ids = [upload_id for upload_id, _key in uploads]
    if not ids:
        return
    with transaction() as session:
        session.execute(delete(ProjectUpload).where(ProjectUpload.id.in_(ids)))
    for _upload_id, key in uploads:
        with suppress(StorageError):  # the sweep of orphans removes what is left
            open_store(settings()).delete(key)


def _store(key: str, path: Path, name: str) -> None:
    try:
        open_store(settings()).put(key, path, BINARY_MIME)
    except StorageError as error:
        if spool.is_disk_full(error.__cause__):
            raise spool.DiskFullError(spool.NEARLY_FULL) from error
        raise UploadUnavailableError(
            f"{name} could not be stored right now. Try again in a minute."
        ) from error


@contextmanager
def _on_disk(stream: IO[bytes]) -> Iterator[Path]:
    """Yield the path of a received file; one that is small enough to be in memory is copied to the disk."""
    stream.seek(0)
    if isinstance(stream, spool.SpooledFile):
        stream.flush()
        yield stream.path
        return
    with NamedTemporaryFile(dir=spool.spool_folder(), prefix="project-") as file:
        with spool.disk_errors_told():
            copyfileobj(stream, file)
            file.flush()
        yield Path(file.name)
