"""The upload page, and the requests its script sends: files, links to the object store, duplicates."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, jsonify, render_template, request, url_for
from flask_login import current_user
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

import tasks
from app.auth import api_tokens
from app.billing import plans, quota
from app.extensions import limiter
from app.form_responses import parse_whole_number, see_other
from app.jobs import card_list
from app.models import Job, User
from app.models.api_token import SAMPLES_WRITE
from app.models.ownership import RowNotFoundError, owned_by
from app.models.sample_places import NO_PLACE, SamplePlace
from app.negotiation import wants_json
from app.plurals import pluralize
from app.upload import demo_jobs, direct_uploads, early_checks, intake, zip_uploads
from app.upload.forms import LinkForm, UploadPageForm
from app.upload.spool import DiskFullError
from app.upload.zip_purpose import UNPACK

blueprint = Blueprint("upload", __name__, url_prefix="/upload")

MAX_FORM_FILES = 10
MAX_MESSAGES = 5
ARCHIVE_PATHS = ("/kits/import", "/upload/zip")  # of the page and of the API


@blueprint.url_value_preprocessor
def check_before_reading(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Refuse an upload by its headers if they suffice; otherwise allow a body as large as the plan allows.

    This runs before anything reads the body. For all other requests the limit is MAX_FORM_BYTES.
    """
    if endpoint not in ("upload.create", "upload.take_zip"):
        return
    if not current_user.is_authenticated:
        if early_checks.is_unreceived():  # without the form's token nobody comes as far as the sign-in check
            abort(see_other("auth.sign_in", "Sign in to continue."))
        return
    if endpoint == "upload.take_zip":
        early_checks.check_quota(current_user, 1)  # what fits of a ZIP is taken
        early_checks.reserve_archive_room(current_user)
    else:
        _check_files()
    early_checks.require_form_token()


def _check_files() -> None:
    early_checks.check_quota(current_user, request.content_length)
    plan = plans.plan_for_user(current_user)
    largest = early_checks.largest_body(plan, 1)
    if wants_json() and (request.content_length or 0) > largest:
        raise intake.OverPlanError(intake.too_large_message("The file", plan), "size")
    early_checks.reserve_room(largest if wants_json() else early_checks.largest_body(plan, MAX_FORM_FILES))


@blueprint.get("")
def index() -> str:
    return render_template(
        "upload/index.html",
        form=UploadPageForm(),
        standing=quota.plan_usage(current_user),
        board=card_list.load_cards(current_user.id),
    )


@blueprint.post("")
def create() -> Response | tuple[Response, int]:
    form = UploadPageForm()
    files = [file for file in request.files.getlist("audio") if file.filename]
    if wants_json():
        return _upload_by_script(form, files)
    if not files:
        return see_other("upload.index", "Choose at least one audio file first.", "error")
    _accept_files(files, form.place)
    return see_other("jobs.cards")


@blueprint.post("/links")
@limiter.limit("5000/hour")
def make_link() -> Response | tuple[Response, int]:
    """Return a link that sends one file straight to the object store."""
    form = LinkForm()
    if not form.validate():
        return jsonify(error="Send the file's name and its size in bytes."), 422
    name, size_bytes = form.filename.data, form.size_bytes.data or 0
    options = intake.UploadOptions(place=form.place)
    link = direct_uploads.create_link(current_user, name, size_bytes, _open_batch(form), options)
    job_url = url_for("upload.complete", upload_id=link.upload_id)
    return jsonify(url=link.url, method="PUT", headers=link.headers, job_url=job_url), 201


@blueprint.post("/links/<upload_id>/job")
def complete(upload_id: str) -> tuple[Response, int]:
    """Check the file that arrived in the object store and create its job."""
    job = direct_uploads.complete_upload(current_user, upload_id)
    tasks.wake_for_job(job.tier)
    return jsonify(job_id=job.id), 201


@blueprint.post("/zip")
@limiter.limit("100/hour", key_func=lambda: f"account:{current_user.id}")
def take_zip() -> tuple[Response, int]:
    """Take a ZIP of sounds by a script, and queue the job that unpacks it."""
    files = [file for file in request.files.getlist("zip") if file.filename]
    if len(files) != 1:
        return jsonify(error="Send one ZIP per request."), 422
    return jsonify(job_id=_receive_zip(files[0]).id), 201


@blueprint.get("/room")
@limiter.limit("1000/hour")
def room() -> Response:
    """Tell the page's script, before it sends so many sounds, what they take of the plan."""
    count, size_bytes = (parse_whole_number(request.args.get(name, "")) or 0 for name in ("files", "bytes"))
    fits, sentence = zip_uploads.quota_sentence(current_user, count, size_bytes)
    return jsonify(fits=fits, sentence=sentence)


@blueprint.get("/zips/<zip_id>")
def unpacked(zip_id: str) -> str:
    """Show what was in a ZIP, and what was left out."""
    job = owned_by(current_user, Job, zip_id, Job.purpose == UNPACK)
    if job.outcome is None:
        raise RowNotFoundError(Job.__name__)
    return render_template("upload/unpacked.html", job=job, outcome=job.outcome)


@blueprint.get("/known/<sha256>")
def known(sha256: str) -> Response:
    """Tell the page's script whether the library already has these bytes, before it sends them."""
    sample = intake.find_duplicate(current_user, sha256)
    if sample is None:
        return jsonify(known=False)
    return jsonify(known=True, name=sample.name, url=url_for("library.detail", sample_id=sample.id))


