"""Analysing and describing again: first what it will cost, then a batch of jobs."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.ai import cost_estimate
from app.audio.version import ENGINE_VERSION
from app.extensions import limiter
from app.jobs import reprocess as jobs
from app.models.job import DESCRIBE
from app.reprocessing import reprocess_offer

blueprint = Blueprint("reprocessing", __name__, url_prefix="/again")

Page = str | Response


@blueprint.get("")
@blueprint.post("")
def offer() -> Page:
    """What would be done and what it costs. Nothing is changed; a long selection needs a POST."""
    purpose = _purpose()
    chosen = reprocess_offer.choose_samples(current_user, request.values, purpose)
    if not chosen.samples and not chosen.under_way:
        flash("Tick the samples first, or choose all that match.", "error")
        return redirect(url_for("library.index"), 303)
    is_described = purpose == DESCRIBE and bool(chosen.samples)
    cost = cost_estimate.estimate_cost(current_user, chosen.samples) if is_described else None
    return render_template(
        "reprocessing/offer.html",
        purpose=purpose,
        chosen=chosen,
        most=reprocess_offer.MAX_SAMPLES,
        engine=ENGINE_VERSION,
        cost=cost,
        fates=reprocess_offer.outcomes_without_model(current_user, chosen.samples, cost.answered)
        if cost and cost.unavailable_reason
        else None,
    )


@blueprint.post("/jobs")
@limiter.limit("120/hour")
def start() -> Page:
    purpose = _purpose()
    try:
        if not jobs.queue_jobs(
            current_user, request.form.getlist("sample")[: reprocess_offer.MAX_SAMPLES], purpose
        ):
            flash("There is nothing left to do: these samples are under way already, or deleted.", "error")
    except jobs.DailyLimitError as error:
        flash(str(error), "error")
        return redirect(url_for("library.index"), 303)
    tasks.wake_for_ready_jobs()
    return redirect(url_for("jobs.cards"), 303)


def _purpose() -> str:
    purpose = request.values.get("purpose", "")
    if purpose not in reprocess_offer.PURPOSES:
        abort(400)
    return purpose
