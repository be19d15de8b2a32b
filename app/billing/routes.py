"""The plans, how much of one's own is used, overage, and everything that leads to Stripe and back."""

from __future__ import annotations

from decimal import Decimal

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.billing import checkout, invoices, overage_charges, payment_events, plans, quota
from app.billing.checkout import PlanChangeError
from app.billing.forms import OverageForm
from app.extensions import csrf, limiter, settings
from app.integrations import payments
from app.integrations.payments import PaymentsError
from app.models.base import utcnow
from app.negotiation import wants_fragment

blueprint = Blueprint("billing", __name__, url_prefix="/billing")

Page = str | tuple[str, int] | Response
OFFER_LASTS_S = 3600
# Without Stripe these say so; everything else is not there then.
WORKS_WITHOUT_STRIPE = frozenset({"billing.index", "billing.turn_overage_on", "billing.turn_overage_off"})
STRIPE_UNREACHABLE = (
    "Stripe can't be reached just now. Nothing was changed or charged; try again in a minute."
)


@blueprint.errorhandler(PlanChangeError)
@blueprint.errorhandler(overage_charges.OverageError)
def show_refusal(error: Exception) -> Response:
    flash(str(error), "error")
    return _to_plan_page()


@blueprint.errorhandler(PaymentsError)
def show_unreachable(error: PaymentsError) -> Page:
    if request.method == "GET" and request.endpoint == "billing.next_invoice":
        return render_template("billing/_next.html", away=True)
    flash(STRIPE_UNREACHABLE, "error")
    return _to_plan_page()


@blueprint.before_request
def require_stripe() -> None:
    if request.endpoint not in WORKS_WITHOUT_STRIPE and not payments.is_set_up(settings()):
        abort(404)


@blueprint.get("")
def index() -> str:
    return _plan_page(OverageForm())


@blueprint.post("/overage")
def turn_overage_on() -> Page:
    """Again, with another cap, changes the cap."""
    form = OverageForm()
    if not form.validate_on_submit():
        return _plan_page(form), 422
    overage_charges.turn_on(current_user, int((form.cap_usd.data or Decimal(0)) * 100))
    flash("Overage is on.")
    return _to_plan_page()


@blueprint.post("/overage/off")
def turn_overage_off() -> Response:
    overage_charges.turn_off(current_user)
    flash("Overage is off.")
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
    """Back from Checkout. Whoever opens this is shown what Stripe says, and given nothing by coming here."""
    try:
        _refresh_plan()
    except PaymentsError:
        flash(STRIPE_UNREACHABLE, "error")
    is_live = current_user.subscription is not None and current_user.subscription.is_live
    if not wants_fragment():
        return render_template("billing/welcome.html", is_live=is_live)
    return render_template("billing/_welcome.html", is_live=is_live), 286 if is_live else 200


@blueprint.post("/portal")
@limiter.limit("60/hour")
def portal() -> Response:
    return redirect(checkout.open_portal(current_user, _external_url("billing.index")), 303)


@blueprint.get("/swap")
@limiter.limit("60/hour")
def offer() -> str:
    """What a change of plan costs, before anything is changed."""
    return render_template(
        "billing/swap.html", offer=checkout.offer_plan_change(current_user, request.args.get("plan", ""))
    )


@blueprint.post("/swap")
@limiter.limit("30/hour")
def swap() -> Response:
    """Only for an offer of this hour: an older second, or one to come, would cost something else."""
    plan, at = request.form.get("plan", ""), request.form.get("at", "")
    now = int(utcnow().timestamp())
    if not at.isdecimal() or not now - OFFER_LASTS_S <= int(at) <= now:
        flash("That offer is too old. This is what it costs now.", "error")
        return redirect(url_for("billing.offer", plan=plan), 303)
    checkout.change_plan(current_user, plan, int(at))
    _refresh_plan()
    if current_user.plan_name == plan:
        flash(f"You are on {plans.PLANS[plan].label} now.")
    else:
        flash("The change waits for its payment: pay the open invoice below.", "error")
    return _to_plan_page()


@blueprint.post("/cancellation")
def cancel() -> Response:
    checkout.set_cancellation(current_user, True)
    _refresh_plan()
    flash("Cancelled. Your plan stays until the end of what is paid.")
    return _to_plan_page()


@blueprint.post("/resumption")
def resume() -> Response:
    checkout.set_cancellation(current_user, False)
    _refresh_plan()
    flash("Your plan goes on.")
    return _to_plan_page()


@blueprint.get("/invoices/<invoice_id>")
def invoice(invoice_id: str) -> Response:
    """Stripe's page of an invoice, or its PDF: the links last for days only, so each is asked for."""
    found = payments.get_invoice(settings(), invoices.owned_invoice_id(current_user, invoice_id))
    target = found.pdf_url if request.args.get("as") == "pdf" else found.hosted_url
    if target is None:
        abort(404)
    return redirect(target, 303)


@blueprint.post("/events")
def take_event() -> tuple[str, int]:
    """Stripe's webhook. It is stored and answered; what follows from it is done by a worker."""
    event = payments.read_event(
        settings(), request.get_data(cache=False), request.headers.get("Stripe-Signature")
    )
    if event is None:
        abort(400)
    if payment_events.store_event(event):
        tasks.wake(tasks.apply_payment_events)
    return "", 200


csrf.exempt(take_event)  # what Stripe sends is signed instead


def _plan_page(form: OverageForm) -> str:
    """From this side alone, so it is there when Stripe is not."""
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
        trial_days=settings().stripe_trial_days,
    )


def _refresh_plan() -> None:
    if current_user.subscription is not None and current_user.subscription.stripe_customer_id:
        tasks.refresh_customer(current_user.subscription.stripe_customer_id)


def _external_url(endpoint: str) -> str:
    return settings().base_url + url_for(endpoint)


def _to_plan_page() -> Response:
    return redirect(url_for("billing.index"), 303)
