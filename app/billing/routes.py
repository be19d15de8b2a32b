"""Routes of the Plan page: usage, overage, payment and plan changes at Stripe, and Stripe's webhook."""

from __future__ import annotations

from decimal import Decimal

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.billing import checkout, invoices, overage_charges, payment_events, plans, quota
from app.billing.checkout import OfferExpiredError, PlanChangeError
from app.billing.forms import OverageForm
from app.billing.subscription_status import is_live
from app.extensions import csrf, limiter, settings
from app.form_responses import parse_whole_number
from app.integrations import payments
from app.integrations.payments import PaymentsError
from app.negotiation import wants_fragment
from app.shaping import orders, renders

blueprint = Blueprint("billing", __name__, url_prefix="/billing")

Page = str | tuple[str, int] | Response
# Without Stripe these pages say that payments are not set up; every other one answers 404.
WORKS_WITHOUT_STRIPE = frozenset({"billing.index", "billing.turn_overage_on", "billing.turn_overage_off"})
STRIPE_UNREACHABLE = (
    "Stripe can't be reached right now. Nothing was changed or charged. Try again in a minute."
)


@blueprint.errorhandler(PlanChangeError)
@blueprint.errorhandler(overage_charges.OverageError)
def show_refusal(error: Exception) -> Response:
    """Show on the Plan page why a change was refused."""
    flash(str(error), "error")
    return _to_plan_page()


@blueprint.errorhandler(OfferExpiredError)
def show_new_offer(error: OfferExpiredError) -> Response:
    """Show what the change costs now, instead of charging an offer that is too old."""
    flash(str(error), "error")
    return redirect(url_for("billing.offer", plan=error.plan_name), 303)


@blueprint.errorhandler(PaymentsError)
def show_unreachable(error: PaymentsError) -> Page:
    """Say that Stripe can't be reached: in place of the next invoice, or on the Plan page."""
    if request.method == "GET" and request.endpoint == "billing.next_invoice":
        return render_template("billing/_next.html", away=True)
    flash(STRIPE_UNREACHABLE, "error")
    return _to_plan_page()


@blueprint.before_request
def require_stripe() -> None:
    """Answer 404 on a server without Stripe."""
    if request.endpoint not in WORKS_WITHOUT_STRIPE and not payments.is_set_up(settings()):
        abort(404)


@blueprint.get("")
def index() -> str:
    return _plan_page(OverageForm())


@blueprint.post("/overage")
def turn_overage_on() -> Page:
    """Turn overage on, or change its cap when it is on already."""
    form = OverageForm()
    if not form.validate_on_submit():
        return _plan_page(form), 422
    overage_charges.turn_on(current_user, int((form.cap_usd.data or Decimal(0)) * 100))
    flash("Extra uploads are now charged, up to your cap.")
    return _to_plan_page()


@blueprint.post("/overage/off")
def turn_overage_off() -> Response:
    overage_charges.turn_off(current_user)
    flash("Extra uploads are off.")
    return _to_plan_page()


@blueprint.get("/next-invoice")
def next_invoice() -> str:
    shown = {
        "invoice": checkout.preview_next_invoice(current_user),
        "subscription": current_user.subscription,
    }
    return render_template("billing/_next.html" if wants_fragment() else "billing/next.html", **shown)


@blueprint.post("/checkouts")
@limiter.limit("30/hour")
def start() -> Response:
    welcome, back = _external_url("billing.welcome"), _external_url("billing.index")
    return redirect(checkout.start_checkout(current_user, request.form.get("plan", ""), welcome, back), 303)


@blueprint.get("/welcome")
@limiter.limit("60/minute")
def welcome() -> Page:
    """Show what Stripe says after Checkout. Opening this page grants nothing by itself."""
    try:
        _refresh_plan()
    except PaymentsError:
        flash(STRIPE_UNREACHABLE, "error")
    has_plan = is_live(current_user.subscription)
    if not wants_fragment():
        return render_template("billing/welcome.html", is_live=has_plan)
    return render_template("billing/_welcome.html", is_live=has_plan), 286 if has_plan else 200


