"""What an operator sees of the queue, and does to it. Everybody else finds nothing here."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.admin import (
    audit_trail,
    costs,
    costs_csv,
    graphs,
    job_search,
    json_views,
    operator_actions,
    queue_figures,
)
from app.admin.job_search import JobFilter
from app.ai import budget
from app.billing import invoices, overage_charges, payment_events
from app.billing.plans import TIERS
from app.billing.quota import QuotaExceededError
from app.jobs import workers
from app.models.worker_process import MODES
from app.negotiation import wants_fragment, wants_json
from app.notify import outbox

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

Page = str | Response
MAX_LISTED_USERS = 100


@blueprint.before_request
def require_operator() -> None:
    """The same answer as for an address that does not exist."""
    if current_user.is_authenticated and not current_user.is_admin:
        abort(404)


@blueprint.errorhandler(QuotaExceededError)
def show_quota_refusal(error: QuotaExceededError) -> Response:
    flash(f"Not tried again: the owner's plan has no room. {error}", "error")
    return _to_queues()


@blueprint.get("/queues")
def queues() -> Page:
    """Cards, workers, graphs and one tab of jobs; htmx gets what changes by itself."""
    if wants_fragment():
        return render_template("admin/_status.html", **_live_figures())
    query = JobFilter.from_args(request.args)
    found = job_search.find_jobs(query, request.args.get("after", ""))
    drawn = graphs.all_graphs()
    if wants_json():
        return jsonify(
            json_views.queues_json(queue_figures.queue_summary(), queue_figures.worker_rows(), found, drawn)
        )
    counts = {tab: job_search.count_tab(tab) for tab in job_search.TABS}
    return render_template(
        "admin/queues.html",
        query=query,
        results=found,
        counts=counts,
        counted=job_search.MAX_COUNTED,
        tiers=TIERS,
        actions=operator_actions.ACTIONS_BY_TAB.get(query.tab, ()),
        graphs=drawn,
        **_live_figures(),
    )


@blueprint.post("/queues/bulk")
def bulk() -> Response:
    """One action on every job that matches the filters, as many as one request may take."""
    query = JobFilter.from_args(request.form)
    action = request.form.get("action", "")
    if action not in operator_actions.ACTIONS_BY_TAB.get(query.tab, ()):
        abort(400)
    audit_trail.record_action(current_user, f"{action} all", query.tab, **query.to_args())
    done, left = operator_actions.act_on_matching(action, query)
    tasks.wake_for_ready_jobs()
    flash(
        f"{operator_actions.DONE_WORDS[action]} {done:,} jobs."
        + (" There are more: do it again." if left else "")
    )
    return redirect(url_for("admin.queues", **query.to_args()), 303)


@blueprint.post("/workers/<worker_id>/mode")
def steer_worker(worker_id: str) -> Response:
    """Pause: it claims nothing. Drain: the same, and it is to be stopped when it has finished. Or resume."""
    mode = request.form.get("mode", "")
    if mode not in MODES:
        abort(400)
    audit_trail.record_action(current_user, mode, worker_id)
    if not workers.set_mode(worker_id, mode):
        abort(404)
    tasks.wake_for_ready_jobs()
    return _to_queues()


@blueprint.get("/jobs/<job_id>")
def job(job_id: str) -> Page:
    found = operator_actions.get_job(job_id)
    attempts, calls = operator_actions.job_attempts(found), operator_actions.job_ai_calls(found)
    if wants_json():
        return jsonify(json_views.job_json(found, attempts, calls))
    return render_template(
        "admin/job.html",
        job=found,
        attempts=attempts,
        ai_calls=calls,
        can=operator_actions.possible_actions(found),
        trail=audit_trail.latest_entries(subject=found.id),
    )


@blueprint.post("/jobs/<job_id>/actions")
def steer_job(job_id: str) -> Response:
    found, action = operator_actions.get_job(job_id), request.form.get("action", "")
    if action not in operator_actions.ACTIONS:
        abort(400)
    audit_trail.record_action(current_user, action, found.id)
    if operator_actions.act_on_job(action, found.id):
        flash(f"{operator_actions.DONE_WORDS[action]} {found.filename}.")
    else:
        flash("It was too late for that: see how the job stands now.", "error")
    tasks.wake_for_ready_jobs()
    return redirect(url_for("admin.job", job_id=found.id), 303)


@blueprint.get("/outbox")
def failed_messages() -> Page:
    messages = outbox.list_failed()
    if wants_json():
        return jsonify(messages=[json_views.message_json(message) for message in messages])
    return render_template("admin/outbox.html", messages=messages)


@blueprint.post("/outbox/<message_id>/resend")
def resend(message_id: str) -> Response:
    audit_trail.record_action(current_user, "resend", f"outbox {message_id}")
    if not message_id.isdecimal() or not outbox.resend(int(message_id)):
        abort(404)
    tasks.wake(tasks.send_outbox)
    flash("It is sent again now.")
    return redirect(url_for("admin.failed_messages"), 303)


@blueprint.get("/payments")
def payments() -> str:
    """Stripe's events as they were applied, and what was refunded or is disputed."""
    return render_template(
        "admin/payments.html", events=payment_events.latest_events(), invoices=invoices.contested_invoices()
    )


@blueprint.post("/payments/<event_id>/replay")
def replay_event(event_id: str) -> Response:
    audit_trail.record_action(current_user, "replay", f"payment event {event_id}")
    if not payment_events.replay_event(event_id):
        abort(404)
    tasks.wake(tasks.apply_payment_events)
    flash("It is applied again now.")
    return redirect(url_for("admin.payments"), 303)


@blueprint.post("/ai/resume")
def resume_ai() -> Response:
    """Models are asked again, once whatever stopped them is mended."""
    audit_trail.record_action(current_user, "resume", "ai")
    budget.resume_asking()
    flash("Models are asked again.")
    return _to_queues()


@blueprint.get("/audit")
def trail() -> str:
    return render_template("admin/audit.html", trail=audit_trail.latest_entries(200))


@blueprint.get("/costs")
def cost_report() -> str:
    found = costs.monthly_report(costs.Month.read(request.args.get("month", "")))
    return render_template(
        "admin/costs.html",
        report=found,
        most_listed=MAX_LISTED_USERS,
        differences=overage_charges.meter_differences(),
    )


@blueprint.get("/costs.csv")
def cost_table() -> Response:
    """Every user of the month, not only those that cost most."""
    found = costs.monthly_report(costs.Month.read(request.args.get("month", "")))
    response = Response(costs_csv.render_costs_csv(found), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"costs-{found.month.name}.csv")
    return response


def _live_figures() -> dict[str, Any]:
    return {
        "cards": queue_figures.queue_summary(),
        "workers": queue_figures.worker_rows(),
        "ai_paused": budget.pause_reason(),
    }


def _to_queues() -> Response:
    return redirect(url_for("admin.queues"), 303)
