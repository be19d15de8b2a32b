"""Accept an uploaded file: check size, content and quota, store the bytes and create the job."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, BinaryIO, cast
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.audio.decoding.content_names import ZIP_ARCHIVE, describe_content
from app.audio.decoding.format_sniffer import HEAD_BYTES, M4A, AudioFormat, sniff_format
from app.audio.decoding.mp4_tracks import read_mp4_tracks
from app.billing import plans, quota
from app.billing.plan_room import Limit
from app.billing.plans import Plan
from app.collections import collection_rows
from app.collections.collection_rows import TooManyCollectionsError
from app.extensions import db, settings
from app.integrations.storage import StorageError, open_store
from app.jobs import purposes, scheduler
from app.models import Batch, Job, Sample, User
from app.models.base import new_id, transaction, utcnow
from app.models.display_names import file_name
from app.models.job import UPLOAD
from app.models.sample_places import NO_PLACE, SamplePlace
from app.notify import batch_completion
from app.upload import spool
from app.upload.upload_purpose import UPLOAD_PURPOSE

BLOCK_BYTES = 1 << 20
ZIP_ADVICE = "ZIPs are unpacked on the upload page. Otherwise, send the sounds one by one."
MAX_BATCH_FILES = max(plan.uploads for plan in plans.PLANS.values())


class UploadRefusedError(Exception):
    """The file is refused; the message tells the user why and what to do."""


class OverPlanError(UploadRefusedError):
    """The file is fine, but the plan does not take it: now, or at all."""

    def __init__(self, sentence: str, limit: Limit) -> None:
        super().__init__(sentence)
        self.limit = limit


class UploadUnavailableError(Exception):
    """The file may be fine but can't be accepted right now; the message says so, and to try again."""


@dataclass(frozen=True)
class ReceivedFile:
    """The facts about a received file. A direct upload has no hash: its bytes bypassed the app."""

    size_bytes: int
    format: AudioFormat
    sha256: str = ""


@dataclass(frozen=True)
class UploadOptions:
    """The user's options for a file, and the id its job gets."""

    export_sp404: bool = True
    ai_analysis: bool = True
    job_id: str = field(default_factory=new_id)
    place: SamplePlace = NO_PLACE


def accept_upload(
    user: User, stream: IO[bytes], raw_name: str | None, batch_id: str, options: UploadOptions | None = None
) -> Job:
    """Accept one file of a batch and return its job; a refused file is counted in the batch.

    Raises UploadRefusedError, UploadUnavailableError and DiskFullError.
    """
    try:
        return create_upload_job(user, stream, raw_name, batch_id, options or UploadOptions())
    except UploadRefusedError:
        count_refusal(batch_id)
        raise


def create_upload_job(
    user: User, stream: IO[bytes], raw_name: str | None, batch_id: str, options: UploadOptions
) -> Job:
    """Check and store one file and create its job, or raise UploadRefusedError.

    The caller wakes a worker afterwards: a message sent before the commit might find no job.
    """
    name = file_name(raw_name)
    plan, user_id = plans.plan_for_user(user), user.id
    check_quota_early(user, size_bytes=1)
    spool.require_free_disk()
    db.session.commit()  # no database connection is held while reading and storing
    with _spool_to_disk(stream, name, plan) as (path, received):
        job = build_job(user_id, plan, received, name, batch_id, options)
        incoming_key = str(job.incoming_key)
        store_received(incoming_key, path, received.format.mime, name)
        try:
            with transaction():
                insert_charged_job(user, job, options.place)
        except BaseException:
            remove_stored(incoming_key)
            raise
    return job


def store_received(key: str, path: Path, mime: str, name: str) -> None:
    """Put a received file into the store, or raise UploadUnavailableError or DiskFullError."""
    try:
        open_store(settings()).put(key, path, mime)
    except StorageError as error:
        if spool.is_disk_full(error.__cause__):
            raise spool.DiskFullError(spool.NEARLY_FULL) from error
        raise UploadUnavailableError(
            f"{name} could not be stored right now. Try again in a minute."
        ) from error


def remove_stored(key: str) -> None:
    """Remove a stored file that nothing came of; the sweep of orphans removes what is left."""
    with suppress(StorageError):
        open_store(settings()).delete(key)


def open_batch(user: User, batch_id: str | None, expected: int) -> str:
    """Return the id of the batch that files dropped together belong to, creating it if necessary.

    A malformed id, or one of another user's batch, starts a new batch.
    """
    wanted = batch_id if batch_id and _is_uuid(batch_id) else str(uuid4())
    owner = db.session.scalar(select(Batch.user_id).where(Batch.id == wanted))
    if owner == user.id:
        return wanted
    batch = Batch(
        id=wanted if owner is None else str(uuid4()),
        user_id=user.id,
        expected=min(max(expected, 1), MAX_BATCH_FILES),
    )
    fresh_id = batch.id
    try:
        with transaction() as session:
            session.add(batch)
    except IntegrityError:
        pass  # files dropped together arrive at the same time: another request has just created it
    return fresh_id


def count_refusal(batch_id: str) -> None:
    """Count a file that will not become a job, so that the batch's mail does not wait for it."""
    with transaction() as session:
        session.execute(
            update(Batch).where(Batch.id == batch_id).values(refused=Batch.refused + 1, touched_at=utcnow())
        )
        batch_completion.settle_if_done(batch_id)


