"""A ZIP that a job makes of selected samples: offered, ordered, waited for, cancelled and tried again."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

import tasks
from app.billing import plans
from app.billing.plan_room import format_size
from app.cards import export_page
from app.extensions import db, limiter
from app.form_responses import see_other
from app.jobs import actions, reprocess
from app.library import bulk_download, bundle_job
from app.library.bulk_selection import MAX_SELECTED
from app.library.bundle_job import BUNDLE
from app.models import Job
from app.models.ownership import RowNotFoundError

blueprint = Blueprint("bundles", __name__, url_prefix="/selected/zips")
CANNOT_BE_RETRIED = "This ZIP can't be tried again. Select the samples again."


def offer_bundle(ids: Sequence[str], is_original: bool, size_bytes: int) -> str:
    """Return the page that says what a ZIP made by a job takes, with a button that orders it."""
    return render_template(
        "library/bundle.html",
        ids=ids,
        files="original" if is_original else "sp404",
        size=format_size(size_bytes),
        most_at_once=format_size(bulk_download.MAX_ZIP_BYTES),
        left=max(reprocess.left_today(current_user, BUNDLE), 0),
        plan=plans.plan_for_user(current_user),
    )


@blueprint.post("")
@limiter.limit("20/minute", key_func=lambda: f"account:{current_user.id}")
def order() -> Response:
    """Have a ZIP made of the samples that the form names."""
    ids = list(dict.fromkeys(request.form.getlist("sample")))[:MAX_SELECTED]
    try:
        job = bundle_job.order_bundle(current_user, ids, request.form.get("set-files") == "original")
    except (bulk_download.ZipTooLargeError, reprocess.DailyLimitError) as error:
        return see_other("library.index", str(error), "error")
    tasks.wake_for_job(job.tier)
    return redirect(_address(job), 303)


@blueprint.get("/<bundle_id>")
def progress(bundle_id: str) -> Response:
    """Show how far a ZIP is, and then the ZIP."""
    job = _own_bundle(bundle_id)
    back = url_for("library.index"), "Back to the library"
    return export_page.show_progress(
        job, "library/bundle_progress.html", noun="ZIP", own_url=_address(job), back=back
    )


@blueprint.post("/<bundle_id>/cancel")
def cancel(bundle_id: str) -> Response:
    """Cancel the job."""
    job = _own_bundle(bundle_id)
    actions.cancel(job.id)
    return redirect(_address(job), 303)


@blueprint.post("/<bundle_id>/retry")
def retry(bundle_id: str) -> Response:
    """Try a failed job again."""
    job = _own_bundle(bundle_id)
    if not actions.retry(job.id):
        abort(409, CANNOT_BE_RETRIED)
    tasks.wake_for_job(job.tier)
    return redirect(_address(job), 303)


def _own_bundle(bundle_id: str) -> Job:
    own = Job.id == bundle_id, Job.user_id == current_user.id, Job.purpose == BUNDLE
    job = db.session.scalar(select(Job).where(*own))
    if job is None:
        raise RowNotFoundError
    return job


def _address(job: Job) -> str:
    return url_for("bundles.progress", bundle_id=job.id)
