"""Direct uploads: hand out a link that sends a file straight to the object store, then turn it into a job.

Every link writes to its own key, and could overwrite it for as long as it is valid. So an arrived file is
checked and copied to another key, and only the copy becomes a job.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy import delete, func, select, update

from app.audio.decoding.format_sniffer import HEAD_BYTES
from app.billing import plans, quota
from app.extensions import db, settings
from app.integrations.storage import (
    UPLOAD_HEADERS,
    URL_LIFETIME_S,
    ArrivedObject,
    S3Store,
    StorageError,
    open_store,
)
from app.models import DirectUpload, Job, User
from app.models.base import transaction, utcnow
from app.models.direct_upload import MAX_UPLOAD_TIME
from app.models.display_names import file_name
from app.models.ownership import RowNotFoundError
from app.upload import intake
from app.upload.intake import (
    OverPlanError,
    ReceivedFile,
    UploadOptions,
    UploadRefusedError,
    UploadUnavailableError,
)

LINK_LIFETIME = timedelta(seconds=URL_LIFETIME_S)


class NoBucketError(Exception):
    """There is no object store to send files to, so they have to be sent through the app."""


class NotArrivedError(Exception):
    """The file has not arrived yet; the message says what to do first."""


@dataclass(frozen=True)
class UploadLink:
    """Where to send one file by PUT, and until when."""

    upload_id: str
    url: str
    headers: dict[str, str]
    expires_at: datetime


def create_link(
    user: User, raw_name: str | None, size_bytes: int, batch_id: str, options: UploadOptions
) -> UploadLink:
    """Return an upload link for one file of a batch.

    Raises UploadRefusedError, after counting the file as refused in its batch.
    """
    store = _require_bucket()
    upload = DirectUpload(
        id=options.job_id,
        user_id=user.id,
        batch_id=batch_id,
        filename=file_name(raw_name),
        size_bytes=size_bytes,
        export_sp404=options.export_sp404,
        ai_analysis=options.ai_analysis,
        collection=options.place.collection,
        folder=options.place.folder,
        created_at=utcnow(),
    )
    link = UploadLink(
        upload_id=upload.id,
        url=store.upload_url(upload.arrival_key, size_bytes),
        headers=dict(UPLOAD_HEADERS),
        expires_at=upload.created_at + LINK_LIFETIME,
    )
    try:
        _register_upload(user, upload)
    except UploadRefusedError:
        intake.count_refusal(batch_id)
        raise
    return link


def complete_upload(user: User, upload_id: str) -> Job:
    """Return the job of an arrived file; safe to call again, it is created only once.

    Raises UploadRefusedError, NotArrivedError and UploadUnavailableError, and RowNotFoundError (404) for
    another user's upload. The caller wakes a worker.
    """
    upload = _find_upload_or_job(user, upload_id)
    if isinstance(upload, Job):
        return upload
    plan = plans.plan_for_user(user)
    db.session.expunge(upload)  # another request may be faster and delete the row
    db.session.commit()  # no database connection is held while waiting for the store
    try:
        return _create_job(plan, upload)
    except UploadRefusedError as refusal:
        _record_refusal(upload, str(refusal))
        raise
    except (NotArrivedError, StorageError) as trouble:
        # A faster request may have moved the file already; then its job is the answer.
        job = _find_upload_or_job(user, upload_id)
        if isinstance(job, Job):
            return job
        if isinstance(trouble, NotArrivedError):
            raise
        raise UploadUnavailableError(
            f"{upload.filename} can't be checked right now. Try again in a minute."
        ) from trouble


def purge_abandoned() -> None:
    """Delete uploads that were never completed, and their files if they arrived. Safe to run twice."""
    old = select(DirectUpload).where(DirectUpload.created_at < utcnow() - MAX_UPLOAD_TIME)
    for upload in db.session.scalars(old).all():
        _require_bucket().delete(upload.arrival_key)
        with transaction() as session:
            session.execute(delete(DirectUpload).where(DirectUpload.id == upload.id))


def _register_upload(user: User, upload: DirectUpload) -> None:
    """Check quota and size, then store the row.

    Open links count as used storage, so that nobody can fill the store with uploads they never complete.
    """
    plan = plans.plan_for_user(user)
    if not upload.size_bytes:
        intake.detect_format(upload.filename, b"")
    if upload.size_bytes > plan.max_file_bytes:
        raise OverPlanError(intake.too_large_message(upload.filename, plan), "size")
    open_links = select(func.coalesce(func.sum(DirectUpload.size_bytes), 0)).where(
        DirectUpload.user_id == user.id,
        DirectUpload.refusal.is_(None),
        DirectUpload.created_at > utcnow() - LINK_LIFETIME,
    )
    with transaction() as session:
        quota.lock_account(user.id)
        intake.check_quota_early(user, upload.size_bytes + int(session.scalar(open_links) or 0))
        session.add(upload)


def _create_job(plan: plans.Plan, upload: DirectUpload) -> Job:
    """Check the arrived file, copy it to a key that no link can write to, and insert its job."""
    store = _require_bucket()
    arrived = store.find_object(upload.arrival_key)
    if arrived is None:
        raise NotArrivedError(f"{upload.filename} has not arrived yet. Upload it to its link first.")
    _check_size(upload, arrived, plan)
    head = store.first_bytes(upload.arrival_key, arrived, HEAD_BYTES)
    received = ReceivedFile(arrived.size_bytes, intake.detect_format(upload.filename, head))
    options = UploadOptions(upload.export_sp404, upload.ai_analysis, upload.id, upload.place)
    job = intake.build_job(upload.user_id, plan, received, upload.filename, upload.batch_id, options)
    # Two requests that complete the same upload make two copies, so the slower one can delete its own.
    copy_key = f"incoming/{upload.user_id}/{upload.id}/{token_hex(4)}{received.format.extension}"
    job.incoming_key = copy_key
    return _copy_and_insert(store, arrived, upload, job, copy_key, received.format.mime)


def _copy_and_insert(
    store: S3Store, arrived: ArrivedObject, upload: DirectUpload, job: Job, copy_key: str, mime: str
) -> Job:
    inserted = False
    try:
        store.copy_unchanged(upload.arrival_key, arrived, copy_key, mime)
        known = _insert_job(upload, job)
        inserted = known is job
    finally:
        with suppress(StorageError):
            store.delete(upload.arrival_key if inserted else copy_key)
    return known


def _insert_job(upload: DirectUpload, job: Job) -> Job:
    """Charge and insert the job, or return the one that another request has just inserted."""
    with transaction() as session:
        quota.lock_account(upload.user_id)
        known = session.get(Job, upload.id)
        if known is not None:
            return known
        intake.insert_charged_job(session.get_one(User, upload.user_id), job, upload.place)
        session.execute(delete(DirectUpload).where(DirectUpload.id == upload.id))
    return job


def _check_size(upload: DirectUpload, arrived: ArrivedObject, plan: plans.Plan) -> None:
    """Refuse a file of the wrong size. The link's signature covers it, but not every store checks that."""
    if arrived.size_bytes > plan.max_file_bytes:
        raise UploadRefusedError(intake.too_large_message(upload.filename, plan))
    if not arrived.size_bytes:
        intake.detect_format(upload.filename, b"")
    if arrived.size_bytes != upload.size_bytes:
        raise UploadRefusedError(
            f"{upload.filename} arrived with {arrived.size_bytes:,} bytes instead of "
            f"{upload.size_bytes:,}. Upload it again."
        )


