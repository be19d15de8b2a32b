"""The forms that cut a sound into slices and name a preset."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from app.audio.render.chop import DEFAULT_SENSITIVITY, MAX_CHOPS, WAYS
from app.audio.render.recipe import RecipeError
from app.models.display_names import visible_text
from app.shaping.chops import TOO_MANY_SLICES
from app.shaping.shape_form import FiniteField, PanelForm

WAY_WORDS = {
    "onsets": "hits",
    "beats": "beats",
    "bars": "bars",
    "equal": "equal parts",
    "grid": "sixteenths",
}


class ChopForm(FlaskForm):
    """How a sound is cut into slices. What the address does not say has its usual value."""

    class Meta:
        csrf = False  # it only asks

    by = SelectField("Cut at", choices=[SelectChoice(way, WAY_WORDS[way]) for way in WAYS], default="onsets")
    count = IntegerField(
        "Maximum slices", [InputRequired(), NumberRange(1, MAX_CHOPS, f"Enter 1 to {MAX_CHOPS}.")], default=16
    )
    sensitivity = FiniteField(
        "Sensitivity",
        [InputRequired(), NumberRange(0, 1, "Enter a number from 0 to 1.")],
        places=None,
        default=Decimal(str(DEFAULT_SENSITIVITY)),
        description="Hits only. Higher values cut at weaker hits, too.",
    )


def chop_values(given: Mapping[str, str]) -> MultiDict[str, str]:
    """Return what an address says of the chops, with the usual values for what it leaves out."""
    usual = {"by": "onsets", "count": "16", "sensitivity": str(DEFAULT_SENSITIVITY)}
    return MultiDict({name: given.get(name, value) for name, value in usual.items()})


class PresetForm(PanelForm):
    """The name that a recipe is saved under."""

    name = StringField(
        "Preset name",
        filters=[lambda text: visible_text(text or "").strip()],
        validators=[InputRequired("Enter a name."), Length(max=40, message="Use at most 40 characters.")],
    )


def parse_cuts(text: str, frames: int, rate: int) -> tuple[int, ...]:
    """Return the cuts that a producer wrote as seconds, in frames: rising, 0 first.

    Raises RecipeError for what is not a time of the sound.
    """
    cuts = {0}
    for word in text.replace(";", " ").replace(",", " ").split():
        try:
            frame = round(float(word) * rate)
        except (ValueError, OverflowError):
            raise RecipeError(f"“{word[:20]}” is not a time. Write seconds, like 0.512.") from None
        if not 0 <= frame < frames:
            raise RecipeError(f"{word[:20]} s is outside the sound, which has {frames / rate:.3f} s.")
        cuts.add(frame)
    if len(cuts) > MAX_CHOPS:
        raise RecipeError(TOO_MANY_SLICES)
    return tuple(sorted(cuts))
