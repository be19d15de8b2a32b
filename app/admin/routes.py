"""Routes of the operator's pages: queue, jobs, workers, outbox, payments, costs and the audit log.

For everybody else they do not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.account import closing
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
from app.form_responses import parse_whole_number
from app.jobs import workers
from app.models.worker_process import MODES
from app.negotiation import wants_fragment, wants_json
from app.notify import outbox

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

Page = str | Response
MAX_LISTED_USERS = 100


@blueprint.before_request
def require_operator() -> None:
    """Answer 404 to a producer, as for a page that does not exist."""
    if current_user.is_authenticated and not current_user.is_admin:
        abort(404)


@blueprint.errorhandler(QuotaExceededError)
def show_quota_refusal(error: QuotaExceededError) -> Response:
    """Say why a job can't be retried at its owner's charge."""
    flash(f"Not retried, because the owner's plan has no room. Their message: {error}", "error")
    return _to_queues()


@blueprint.get("/queues")
def queues() -> Page:
    """Show figures, workers, graphs and one tab of jobs; htmx polls for the figures and workers only."""
    if wants_fragment():
        return render_template("admin/_status.html", **_live_figures())
    query = JobFilter.from_args(request.args)
    found = job_search.find_jobs(query, request.args.get("after", ""))
    drawn = graphs.all_graphs()
    if wants_json():
        live = _live_figures()
        return jsonify(json_views.queues_json(live["cards"], live["workers"], found, drawn))
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
    """Do one action to every job that matches the filters, up to the limit of one request."""
    query = JobFilter.from_args(request.form)
    action = _form_choice("action", operator_actions.ACTIONS_BY_TAB.get(query.tab, ()))
    audit_trail.record_action(current_user, f"{action} all", query.tab, **query.to_args())
    done, left = operator_actions.act_on_matching(action, query)
    tasks.wake_for_ready_jobs()
    flash(
        f"{operator_actions.DONE_WORDS[action]} {done:,} jobs."
        + (" More jobs match. Do it again to continue." if left else "")
    )
    return redirect(url_for("admin.queues", **query.to_args()), 303)


@blueprint.post("/workers/<worker_id>/mode")
def steer_worker(worker_id: str) -> Response:
    """Pause, drain or resume a worker.

    A paused worker claims no job. Nor does a draining one, which is to be stopped when its jobs are done.
    """
    mode = _form_choice("mode", MODES)
    _do_recorded(mode, worker_id, lambda: workers.set_mode(worker_id, mode))
    tasks.wake_for_ready_jobs()
    return _to_queues()


@blueprint.get("/jobs/<job_id>")
def job(job_id: str) -> Page:
    """Show a job with its attempts, its calls to models and what operators did to it."""
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
    """Do one action to a job."""
    found, action = operator_actions.get_job(job_id), _form_choice("action", operator_actions.ACTIONS)
    audit_trail.record_action(current_user, action, found.id)
    if operator_actions.act_on_job(action, found.id):
        flash(f"{operator_actions.DONE_WORDS[action]} {found.filename}.")
    else:
        flash("Nothing was done: the job has moved on since you loaded the page.", "error")
    tasks.wake_for_ready_jobs()
    return redirect(url_for("admin.job", job_id=found.id), 303)


@blueprint.get("/outbox")
def failed_messages() -> Page:
    """Show the messages that could not be sent."""
    messages = outbox.list_failed()
    if wants_json():
        return jsonify(messages=[json_views.message_json(message) for message in messages])
    return render_template("admin/outbox.html", messages=messages)


@blueprint.post("/outbox/<message_id>/resend")
def resend(message_id: str) -> Response:
    """Send a message again now."""
    number = parse_whole_number(message_id) or 0
    _do_recorded("resend", f"outbox {message_id}", lambda: outbox.resend(number))
    tasks.wake(tasks.send_outbox)
    flash("The message is being sent again.")
    return redirect(url_for("admin.failed_messages"), 303)


@blueprint.get("/closings")
def closings() -> Page:
    """Show the accounts that are being deleted, and what holds each of them up."""
    found = closing.list_closings()
    if wants_json():
        return jsonify(closings=[json_views.closing_json(row) for row in found])
    return render_template("admin/closings.html", closings=found)


@blueprint.post("/closings/<user_id>/retry")
def retry_closing(user_id: str) -> Response:
    """Try the next step of an account's deletion now, unless a worker is doing it."""
    if closing.is_held(user_id):
        flash("Nothing was done: a worker is deleting this account already.", "error")
        return redirect(url_for("admin.closings"), 303)
    _do_recorded("retry deletion", user_id, lambda: closing.try_again_now(user_id))
    tasks.wake(tasks.make_exports)
    flash("The deletion is being tried again.")
    return redirect(url_for("admin.closings"), 303)


@blueprint.get("/payments")
def payments() -> str:
    """Show Stripe's latest events, and the invoices that were refunded or disputed."""
    return render_template(
        "admin/payments.html", events=payment_events.latest_events(), invoices=invoices.contested_invoices()
    )


@blueprint.post("/payments/<event_id>/replay")
def replay_event(event_id: str) -> Response:
    """Apply one of Stripe's events again now."""
    _do_recorded("replay", f"payment event {event_id}", lambda: payment_events.replay_event(event_id))
    tasks.wake(tasks.apply_payment_events)
    flash("The event is being applied again.")
    return redirect(url_for("admin.payments"), 303)


@blueprint.post("/ai/resume")
def resume_ai() -> Response:
    """Let models be asked again, after the problem that paused them was fixed."""
    audit_trail.record_action(current_user, "resume", "ai")
    budget.resume_asking()
    flash("AI has resumed.")
    return _to_queues()


@blueprint.get("/audit")
def trail() -> str:
    """Show what operators did last."""
    return render_template("admin/audit.html", trail=audit_trail.latest_entries(200))


@blueprint.get("/costs")
def cost_report() -> str:
    """Show the costs of a month, with the users who cost most."""
    found = costs.monthly_report(costs.Month.parse(request.args.get("month", "")))
    return render_template(
        "admin/costs.html",
        report=found,
        most_listed=MAX_LISTED_USERS,
        differences=overage_charges.meter_differences(),
    )


@blueprint.get("/costs.csv")
def cost_table() -> Response:
    """Send the costs of a month as CSV, with every user."""
    found = costs.monthly_report(costs.Month.parse(request.args.get("month", "")))
    response = Response(costs_csv.render_costs_csv(found), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"costs-{found.month.name}.csv")
    return response


def _form_choice(field: str, allowed: Collection[str]) -> str:
    """Return the value of a form field, or answer 400 when it is not an allowed one."""
    value = request.form.get(field, "")
    if value not in allowed:
        abort(400)
    return value


def _do_recorded(action: str, subject: str, act: Callable[[], bool]) -> None:
    """Record an operator's action and do it; answer 404 when its subject does not exist."""
    audit_trail.record_action(current_user, action, subject)
    if not act():
        abort(404)


def _live_figures() -> dict[str, Any]:
    """Return what the queue's page shows of this moment."""
    rows = queue_figures.worker_rows()
    return {
        "cards": queue_figures.queue_summary(rows),
        "workers": rows,
        "ai_paused": budget.pause_reason(),
        "vectors": queue_figures.count_vector_orders(),
        "stuck_closings": closing.count_closings(stuck_only=True),
    }


def _to_queues() -> Response:
    return redirect(url_for("admin.queues"), 303)
