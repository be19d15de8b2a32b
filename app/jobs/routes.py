"""Serve the live job cards, which one poll keeps up to date, and the buttons on them."""

from __future__ import annotations

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.billing import quota
from app.extensions import settings
from app.integrations.storage import open_store
from app.jobs import actions, card_list, poll_views, preview
from app.models import Batch, Job
from app.models.ownership import owned_by
from app.negotiation import wants_fragment

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")

STOP_POLLING = 286
CANNOT_BE_RETRIED = (
    "This can't be tried again. Either it is already running, or its file is no longer kept. If it isn't "
    "running, upload the file again."
)


@blueprint.get("")
def cards() -> Response:
    """Render the jobs page; for htmx only the cards, or 204 when nothing changed. 286 stops its polling."""
    if not wants_fragment():
        board, standing = card_list.load_cards(current_user.id), quota.plan_usage(current_user)
        return make_response(render_template("jobs/index.html", board=board, standing=standing))
    version = request.args.get("version", "")
    shown = version if "X-Keeps-Cards" in request.headers else ""
    now = card_list.load_cards(current_user.id, shown)
    poll_views.remember_cards(current_user.id, now)
    if version == now.version and now.interval_s is not None:
        return Response(status=204)
    response = _render_fragment(now)
    response.status_code = 200 if now.interval_s is not None else STOP_POLLING
    return response


@blueprint.post("/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    """Cancel a job: at once when it waits; a worker that runs it stops within moments."""
    actions.cancel(owned_by(current_user, Job, job_id).id)
    return _answer_with_cards()


@blueprint.post("/batches/<batch_id>/cancel")
def cancel_batch(batch_id: str) -> Response:
    """Cancel what is unfinished of files that were dropped together."""
    actions.cancel_batch(owned_by(current_user, Batch, batch_id).id)
    return _answer_with_cards()


@blueprint.post("/<job_id>/retry")
def retry(job_id: str) -> Response:
    """Retry a failed job without another upload, as long as its file is kept."""
    job = owned_by(current_user, Job, job_id)
    if not actions.retry(job.id):
        abort(409, CANNOT_BE_RETRIED)
    tasks.wake_for_job(job.tier)
    return _answer_with_cards()


@blueprint.errorhandler(quota.QuotaExceededError)
def no_room(error: quota.QuotaExceededError) -> Response:
    if wants_fragment():
        return make_response(render_template("errors/_alert.html", sentence=str(error)), 409)
    flash(str(error), "error")
    return redirect(url_for("jobs.cards"), 303)


@blueprint.get("/<job_id>/audio")
def audio(job_id: str) -> Response:
    """Redirect to the decoded sound, or until there is one, to the uploaded file."""
    found = preview.find_playable(owned_by(current_user, Job, job_id))
    if found is None:
        abort(404)
    return redirect(open_store(settings()).url(found.key, content_type=found.mime))


def _answer_with_cards() -> Response:
    if wants_fragment():
        return _render_fragment(card_list.load_cards(current_user.id))
    return redirect(url_for("jobs.cards"), 303)


def _render_fragment(now: card_list.CardList) -> Response:
    standing = None if now.is_summary_shown else quota.plan_usage(current_user)
    return make_response(render_template("jobs/_cards.html", board=now, standing=standing, out_of_band=True))
