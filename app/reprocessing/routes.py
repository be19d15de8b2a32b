"""Describe or analyse samples again: first a page that says what it costs, then a batch of jobs."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.ai import cost_estimate
from app.audio.version import ENGINE_VERSION
from app.extensions import limiter
from app.jobs import reprocess as jobs
from app.reprocessing import reprocess_offer
from app.reprocessing.reprocess_purposes import DESCRIBE
from app.reprocessing.sample_age import PURPOSES

blueprint = Blueprint("reprocessing", __name__, url_prefix="/again")

Page = str | Response


@blueprint.get("")
@blueprint.post("")
def offer() -> Page:
    """Show what would be done and what it costs, and change nothing. POST is for long selections."""
    purpose = _purpose()
    chosen = reprocess_offer.choose_samples(current_user, request.values, purpose)
    if not chosen.samples and not chosen.under_way:
        flash("Select some samples first, or tick “select all”.", "error")
        return redirect(url_for("library.index"), 303)
    is_described = purpose == DESCRIBE and bool(chosen.samples)
    cost = cost_estimate.estimate_cost(current_user, chosen.samples) if is_described else None
    outcomes = None
    if cost and cost.unavailable_reason:
        outcomes = reprocess_offer.outcomes_without_model(current_user, chosen.samples, cost.answered)
    return render_template(
        "reprocessing/offer.html",
        purpose=purpose,
        chosen=chosen,
        max_samples=reprocess_offer.MAX_SAMPLES,
        engine=ENGINE_VERSION,
        cost=cost,
        outcomes=outcomes,
    )


@blueprint.post("/jobs")
@limiter.limit("120/hour")
def start() -> Page:
    """Queue a job for each sample that the offer page listed."""
    purpose = _purpose()
    sample_ids = request.form.getlist("sample")[: reprocess_offer.MAX_SAMPLES]
    try:
        if not jobs.queue_jobs(current_user, sample_ids, purpose):
            flash("Nothing to do: these samples are already in progress, or deleted.", "error")
    except jobs.DailyLimitError as error:
        flash(str(error), "error")
        return redirect(url_for("library.index"), 303)
    tasks.wake_for_ready_jobs()
    return redirect(url_for("jobs.cards"), 303)


def _purpose() -> str:
    """Return what to do again, or answer 400 for anything unknown."""
    purpose = request.values.get("purpose", "")
    if purpose not in PURPOSES:
        abort(400)
    return purpose
