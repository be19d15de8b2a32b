"""The plans, and how much of one's own is used."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_login import current_user

from app.billing import plans, quota

blueprint = Blueprint("billing", __name__, url_prefix="/billing")


@blueprint.get("")
def index() -> str:
    return render_template(
        "billing/index.html", plans=plans.PLANS.values(), standing=quota.standing(current_user)
    )