def find_duplicate(user: User, sha256: str) -> Sample | None:
    """Return the user's sample with exactly these bytes, if there is one."""
    return db.session.scalar(
        select(Sample).where(
            Sample.user_id == user.id, Sample.content_sha256 == sha256, Sample.deleted_at.is_(None)
        )
    )


def check_quota_early(user: User, size_bytes: int) -> None:
    """Raise UploadRefusedError if the quota is used up, before the file is sent.

    This only saves the user a wait; `insert_charged_job` makes the check that counts.
    """
    try:
        quota.require_upload_room(quota.plan_usage(user), size_bytes)
    except quota.QuotaExceededError as error:
        raise OverPlanError(str(error), error.limit) from error


def insert_charged_job(user: User, job: Job, place: SamplePlace = NO_PLACE) -> None:
    """Charge the upload and insert its job inside the caller's transaction, or raise UploadRefusedError.

    Its sample will be kept in the place; a collection of that name is created if there is none. The first
    files of an account start at once, also on the Free plan.
    """
    quota.lock_account(user.id)
    starts_at_once = job.run_at > utcnow() and quota.immediate_files_left(user) > 0
    try:
        quota.charge_upload(user, job)
        collection_rows.choose_place(job, place)
    except quota.QuotaExceededError as error:
        raise OverPlanError(str(error), error.limit) from error
    except TooManyCollectionsError as error:
        raise UploadRefusedError(str(error)) from error
    if starts_at_once:
        job.run_at = utcnow()
    db.session.add(job)
    db.session.execute(
        update(Batch).where(Batch.id == job.batch_id).values(touched_at=utcnow(), settled_at=None)
    )


@contextmanager
def _spool_to_disk(stream: IO[bytes], name: str, plan: Plan) -> Iterator[tuple[Path, ReceivedFile]]:
    """Yield the path of the received file and what is known about it.

    A file that is already on our disk is only read. Any other stream is copied to a temporary file.
    """
    if isinstance(stream, spool.SpooledFile):
        received = examine(stream, name, plan)
        stream.flush()
        yield stream.path, received
        return
    with NamedTemporaryFile(dir=spool.spool_folder(), prefix="upload-") as file:
        with spool.disk_errors_told():
            received = examine(stream, name, plan, copy=file)
            file.flush()
        yield Path(file.name), received


def examine(stream: IO[bytes], name: str, plan: Plan, copy: IO[bytes] | None = None) -> ReceivedFile:
    """Read a stream once: measure and hash it, detect its format, and copy it if asked to."""
    digest, size, head = hashlib.sha256(), 0, b""
    stream.seek(0)
    while block := stream.read(BLOCK_BYTES):
        size += len(block)
        if size > plan.max_file_bytes:
            raise OverPlanError(too_large_message(name, plan), "size")
        head = head or block[:HEAD_BYTES]
        digest.update(block)
        if copy is not None:
            copy.write(block)
    whole = cast(BinaryIO, stream if copy is None else copy)
    return ReceivedFile(size, detect_format(name, head, whole), digest.hexdigest())


def detect_format(name: str, head: bytes, file: BinaryIO | None = None) -> AudioFormat:
    """Return the format that a file's first bytes show, or raise UploadRefusedError if it is not audio.

    With the whole `file`, a video is refused at once; without it, the decoder refuses it later.
    """
    if not head:
        raise UploadRefusedError(f"{name} is empty (0 bytes). Export it again and upload the new file.")
    found = sniff_format(head)
    is_video = found is M4A and file is not None and read_mp4_tracks(file, file.seek(0, 2)).has_video
    if found is None or is_video:
        looks = "a video" if is_video else describe_content(head)
        advice = ZIP_ADVICE if looks == ZIP_ARCHIVE else "WAV, AIFF, FLAC, MP3, M4A and OGG work."
        raise UploadRefusedError(f"{name} is not audio we can read (looks like {looks}). {advice}")
    return found


def too_large_message(name: str, plan: Plan) -> str:
    """Return the sentence that refuses a file above the plan's size limit."""
    limit = plan.max_file_bytes // plans.MB
    return (
        f"{name} is larger than {limit} MB, the largest file your plan allows. "
        "Upload a shorter or compressed version (FLAC halves a WAV), or upgrade your plan."
    )


def build_job(
    user_id: str, plan: Plan, received: ReceivedFile, name: str, batch_id: str, options: UploadOptions
) -> Job:
    """Return the job of a received file, not yet added to the database session."""
    return Job(
        id=options.job_id,
        purpose=UPLOAD,
        user_id=user_id,
        batch_id=batch_id,
        filename=name,
        format=received.format.name,
        size_bytes=received.size_bytes,
        content_sha256=received.sha256,
        incoming_key=f"incoming/{user_id}/{options.job_id}{received.format.extension}",
        tier=plan.tier,
        priority=purposes.priority_for(plan, UPLOAD_PURPOSE),
        run_at=scheduler.first_run_time(plan, UPLOAD_PURPOSE),
        export_sp404=options.export_sp404,
        ai_analysis=options.ai_analysis,
        # A worker of the previous version knows the wish only by a description that is there already.
        results={} if options.ai_analysis else {purposes.DESCRIPTION: {}},
    )


def _is_uuid(text: str | None) -> bool:
    try:
        return text is not None and str(UUID(text)) == text
    except ValueError:
        return False