def _record_refusal(upload: DirectUpload, sentence: str) -> None:
    """Store the refusal, count it in the batch once, and delete the file."""
    unrefused = update(DirectUpload).where(DirectUpload.id == upload.id, DirectUpload.refusal.is_(None))
    with transaction() as session:
        first = session.scalar(unrefused.values(refusal=sentence).returning(DirectUpload.id)) is not None
    if first:
        intake.count_refusal(upload.batch_id)
    with suppress(StorageError):
        _require_bucket().delete(upload.arrival_key)


def _find_upload_or_job(user: User, upload_id: str) -> DirectUpload | Job:
    """Return the user's upload if it can be completed, or the job it has become.

    Raises UploadRefusedError for an upload refused before, and RowNotFoundError (404). The upload is read
    before the job: a request that deletes the upload meanwhile has inserted the job by then.
    """
    owned = select(DirectUpload).where(DirectUpload.id == upload_id, DirectUpload.user_id == user.id)
    upload = db.session.scalar(owned)
    job = db.session.scalar(select(Job).where(Job.id == upload_id, Job.user_id == user.id))
    if job is not None:
        return job
    if upload is None:
        raise RowNotFoundError
    if upload.refusal is not None:
        raise UploadRefusedError(upload.refusal)
    return upload


def _require_bucket() -> S3Store:
    """Return the object store, or raise NoBucketError when files are kept on disk."""
    store = open_store(settings())
    if not isinstance(store, S3Store):
        raise NoBucketError
    return store
