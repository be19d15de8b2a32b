"""Selected samples as one ZIP that is too large to be sent at once: a job makes it, and it is kept a week."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from flask import url_for

from app.audio.errors import UnreadableAudio
from app.billing import quota
from app.billing.plans import GB
from app.cards import export_orders
from app.cards.card_purpose import CARD_LIMIT, MAIL_AFTER_S
from app.download_names import ZIP_TYPE
from app.extensions import db, settings
from app.integrations.storage import StorageError, open_store
from app.jobs.lease import LeaseLostError
from app.jobs.purposes import PROGRESS, Purpose, Results, Stage, Step, StepInput, Wording
from app.library import bulk_download
from app.library.bulk_download import ZipMember, ZipTooLargeError
from app.models import CardExport, Job, User
from app.models.base import transaction
from app.models.job import READY, SHAPED
from app.models.ownership import RowNotFoundError
from app.notify.batch_mail import BatchWording
from app.notify.external_urls import external_url

BUNDLE = "bundle"
MAX_BUNDLE_BYTES = 4 * GB  # a file on a memory card may have 4 GiB
MIN_FREE_SHARE = 0.05  # of the disk, which no ZIP may use
SAMPLES, FILES = "samples", "files"  # what was chosen
GONE = "None of these samples is in your library any more."
UNCHANGED = "Your library has not changed."
SAID_EVERY = 10  # files


def order_bundle(user: User, ids: Sequence[str], is_original: bool) -> Job:
    """Return the job that makes a ZIP of a user's samples: an unfinished one for the same, or a new one.

    The caller wakes a worker. Raises ZipTooLargeError, DailyLimitError, and RowNotFoundError if the user has
    none of them.
    """
    members = bulk_download.list_members(user, ids, is_original, MAX_BUNDLE_BYTES)
    if not members:
        raise RowNotFoundError
    choices = {SAMPLES: [*ids], FILES: "original" if is_original else "sp404"}
    with transaction():
        if not quota.lock_account(user.id):
            raise RowNotFoundError
        return export_orders.insert_job(user, BUNDLE_PURPOSE, bulk_download.zip_name(is_original), choices)


def make_bundle(work: StepInput) -> dict[str, Any]:
    """Write the ZIP and store it. Raises UnreadableAudio with a sentence, StorageError, LeaseLostError."""
    claim, archive = work.claim, work.folder / "bundle.zip"
    user, is_original = db.session.get_one(User, claim.user_id), claim.choices[FILES] == "original"
    try:
        members = bulk_download.list_members(user, claim.choices[SAMPLES], is_original, MAX_BUNDLE_BYTES)
    except ZipTooLargeError as error:
        raise UnreadableAudio(str(error)) from error
    if not members:
        raise UnreadableAudio(GONE)
    check_disk(members)
    _write_archive(work, members)
    open_store(settings()).put(claim.made_key, archive, ZIP_TYPE)
    return {"size_bytes": archive.stat().st_size, "files": sum(1 for member in members if member.key)}


def finish_bundle(job: Job, results: Results) -> None:
    """Keep the ZIP as cards are kept, and count the exports."""
    made = results[BUNDLE]
    db.session.add(
        CardExport(
            id=job.id,
            user_id=job.user_id,
            kit_id=None,
            kit_name=job.title,
            targets=[BUNDLE],
            findings=[],
            store_key=job.made_key,
            size_bytes=made["size_bytes"],
        )
    )
    quota.record_exports(job.user_id, [f"{job.id}:{number}" for number in range(made["files"])])


def check_disk(members: Sequence[ZipMember]) -> None:
    """Raise StorageError when the disk has no room for a ZIP of these files, which it holds twice at most."""
    disk, needed = shutil.disk_usage(settings().data_dir), sum(member.size_bytes for member in members)
    if disk.free - 2 * needed < disk.total * MIN_FREE_SHARE:
        raise StorageError("the disk of DATA_DIR has no room for the ZIP")


def _write_archive(work: StepInput, members: Sequence[ZipMember]) -> None:
    def said(number: int) -> None:
        if number % SAID_EVERY == 0:
            work.report(SHAPED, {PROGRESS: f"File {number:,} of {len(members):,}."})

    with (work.folder / "bundle.zip").open("wb") as out:
        for piece in bulk_download.zip_pieces(members, said):
            if not work.is_held():
                raise LeaseLostError(work.claim.log_name)
            out.write(piece)


BUNDLE_PURPOSE = Purpose(
    name=BUNDLE,
    steps=(
        Step(stages=(Stage(SHAPED, "Putting the files into one ZIP."),), result_key=BUNDLE, run=make_bundle),
    ),
    finish=finish_bundle,
    wording=Wording(
        waiting="ZIP requested",
        completed="ZIP made",
        unsuccessful="ZIP requested",
        cancelled=f"Cancelled. {UNCHANGED}",
        plural="ZIPs",
        file_refused=UNCHANGED,
        tries_used_up=f"{UNCHANGED} Try again, now or later.",
        file_unavailable=UNCHANGED,
        mail=BatchWording(
            "ZIP",
            "ready",
            "made",
            min_wait_s=MAIL_AFTER_S,
            made="ZIP",
            address=lambda job: external_url("cards.made", export_id=job.id),
        ),
    ),
    result_label="Download ZIP",
    result_address=lambda job: url_for("cards.made", export_id=job.id),
    daily_limit=CARD_LIMIT,
    last_stage=Stage(READY, "Keeping the ZIP."),
)
