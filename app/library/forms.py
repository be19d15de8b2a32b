"""The form on a sample's page."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import DecimalField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, NumberRange, Optional, StopValidation

from app.library import keys
from app.models.sample import MAX_BPM, MIN_BPM

KEYS = [SelectChoice(key, f"{key} · {keys.camelot(key)}") for key in keys.ALL_KEYS]


def finite(_: FlaskForm, field: DecimalField) -> None:
    """A signalling NaN can't even be compared."""
    if field.data is not None and not field.data.is_finite():
        raise StopValidation("A tempo lies between 20 and 400 BPM.")


class SampleForm(FlaskForm):
    name = StringField("Name", [DataRequired("A sample needs a name."), Length(max=200)])
    tags = StringField("Tags", [Length(max=900)], description="Separated by commas: dusty, intro, sp-404")
    bpm = DecimalField(
        "BPM",
        [Optional(), finite, NumberRange(MIN_BPM, MAX_BPM, "A tempo lies between 20 and 400 BPM.")],
        places=2,
        description="Leave it empty when the sound has no tempo.",
    )
    key = SelectField("Key", choices=[SelectChoice("", "none"), *KEYS])
