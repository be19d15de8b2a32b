"""The forms of /billing."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import DecimalField
from wtforms.validators import InputRequired, NumberRange

MIN_CAP_USD, MAX_CAP_USD = 1, 10_000


class OverageForm(FlaskForm):
    cap_usd = DecimalField(
        "Monthly cap for extra uploads, in US dollars",
        [
            InputRequired("Enter an amount in dollars, such as 5."),
            NumberRange(
                MIN_CAP_USD, MAX_CAP_USD, f"Enter an amount from ${MIN_CAP_USD} to ${MAX_CAP_USD:,}."
            ),
        ],
        description="Uploads stop before you spend more than this. Fractions of a cent are dropped.",
    )
