"""The plans, how much of one's own is used, and overage."""

from __future__ import annotations

from decimal import Decimal

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.billing import overage, plans, quota
from app.billing.forms import OverageForm
from app.integrations.payments import PaymentsError

blueprint = Blueprint("billing", __name__, url_prefix="/billing")

Page = str | tuple[str, int] | Response


@blueprint.get("")
def index() -> str:
    return _page(OverageForm())


@blueprint.post("/overage")
def turn_overage_on() -> Page:
    """Again, with another cap, changes the cap."""
    form = OverageForm()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        overage.turn_on(current_user, int((form.cap_usd.data or Decimal(0)) * 100))
        flash("Overage is on.")
    except overage.NotPossibleError as refusal:
        flash(str(refusal), "error")
    except PaymentsError:
        flash("The payment provider does not answer just now. Nothing has changed: try again later.", "error")
    return redirect(url_for("billing.index"), 303)


@blueprint.post("/overage/off")
def turn_overage_off() -> Response:
    overage.turn_off(current_user)
    flash("Overage is off.")
    return redirect(url_for("billing.index"), 303)


def _page(form: OverageForm) -> str:
    standing = quota.standing(current_user)
    if standing.cap_cents is not None and not form.is_submitted():
        form.cap_usd.data = Decimal(standing.cap_cents) / 100
    return render_template(
        "billing/index.html", plans=plans.PLANS.values(), standing=standing, overage_form=form
    )
