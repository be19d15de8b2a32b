"""The pages that import a project of the unit: send it, choose what, see what came of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.billing import plans, quota, several_uploads
from app.extensions import db, limiter
from app.form_responses import see_other
from app.imports import import_orders, project_uploads
from app.models import Job, Kit, ProjectUpload
from app.models.ownership import RowNotFoundError, owned_by
from app.negotiation import wants_json
from app.sp404.errors import UnitFileError
from app.upload import early_checks
from app.upload.intake import UploadUnavailableError
from app.upload.spool import DiskFullError

blueprint = Blueprint("imports", __name__, url_prefix="/kits/import")

NO_FILE = "Choose the ZIP of a project, or its folder, first."
SendAnswer = Response | tuple[Response, int] | tuple[str, int]


@blueprint.url_value_preprocessor
def check_before_reading(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Allow a body as large as a file with projects may be, and reserve the room for it."""
    if endpoint != "imports.send":
        return
    if not current_user.is_authenticated:
        if early_checks.is_unreceived():
            abort(see_other("auth.sign_in", "Sign in to continue."))
        return
    early_checks.reserve_archive_room(current_user)
    early_checks.require_form_token()


@blueprint.get("")
def choose_file() -> str:
    """Show what can be sent."""
    return _send_page()


@blueprint.post("")
@limiter.limit("30/hour", key_func=lambda: f"account:{current_user.id}")
def send() -> SendAnswer:
    """Take a file with projects, and show what is in it."""
    files = [file for file in request.files.getlist("project") if file.filename]
    if len(files) != 1:
        return _refuse(NO_FILE)
    try:
        upload = project_uploads.receive(current_user, files[0].stream, files[0].filename)
    except (UnitFileError, UploadUnavailableError, DiskFullError) as error:
        return _refuse(str(error))
    address = url_for("imports.choose", project_id=upload.id)
    return (jsonify(url=address), 201) if wants_json() else redirect(address, 303)


@blueprint.get("/<project_id>")
def choose(project_id: str) -> str:
    """Show what is in a file, and what importing it will cost."""
    return _choose_page(owned_by(current_user, ProjectUpload, project_id))


@blueprint.post("/<project_id>")
@limiter.limit("60/hour", key_func=lambda: f"account:{current_user.id}")
def order(project_id: str) -> Response | tuple[str, int]:
    """Import the chosen projects."""
    upload = owned_by(current_user, ProjectUpload, project_id)
    try:
        jobs = import_orders.order_imports(current_user, upload, request.form.getlist("chosen"))
    except UnitFileError as error:
        return _choose_page(upload, str(error)), 422
    for job in jobs:
        tasks.wake_for_job(job.tier)
    flash("Importing. When a project is done, its job here links to the kit.")
    return redirect(url_for("jobs.cards"), 303)


@blueprint.get("/done/<import_id>")
def done(import_id: str) -> str:
    """Show what a finished job imported, and what was left out."""
    job = owned_by(current_user, Job, import_id)
    if job.outcome is None or "kit_id" not in job.outcome:
        raise RowNotFoundError(Job.__name__)
    kit = db.session.get(Kit, job.outcome["kit_id"])
    is_there = kit is not None and kit.deleted_at is None
    return render_template("imports/done.html", job=job, outcome=job.outcome, kit=kit if is_there else None)


def _send_page(sentence: str = "") -> str:
    limit = plans.plan_for_user(current_user).max_archive_bytes
    return render_template(
        "imports/send.html", sentence=sentence, limit=limit, standing=quota.plan_usage(current_user)
    )


def _choose_page(upload: ProjectUpload, sentence: str = "") -> str:
    found = project_uploads.found_kits(upload)
    usable = [one for one in found if one.is_readable]
    refusal = several_uploads.refusal(
        current_user, sum(one.sounds for one in usable), sum(one.size_bytes for one in usable)
    )
    return render_template(
        "imports/choose.html",
        upload=upload,
        found=found,
        usable=usable,
        sentence=sentence,
        refusal=refusal,
        standing=quota.plan_usage(current_user),
    )


def _refuse(sentence: str) -> SendAnswer:
    if wants_json():
        return jsonify(error=sentence), 422
    return _send_page(sentence), 422
