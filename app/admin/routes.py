"""What an operator sees of the queue, and does to it. Everybody else finds nothing here."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.admin import as_json, audit, costs, figures, graphs, job_actions, job_search, spreadsheet
from app.admin.job_search import Query
from app.ai import budget
from app.billing import events, invoices, overage
from app.billing.plans import TIERS
from app.billing.quota import QuotaExceededError
from app.jobs import workers
from app.models.worker import MODES
from app.negotiation import wants_fragment, wants_json
from app.notify import outbox

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

Page = str | Response
MOST_LISTED = 100


@blueprint.before_request
def for_operators_only() -> None:
    """The same answer as for an address that does not exist."""
    if current_user.is_authenticated and not current_user.is_admin:
        abort(404)


@blueprint.errorhandler(QuotaExceededError)
def no_room(error: QuotaExceededError) -> Response:
    flash(f"Not tried again: the owner's plan has no room. {error}", "error")
    return _back()


@blueprint.get("/queues")
def queues() -> Page:
    """Cards, workers, graphs and one tab of jobs; htmx gets what changes by itself."""
    if wants_fragment():
        return render_template("admin/_now.html", **_now())
    query = Query.from_args(request.args)
    found = job_search.find(query, request.args.get("after", ""))
    drawn = graphs.all_graphs()
    if wants_json():
        return jsonify(as_json.queues(figures.cards(), figures.worker_lines(), found, drawn))
    counts = {tab: job_search.count(tab) for tab in job_search.TABS}
    return render_template(
        "admin/queues.html",
        query=query,
        results=found,
        counts=counts,
        counted=job_search.COUNTED,
        tiers=TIERS,
        actions=job_actions.FOR_TAB.get(query.tab, ()),
        graphs=drawn,
        **_now(),
    )


@blueprint.post("/queues/bulk")
def bulk() -> Response:
    """One action on every job that matches the filters, as many as one request may take."""
    query = Query.from_args(request.form)
    action = request.form.get("action", "")
    if action not in job_actions.FOR_TAB.get(query.tab, ()):
        abort(400)
    audit.record(current_user, f"{action} all", query.tab, **query.to_args())
    done, left = job_actions.on_all(action, query)
    tasks.wake_ready()
    flash(f"{job_actions.DONE[action]} {done:,} jobs." + (" There are more: do it again." if left else ""))
    return redirect(url_for("admin.queues", **query.to_args()), 303)


@blueprint.post("/workers/<worker_id>/mode")
def steer_worker(worker_id: str) -> Response:
    """Pause: it claims nothing. Drain: the same, and it is to be stopped when it has finished. Or resume."""
    mode = request.form.get("mode", "")
    if mode not in MODES:
        abort(400)
    audit.record(current_user, mode, worker_id)
    if not workers.set_mode(worker_id, mode):
        abort(404)
    tasks.wake_ready()
    return _back()


@blueprint.get("/jobs/<job_id>")
def job(job_id: str) -> Page:
    found = job_actions.job(job_id)
    attempts, calls = job_actions.attempts_of(found), job_actions.ai_calls_of(found)
    if wants_json():
        return jsonify(as_json.job(found, attempts, calls))
    return render_template(
        "admin/job.html",
        job=found,
        attempts=attempts,
        ai_calls=calls,
        can=job_actions.possible(found),
        trail=audit.latest(subject=found.id),
    )


@blueprint.post("/jobs/<job_id>/actions")
def steer_job(job_id: str) -> Response:
    found, action = job_actions.job(job_id), request.form.get("action", "")
    if action not in job_actions.ACTIONS:
        abort(400)
    audit.record(current_user, action, found.id)
    if job_actions.on_one(action, found.id):
        flash(f"{job_actions.DONE[action]} {found.filename}.")
    else:
        flash("It was too late for that: see how the job stands now.", "error")
    tasks.wake_ready()
    return redirect(url_for("admin.job", job_id=found.id), 303)


@blueprint.get("/outbox")
def failed_messages() -> Page:
    messages = outbox.failed()
    if wants_json():
        return jsonify(messages=[as_json.message(message) for message in messages])
    return render_template("admin/outbox.html", messages=messages)


@blueprint.post("/outbox/<message_id>/resend")
def resend(message_id: str) -> Response:
    audit.record(current_user, "resend", f"outbox {message_id}")
    if not message_id.isdecimal() or not outbox.resend(int(message_id)):
        abort(404)
    tasks.keep_house()
    flash("It is sent again now.")
    return redirect(url_for("admin.failed_messages"), 303)


@blueprint.get("/payments")
def payments() -> str:
    """Stripe's events as they were applied, and what was refunded or is disputed."""
    return render_template("admin/payments.html", events=events.latest(), invoices=invoices.to_look_at())


@blueprint.post("/payments/<event_id>/replay")
def replay_event(event_id: str) -> Response:
    audit.record(current_user, "replay", f"payment event {event_id}")
    if not events.replay(event_id):
        abort(404)
    tasks.wake_payment_events()
    flash("It is applied again now.")
    return redirect(url_for("admin.payments"), 303)


@blueprint.post("/ai/resume")
def resume_ai() -> Response:
    """Models are asked again, once whatever stopped them is mended."""
    audit.record(current_user, "resume", "ai")
    budget.resume()
    flash("Models are asked again.")
    return _back()


@blueprint.get("/audit")
def trail() -> str:
    return render_template("admin/audit.html", trail=audit.latest(200))


@blueprint.get("/costs")
def cost_report() -> str:
    found = costs.report(costs.Month.read(request.args.get("month", "")))
    return render_template(
        "admin/costs.html", report=found, most_listed=MOST_LISTED, differences=overage.differences()
    )


@blueprint.get("/costs.csv")
def cost_table() -> Response:
    """Every user of the month, not only those that cost most."""
    found = costs.report(costs.Month.read(request.args.get("month", "")))
    response = Response(spreadsheet.of_costs(found), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"costs-{found.month.name}.csv")
    return response


def _now() -> dict[str, Any]:
    return {
        "cards": figures.cards(),
        "workers": figures.worker_lines(),
        "ai_paused": budget.paused_because(),
    }


def _back() -> Response:
    return redirect(url_for("admin.queues"), 303)
