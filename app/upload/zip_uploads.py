"""Receive ZIPs of sounds: look into them, and queue the job that unpacks them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO
from uuid import uuid4

from app.billing import plans, quota
from app.billing.plan_room import format_dollars
from app.billing.plans import MB, Plan
from app.extensions import db
from app.jobs import purposes, reprocess, scheduler
from app.models import Batch, Job, User
from app.models.base import new_id, transaction
from app.models.display_names import file_name
from app.models.job import ZIP_ENDING
from app.plurals import pluralize
from app.sp404.errors import UnitFileError
from app.sp404.importing.sound_zip import ZipContents, read_sound_zip, refusal_of
from app.sp404.project.file_trees import ZIP_MAGICS
from app.upload import spool
from app.upload.intake import UploadRefusedError, check_quota_early, remove_stored, store_received
from app.upload.zip_purpose import SOUNDS, UNPACK, UNPACK_PURPOSE

ZIP_MIME = "application/zip"
MAX_WAITING_ZIPS = 8


class UnitProjectError(UploadRefusedError):
    """The ZIP is a project of the unit, which is imported on a page of its own."""


def is_zip(stream: IO[bytes], raw_name: str | None) -> bool:
    """Return whether a file that was sent is a ZIP by its name and its first bytes."""
    stream.seek(0)
    head = stream.read(len(ZIP_MAGICS[0]))
    stream.seek(0)
    return (raw_name or "").casefold().endswith(ZIP_ENDING) and head in ZIP_MAGICS


def receive(user: User, stream: IO[bytes], raw_name: str | None) -> Job:
    """Look into a ZIP that was sent, store it and return the job that unpacks it.

    While the same ZIP is being unpacked, its job is returned. The caller wakes a worker. Raises
    UploadRefusedError, UploadUnavailableError and DiskFullError.
    """
    user_id, plan, name = user.id, plans.plan_for_user(user), file_name(raw_name)
    check_quota_early(user, size_bytes=1)
    spool.require_free_disk()
    _require_place(user)
    db.session.commit()  # no database connection is held while reading and storing
    with spool.on_disk(stream) as path:
        if path.stat().st_size > plan.max_archive_bytes:
            limit = f"{plan.max_archive_bytes // MB:,} MB, the largest ZIP your plan allows"
            advice = "Make several smaller ZIPs, or upgrade your plan."
            raise UploadRefusedError(f"{name} is larger than {limit}. {advice}")
        job = _build_job(user_id, plan, name, path, len(look_into(path, name).sounds))
        key = str(job.incoming_key)
        store_received(key, path, ZIP_MIME, name)
    try:
        known = _insert(user_id, job)
    except BaseException:
        remove_stored(key)
        raise
    if known is not job:
        remove_stored(key)
    return known


def look_into(path: Path, name: str) -> ZipContents:
    """Return what is in a ZIP, or raise UploadRefusedError when nothing in it can be taken."""
    try:
        contents = read_sound_zip(path)
    except UnitFileError as error:
        raise UploadRefusedError(f"{name}: {error}") from error
    if contents.sounds:
        return contents
    if contents.projects:
        raise UnitProjectError(
            f"{name} is a project of the SP-404MKII. Projects are imported from the Kits page."
        )
    raise UploadRefusedError(f"{name}: {refusal_of(contents)}")


def quota_sentence(user: User, count: int, size_bytes: int) -> tuple[bool, str]:
    """Return whether the plan takes so many sounds at no cost, and a sentence to be read before."""
    now = quota.plan_usage(user)
    extra, price_cents = now.extra_uploads(count), now.plan.overage_price_cents or 0
    if (refused := now.refusal_of_several(count, size_bytes)) is not None:
        charged = min(extra, now.extra_uploads_left)
        extras = f"up to {pluralize(charged, 'extra upload')} for {format_dollars(charged * price_cents)}"
        taken = f"what fits is taken, with {extras}," if charged else "what fits is taken,"
        return False, f"{refused} Or send it now: {taken} and the rest is listed."
    each = "It counts" if count == 1 else "Each counts"
    told = f"{pluralize(count, 'sound')}. {each} as an upload; you have {now.uploads_left:,} left "
    told += now.plan.this_period
    if not extra:
        return True, f"{told}."
    others = "the other one costs" if extra == 1 else f"the other {extra:,} cost"
    return False, f"{told}, and {others} {format_dollars(extra * price_cents)}."


def _build_job(user_id: str, plan: Plan, name: str, path: Path, sounds: int) -> Job:
    job_id = new_id()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return Job(
        id=job_id,
        purpose=UNPACK,
        user_id=user_id,
        batch_id=str(uuid4()),
        filename=name,
        format="ZIP",
        size_bytes=path.stat().st_size,
        content_sha256=digest.hexdigest(),
        incoming_key=f"incoming/{user_id}/{job_id}{ZIP_ENDING}",
        tier=plan.tier,
        priority=purposes.priority_for(plan, UNPACK_PURPOSE),
        run_at=scheduler.first_run_time(plan, UNPACK_PURPOSE),
        export_sp404=False,
        choices={SOUNDS: sounds},
    )


def _insert(user_id: str, job: Job) -> Job:
    """Insert the job, or return the unfinished one for the same bytes."""
    with transaction() as session:
        if not quota.lock_account(user_id):
            raise UploadRefusedError("This account has been closed, so nothing can be added to it.")
        user = session.get_one(User, user_id)
        for other in reprocess.unfinished_jobs_for(user, UNPACK):
            if other.content_sha256 == job.content_sha256:
                return other
        _require_place(user)
        session.add(Batch(id=job.batch_id, user_id=user_id, expected=1))
        session.flush()
        session.add(job)
    return job


def _require_place(user: User) -> None:
    if len(reprocess.unfinished_jobs_for(user, UNPACK)) >= MAX_WAITING_ZIPS:
        raise UploadRefusedError(
            f"{MAX_WAITING_ZIPS} ZIPs are waiting to be unpacked. Send more when they are done."
        )
