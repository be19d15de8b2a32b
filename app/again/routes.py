"""Analysing and describing again: first what it will cost, then a batch of jobs."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.audio.version import ENGINE_VERSION
from app.billing import ai_estimate
from app.extensions import limiter
from app.jobs import again as jobs
from app.library import again
from app.models.job import DESCRIBE

blueprint = Blueprint("again", __name__, url_prefix="/again")

Page = str | Response


@blueprint.get("")
@blueprint.post("")
def offer() -> Page:
    """What would be done and what it costs. Nothing is changed; a long selection needs a POST."""
    purpose = _purpose()
    chosen = again.chosen(current_user, request.values, purpose)
    if not chosen.samples and not chosen.under_way:
        flash("Tick the samples first, or choose all that match.", "error")
        return redirect(url_for("library.index"), 303)
    is_described = purpose == DESCRIBE and bool(chosen.samples)
    cost = ai_estimate.of(current_user, chosen.samples) if is_described else None
    return render_template(
        "again/offer.html",
        purpose=purpose,
        chosen=chosen,
        most=again.MOST,
        engine=ENGINE_VERSION,
        cost=cost,
        fates=again.without_asking(current_user, chosen.samples, cost.answered)
        if cost and cost.silence
        else None,
    )


@blueprint.post("/jobs")
@limiter.limit("120/hour")
def start() -> Page:
    purpose = _purpose()
    try:
        if not jobs.queue(current_user, request.form.getlist("sample")[: again.MOST], purpose):
            flash("There is nothing left to do: these samples are under way already, or deleted.", "error")
    except jobs.TooOftenError as error:
        flash(str(error), "error")
        return redirect(url_for("library.index"), 303)
    tasks.wake_ready()
    return redirect(url_for("jobs.cards"), 303)


def _purpose() -> str:
    purpose = request.values.get("purpose", "")
    if purpose not in again.PURPOSES:
        abort(400)
    return purpose
