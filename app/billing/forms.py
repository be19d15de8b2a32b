"""The forms of /billing."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import DecimalField
from wtforms.validators import InputRequired, NumberRange

MIN_CAP_USD, MAX_CAP_USD = 1, 10_000


class OverageForm(FlaskForm):
    cap_usd = DecimalField(
        "Most I pay for it in a month, in US dollars",
        [
            InputRequired("Enter an amount."),
            NumberRange(MIN_CAP_USD, MAX_CAP_USD, f"Between ${MIN_CAP_USD} and ${MAX_CAP_USD:,}."),
        ],
        description="Whole cents count. Uploads stop when the next one would cost more.",
    )