@blueprint.post("/skipped")
@limiter.limit("5000/hour")
def skipped() -> Response:
    """Count a file that the browser did not send after all, so that the batch's mail does not wait for it."""
    form = UploadPageForm()
    intake.count_refusal(_open_batch(form))
    return Response(status=204)


@blueprint.get("/permission")
def permission() -> Response:
    """Tell the proxy in front, by a request's headers, whether to receive its body.

    The proxy sends the address and the length of the request. After a 403 it passes the request on without
    receiving the body, so that the route itself answers with the reason.
    """
    user, files = _sender()
    declared = request.headers.get("X-Upload-Length", type=int)
    is_archive = request.headers.get("X-Upload-Path", "").endswith(ARCHIVE_PATHS)
    allowed = user is not None and early_checks.may_send(user, declared, files, is_archive)
    return Response(status=204 if allowed else 403)


@blueprint.post("/demo-sounds")
@limiter.limit("20/hour")
def try_demo_sounds() -> Response:
    """Add a few generated sounds, for people who have no file at hand. They cost nothing and come once."""
    try:
        jobs = demo_jobs.add_demo_sounds(current_user)
    except (intake.UploadUnavailableError, DiskFullError) as trouble:
        return see_other("upload.index", str(trouble), "error")
    if not jobs:
        return see_other("library.index", "The demo sounds are in your library already, or about to be.")
    for job in jobs:
        tasks.wake_for_job(job.tier)
    return see_other("jobs.cards")


@blueprint.errorhandler(intake.UploadRefusedError)
def refused(refusal: Exception) -> Response | tuple[Response, int]:
    limit = refusal.limit if isinstance(refusal, intake.OverPlanError) else None
    if request.endpoint == "upload.create" and not wants_json():
        return see_other("upload.index", str(refusal), "over plan" if limit else "error")
    if isinstance(refusal, zip_uploads.UnitProjectError):
        page = {"url": url_for("imports.choose_file"), "label": "Import a project"}
        return jsonify(error=str(refusal), **page), 422
    return jsonify(error=str(refusal), over_plan=limit), 422


@blueprint.errorhandler(intake.UploadUnavailableError)
def later(trouble: Exception) -> tuple[Response, int]:
    return jsonify(error=str(trouble)), 503


@blueprint.errorhandler(direct_uploads.NotArrivedError)
def not_yet(problem: Exception) -> tuple[Response, int]:
    return jsonify(error=str(problem)), 409


@blueprint.errorhandler(direct_uploads.NoBucketError)
def not_offered(_: Exception) -> tuple[Response, int]:
    return jsonify(
        error="Direct uploads are off here, as there is no object store. Send files to /upload."
    ), 404


def _sender() -> tuple[User | None, int]:
    """Return who wants to send a body, and how many files it may hold."""
    if request.headers.get("X-Upload-Path", "").startswith("/api/"):
        token = api_tokens.request_token()
        return (token.user if token is not None and token.allows(SAMPLES_WRITE) else None), 1
    return (current_user if current_user.is_authenticated else None), 1 if wants_json() else MAX_FORM_FILES


def _accept_files(files: list[FileStorage], place: SamplePlace = NO_PLACE) -> None:
    """Accept every file that can be accepted and show why the others were refused, up to MAX_MESSAGES."""
    zips = [file for file in files if zip_uploads.is_zip(file.stream, file.filename)]
    batch_id = intake.open_batch(current_user, None, len(files) - len(zips))
    refusals, over_plan = [], []
    for file in files:
        try:
            if file in zips:
                _receive_zip(file)
            else:
                _accept_file(file, batch_id, place)
        except intake.OverPlanError as refusal:
            over_plan.append(str(refusal))
        except (intake.UploadRefusedError, intake.UploadUnavailableError, DiskFullError) as refusal:
            refusals.append(str(refusal))
    if over_plan:
        reasons = " ".join(dict.fromkeys(over_plan))
        flash(f"{pluralize(len(over_plan), 'file')} not uploaded. {reasons}", "over plan")
    for sentence in refusals[:MAX_MESSAGES]:
        flash(sentence, "error")
    if len(refusals) > MAX_MESSAGES:
        more = pluralize(len(refusals) - MAX_MESSAGES, "more file", "more files")
        flash(f"And {more} could not be uploaded.", "error")


def _upload_by_script(form: UploadPageForm, files: list[FileStorage]) -> tuple[Response, int]:
    """Accept the one file of a script's request, so that each has its own progress bar and its own answer."""
    if len(files) != 1:
        return jsonify(error="Send one file per request."), 422
    return jsonify(job_id=_accept_file(files[0], _open_batch(form), form.place).id), 201


def _accept_file(file: FileStorage, batch_id: str, place: SamplePlace) -> Job:
    options = intake.UploadOptions(place=place)
    job = intake.accept_upload(current_user, file.stream, file.filename, batch_id, options)
    tasks.wake_for_job(job.tier)
    return job


def _receive_zip(file: FileStorage) -> Job:
    job = zip_uploads.receive(current_user, file.stream, file.filename)
    tasks.wake_for_job(job.tier)
    return job


def _open_batch(form: UploadPageForm) -> str:
    return intake.open_batch(current_user, form.batch.data, form.batch_files.data or 1)
