"""Views of the JSON API about uploads, jobs and usage; those about samples are in `sample_views`."""

from __future__ import annotations

from flask import Response, jsonify, request
from werkzeug.datastructures import FileStorage

import tasks
from app.account import data_export
from app.api import (
    kit_fill_views,  # noqa: F401  # importing it registers its views
    kit_views,  # noqa: F401  # importing it registers its views
    openapi,
    operations,
    problems,
    render_views,  # noqa: F401  # importing it registers its views
    sample_views,  # noqa: F401  # importing it registers its views
    schemas,
)
from app.api.serving import Answer, blueprint, serves, upload_answer
from app.billing import quota
from app.extensions import db, settings
from app.jobs import actions, progress
from app.models import CardExport, Job, Render, User
from app.models.job import CANCELLED, COMPLETED
from app.models.ownership import owned_by
from app.notify.external_urls import external_url
from app.shaping import renders
from app.upload import direct_uploads, idempotency, intake
from app.upload.intake import UploadOptions

__all__ = ["blueprint"]


@blueprint.get("/openapi.json")
def document() -> Response:
    return jsonify(openapi.document(settings().base_url))


@serves(operations.UPLOAD)
def upload(user: User, form: schemas.UploadForm, headers: schemas.UploadHeaders) -> Answer:
    files = request.files.getlist("audio")
    if len(files) != 1 or len(request.files) != 1:
        return problems.problem_response(422, "Send one file in the field `audio`.")
    if headers.idempotency_key is None:
        return _accept_upload(user, files[0], _upload_options(form))
    return _upload_once(user, files[0], form, headers.idempotency_key)


@serves(operations.START_UPLOAD)
def start_upload(user: User, body: schemas.LinkRequest) -> Answer:
    batch_id = intake.open_batch(user, None, 1)
    link = direct_uploads.create_link(user, body.filename, body.size_bytes, batch_id, _upload_options(body))
    return schemas.LinkAnswer(
        upload_id=link.upload_id,
        url=link.url,
        method="PUT",
        headers=link.headers,
        expires_at=link.expires_at,
    )


@serves(operations.COMPLETE_UPLOAD)
def complete_upload(user: User, upload_id: str) -> Answer:
    job = direct_uploads.complete_upload(user, upload_id)
    tasks.wake_for_job(job.tier)
    return upload_answer(job)


@serves(operations.SHOW_JOB)
def show_job(user: User, job_id: str) -> Answer:
    return _job_answer(owned_by(user, Job, job_id))


@serves(operations.CANCEL_JOB)
def cancel_job(user: User, job_id: str) -> Answer:
    job = owned_by(user, Job, job_id)
    actions.cancel(job.id)
    db.session.refresh(job)
    if job.state != CANCELLED:
        return problems.problem_response(409, f"The job is {job.state} and can't be cancelled any more.")
    return _job_answer(job)


@serves(operations.SHOW_USAGE)
def show_usage(user: User) -> Answer:
    return schemas.UsageAnswer.from_usage(quota.plan_usage(user), data_export.kept_bytes(user))


def _upload_once(user: User, file: FileStorage, form: schemas.UploadForm, key: str) -> schemas.UploadAnswer:
    """Accept a file once for this Idempotency-Key: a repeated request gets the first one's answer.

    A request that was cut off after it made its job finds that job; one that fails releases the key.
    """
    unsent = {name for name in ("collection", "folder") if not getattr(form, name)}  # as before these fields
    options_sent = form.model_dump_json(exclude=unsent)
    fingerprint = idempotency.request_fingerprint(file.stream, file.filename, options_sent)
    request_row = idempotency.begin_request(user, key, fingerprint)
    if request_row.answer is not None:
        return schemas.UploadAnswer.model_validate(request_row.answer)
    row_id, job = request_row.id, idempotency.find_job(request_row)
    options = _upload_options(form, job_id=request_row.job_id)
    try:
        answer = upload_answer(job) if job is not None else _accept_upload(user, file, options)
    except BaseException:
        idempotency.release_key(row_id)
        raise
    idempotency.save_answer(row_id, answer.model_dump(mode="json"))
    return answer


def _upload_options(form: schemas.UploadForm, **values: str) -> UploadOptions:
    return UploadOptions(form.export_sp404, form.ai_analysis, place=form.place, **values)


def _accept_upload(user: User, file: FileStorage, options: UploadOptions) -> schemas.UploadAnswer:
    """Store the file, queue its job and wake a worker."""
    batch_id = intake.open_batch(user, None, 1)
    job = intake.accept_upload(user, file.stream, file.filename, batch_id, options)
    tasks.wake_for_job(job.tier)
    return upload_answer(job)


def _job_answer(job: Job) -> schemas.JobAnswer:
    url = external_url("api.download_sample", sample_id=job.sample_id or "", format="sp404")
    made = _find_made(job) if job.state == COMPLETED and job.choices else None
    return schemas.JobAnswer.from_job(job, progress.estimate_finish(job), url, made)


def _find_made(job: Job) -> Render | CardExport | None:
    """Return what a job made and what is still kept of it."""
    return db.session.get(CardExport, job.id) or renders.find_render_of(job)
