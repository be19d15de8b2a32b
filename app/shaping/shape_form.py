"""The form that shapes a sound, in units a producer knows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, DecimalField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange, Optional

from app.audio.render.recipe import (
    LEVEL_UNITS,
    MAX_BPM,
    MAX_SPEED,
    MAX_TRANSPOSE,
    MIN_BPM,
    RenderRecipe,
    read_recipe,
)
from app.audio.render.wording import MONO_WORDS
from app.models import Sample

TRIM_DB = -60.0
MONO_CHOICES = [SelectChoice(way, words) for way, words in ({"": "as they are"} | MONO_WORDS).items()]
CURVE_CHOICES = [
    SelectChoice("linear", "straight"),
    SelectChoice("smooth", "smooth"),
    SelectChoice("fast", "equal power"),
]
# Fields of the form that are fields of the recipe too, with the value that changes nothing
NUMBERS = {
    "bpm": None, "from_bpm": None, "length_s": None, "transpose": 0, "speed": 1,
    "fade_in_ms": 0, "fade_out_ms": 0, "level": None, "gain_db": 0,
}  # fmt: skip
SWITCHES = ("whole_beats", "remove_dc", "reverse")
CHOICES = ("mono", "fade_curve", "level_unit")


class FiniteField(DecimalField):
    """A decimal number that is neither infinite nor NaN."""

    data: Decimal | None

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the number that was sent."""
        super().process_formdata(valuelist)
        if self.data is not None and not self.data.is_finite():
            self.data = None
            raise ValueError("Enter a number.")


def _number(label: str, low: float, high: float, description: str = "") -> DecimalField:
    message = f"Enter a number from {low:g} to {high:g}."
    limits = [Optional(), NumberRange(min=Decimal(str(low)), max=Decimal(str(high)), message=message)]
    return FiniteField(label, limits, places=None, description=description)


class PanelForm(FlaskForm):
    """A form of the panel, which is opened on a page that has fields of the same names."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for field in self:
            field.id = field.label.field_id = f"shape-{field.name}"


class ShapeForm(PanelForm):
    """The settings of shaping. An empty field changes nothing."""

    bpm = _number(
        "New tempo (BPM)", MIN_BPM, MAX_BPM, "Beyond half or double speed, the tempo is halved or doubled."
    )
    from_bpm = _number("Original tempo (BPM)", MIN_BPM, MAX_BPM, "Leave empty for the sample's tempo.")
    length_s = _number("New length (s)", 0.01, 960)
    transpose = _number("Transpose (semitones)", -MAX_TRANSPOSE, MAX_TRANSPOSE, "The tempo stays.")
    speed = _number("Speed, like a record", 1 / MAX_SPEED, MAX_SPEED, "1.35 plays a 33⅓ record at 45.")
    start_s = _number("Start (s)", 0, 960)
    end_s = _number("End (s)", 0, 960)
    trim = BooleanField("Cut silence at both ends")
    whole_beats = BooleanField("Cut the end to whole beats")
    remove_dc = BooleanField("Remove DC offset")
    reverse = BooleanField("Reverse")
    mono = SelectField("Channels", choices=MONO_CHOICES, default="")
    level = _number("Level", -60, 0, "dBTP and dBFS set the peak, LUFS the loudness.")
    level_unit = SelectField(
        "Unit", choices=[SelectChoice(unit, unit) for unit in LEVEL_UNITS], default="dBTP"
    )
    gain_db = _number("Gain (dB)", -60, 40)
    fade_in_ms = _number("Fade in (ms)", 0, 60_000)
    fade_out_ms = _number("Fade out (ms)", 0, 60_000)
    fade_curve = SelectField("Fade curve", choices=CURVE_CHOICES, default="linear")

    def recipe(self, sample_rate: int | None) -> RenderRecipe:
        """Return the recipe of the form. Start and end count only with a rate, which belongs to one sample.

        Raises RecipeError for values that do not go together.
        """
        plain: dict[str, Any] = {}
        for name, unchanged in NUMBERS.items():
            value = self[name].data
            if value is not None and value != unchanged:
                plain[name] = float(value)
        plain |= {name: True for name in SWITCHES if self[name].data}
        plain |= {name: self[name].data for name in CHOICES}
        plain |= {"trim_db": TRIM_DB} if self.trim.data else {}
        if sample_rate is not None:
            plain |= self._part(sample_rate)
        return read_recipe(plain)

    def _part(self, sample_rate: int) -> dict[str, int]:
        """Return start and end in frames."""
        found = {}
        for name in ("start", "end"):
            value = self[f"{name}_s"].data
            if value:
                found[name] = round(float(value) * sample_rate)
        return found


def shape_values(recipe: RenderRecipe, sample: Sample | None) -> dict[str, Any]:
    """Return the values of the form that give a recipe, for this sample's start and end."""
    found: dict[str, Any] = {name: _as_decimal(getattr(recipe, name)) for name in NUMBERS}
    found |= {name: getattr(recipe, name) for name in (*SWITCHES, *CHOICES)}
    found["trim"] = recipe.trim_db is not None
    if sample is not None:
        rate = sample.features.sample_rate
        found["start_s"] = _as_decimal(round(recipe.start / rate, 6)) if recipe.start else None
        found["end_s"] = _as_decimal(round(recipe.end / rate, 6)) if recipe.end else None
    return {name: None if value == NUMBERS.get(name, ...) else value for name, value in found.items()}


def _as_decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{Decimal(repr(value)).normalize():f}")