@blueprint.post("/portal")
@limiter.limit("60/hour")
def portal() -> Response:
    return redirect(checkout.open_portal(current_user, _external_url("billing.index")), 303)


@blueprint.get("/swap")
@limiter.limit("60/hour")
def offer() -> str:
    """Show what a change of plan costs, before anything is changed."""
    return render_template(
        "billing/swap.html", offer=checkout.offer_plan_change(current_user, request.args.get("plan", ""))
    )


@blueprint.post("/swap")
@limiter.limit("30/hour")
def swap() -> Response:
    """Change the plan at the price that was shown."""
    plan, at = request.form.get("plan", ""), request.form.get("at", "")
    checkout.change_plan(current_user, plan, parse_whole_number(at) or 0)
    _refresh_plan()
    if plans.plan_for_user(current_user).name == plan:
        flash(f"You are on {plans.PLANS[plan].label} now.")
    else:
        flash("Your plan changes when its invoice is paid. Pay or confirm it below.", "error")
    return _to_plan_page()


@blueprint.post("/cancellation")
def cancel() -> Response:
    return _set_cancellation(True, "Cancelled. You keep your plan until the end of the period you paid for.")


@blueprint.post("/resumption")
def resume() -> Response:
    return _set_cancellation(False, "Resumed. Your plan renews as before.")


@blueprint.get("/invoices/<invoice_id>")
def invoice(invoice_id: str) -> Response:
    """Redirect to Stripe's page of an invoice, or to its PDF.

    Stripe's links work for days only, so each visit asks for a new one.
    """
    found = payments.get_invoice(settings(), invoices.owned_invoice_id(current_user, invoice_id))
    target = found.pdf_url if request.args.get("as") == "pdf" else found.hosted_url
    if target is None:
        abort(404)
    return redirect(target, 303)


@blueprint.post("/events")
def take_event() -> tuple[str, int]:
    """Store a webhook of Stripe's and answer it; a worker applies it."""
    event = payments.read_event(
        settings(), request.get_data(cache=False), request.headers.get("Stripe-Signature")
    )
    if event is None:
        abort(400)
    if payment_events.store_event(event):
        tasks.wake(tasks.apply_payment_events)
    return "", 200


csrf.exempt(take_event)  # Stripe signs what it sends instead


def _plan_page(form: OverageForm) -> str:
    """Render the Plan page from our own database, so that it works while Stripe is unreachable."""
    mine, standing = invoices.user_invoices(current_user), quota.plan_usage(current_user)
    if standing.cap_cents is not None and not form.is_submitted():
        form.cap_usd.data = Decimal(standing.cap_cents) / 100
    return render_template(
        "billing/index.html",
        plans=plans.PLANS.values(),
        standing=standing,
        overage_form=form,
        subscription=current_user.subscription,
        invoices=mine,
        open_invoice=next((invoice for invoice in mine if invoice.is_open), None),
        is_set_up=payments.is_set_up(settings()),
        cache=renders.cache_usage(current_user),
        renders_left=orders.renders_left(current_user),
        trial_days=settings().stripe_trial_days,
    )


def _set_cancellation(cancel: bool, message: str) -> Response:
    """Cancel or resume the plan at Stripe, and show the message on the Plan page."""
    checkout.set_cancellation(current_user, cancel)
    _refresh_plan()
    flash(message)
    return _to_plan_page()


def _refresh_plan() -> None:
    """Apply what Stripe says about the user now, without waiting for its webhook."""
    if current_user.subscription is not None and current_user.subscription.stripe_customer_id:
        tasks.refresh_customer(current_user.subscription.stripe_customer_id)


def _external_url(endpoint: str) -> str:
    return settings().origin + url_for(endpoint)


def _to_plan_page() -> Response:
    return redirect(url_for("billing.index"), 303)
