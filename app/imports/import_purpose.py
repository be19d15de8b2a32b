"""The purpose of jobs that import a project: what they make in the end, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from sqlalchemy import select

from app.audio.errors import UnreadableAudio
from app.audio.result import Measurement
from app.billing import several_uploads
from app.billing.quota import QuotaExceededError
from app.extensions import db
from app.imports.import_job import BROUGHT, bring_back, gather_brought, with_samples
from app.imports.new_sounds import SoundMeasuring, library_file
from app.imports.project_uploads import KIT_IMPORT
from app.jobs import transitions
from app.jobs.purposes import Purpose, Results, Stage, Step, StepInput, Wording
from app.kits import documents, kit_list
from app.kits.history import KitTooLargeError
from app.kits.kit_bases import base_key
from app.kits.kit_list import TooManyKitsError
from app.models import Job, KitBase, Sample, User
from app.models.job import ANALYSED, DECODED, OUTCOME, READY
from app.notify.batch_mail import BatchWording
from app.notify.external_urls import external_url
from app.sp404.kit_document import read_kit
from app.upload.upload_purpose import build_sample

MAIL_AFTER_S = 60.0
NOTHING_ADDED = "Nothing was added to your library."


def _bring(work: StepInput) -> dict[str, Any]:
    def report(found: Mapping[str, Any]) -> None:
        work.report(DECODED, found)

    return bring_back(work, SoundMeasuring(work, report))


def finish_import(job: Job, results: Results) -> None:
    """Make the samples and the kit, charge for them, and note what was left out; all of it or nothing."""
    brought = results[BROUGHT]
    user = db.session.get_one(User, job.user_id)
    added = _added_meanwhile(user.id, brought["new"])
    new = [one for one in brought["new"] if one["id"] not in added]
    try:
        several_uploads.charge(
            user, job, len(new), sum(one["size_bytes"] for one in new) + brought["base_bytes"]
        )
        db.session.add_all([_new_sample(user.id, one) for one in new])
        db.session.flush()
        document = with_samples(read_kit(brought["kit"]), added)
        kit = kit_list.insert_kit(user.id, documents.state_of_document(user, document))
    except (QuotaExceededError, TooManyKitsError, KitTooLargeError) as error:
        raise UnreadableAudio(str(error)) from error
    if brought["base_bytes"]:
        key = base_key(user.id, job.id)
        db.session.add(
            KitBase(kit_id=kit.id, user_id=user.id, store_key=key, size_bytes=brought["base_bytes"])
        )
    outcome = {
        "kit_id": kit.id,
        "new": len(new),
        "known": brought["known"] + len(added),
        "problems": brought["problems"],
    }
    job.choices = {**(job.choices or {}), OUTCOME: outcome}


def _added_meanwhile(user_id: str, new: list[dict[str, Any]]) -> dict[str, str]:
    """Return the samples of sounds that another job has added meanwhile, by the ids they would have got."""
    same = select(Sample.content_sha256, Sample.id).where(
        Sample.user_id == user_id,
        Sample.deleted_at.is_(None),
        Sample.content_sha256.in_([one["sha256"] for one in new]),
    )
    ids = {row[0]: row[1] for row in db.session.execute(same)}
    return {one["id"]: ids[one["sha256"]] for one in new if one["sha256"] in ids}


def _new_sample(user_id: str, plain: Mapping[str, Any]) -> Sample:
    file = library_file(user_id, plain["id"], plain["filename"], plain["extension"])
    file.format, file.size_bytes, file.content_sha256 = plain["format"], plain["size_bytes"], plain["sha256"]
    return build_sample(file, Measurement.from_dict(plain["measurement"]), plain["described"])


KIT_IMPORT_PURPOSE = Purpose(
    name=KIT_IMPORT,
    steps=(
        Step(
            stages=(
                Stage(DECODED, "Reading the project."),
                Stage(ANALYSED, "Finding tempo, key and sound type of its sounds."),
            ),
            result_key=BROUGHT,
            run=_bring,
        ),
    ),
    gather=gather_brought,
    finish=finish_import,
    wording=Wording(
        waiting="Import requested",
        completed="Imported",
        unsuccessful="Import requested",
        cancelled=f"Cancelled. {NOTHING_ADDED}",
        plural="projects",
        file_refused=NOTHING_ADDED,
        tries_used_up=f"{NOTHING_ADDED} You can try again for {transitions.FILE_KEPT_FOR.days} days.",
        file_unavailable=f"{NOTHING_ADDED} Send the project again.",
        mail=BatchWording(
            "project",
            "imported",
            "imported",
            min_wait_s=MAIL_AFTER_S,
            made="project",
            address=lambda job: external_url("imports.done", import_id=job.id),
        ),
    ),
    stores_ahead=True,
    result_label="See what was imported",
    result_address=lambda job: url_for("imports.done", import_id=job.id),
    last_stage=Stage(READY, "Making the kit."),
)
