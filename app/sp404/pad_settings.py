"""Everything a pad of the SP-404MKII can be set to, in values that a producer knows.

The page, the API, the preview in the browser and the card all read this one model.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from app.audio.render.recipe import RecipeError, RenderRecipe, read_recipe
from app.audio.unit_format import MAX_FRAMES
from app.sp404 import unit_limits
from app.sp404.pad_names import MAX_PAD_NAME, UNLOADABLE_CHARACTER
from app.sp404.setting_words import SETTING_WORDS
from app.sp404.unit_limits import Limits, PlayMode, PolyMode, Roll

SETTINGS_VERSION = 1
"""Rises when stored settings would mean something else."""
MAX_KEPT_DIGITS = 2_048


class PadSettingsError(Exception):
    """A pad can't be set to this. The message is a sentence for a producer."""


def _loadable(name: str) -> str:
    if UNLOADABLE_CHARACTER.search(name):
        raise ValueError(SETTING_WORDS["name"].sentence)
    return name


def _in_hundredths(value: float) -> float:
    rounded = round(value, 2)
    if abs(rounded - value) > 1e-9:
        raise ValueError("at most two decimals")
    return rounded


def _recipe_from_plain(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    try:
        return read_recipe(value)
    except RecipeError as error:
        raise ValueError(f"Recipe: {error}") from error


def _bounds(limits: Limits) -> Any:
    """Return the limits of a field, as pydantic writes them."""
    return Field(ge=limits.least, le=limits.most)


Group = Annotated[int, _bounds(unit_limits.GROUP)]
Frame = Annotated[int, Field(ge=0, le=MAX_FRAMES)]
Recipe = Annotated[
    RenderRecipe,
    BeforeValidator(_recipe_from_plain),
    PlainSerializer(RenderRecipe.to_dict, return_type=dict[str, Any]),
]


class PadSettings(BaseModel):
    """The settings of a pad. Every default is what the unit sets for a sound it has just loaded.

    Attributes
    ----------
    name : str
        On the unit's screen. Empty: it is made from the sample's name.
    level, pan : int
        0 to 127; a pan of 64 is the centre.
    gate, loop, one_shot : bool
        A one-shot pad has neither gate nor loop.
    play_mode, roll, poly_mode : str
        One of `PLAY_MODES`, `ROLLS` and `POLY_MODES` of `unit_limits`.
    mute_group, pad_link : int
        0 is none, 1 to 10 are the unit's A to J.
    bus : int
        0 is dry.
    bpm : float
        The tempo of the sound, with hundredths. The unit writes 90 where it knows none.
    bpm_sync : bool
        Stretch the sound to the tempo of the bank or project.
    pitch, fine : int
        Semitones and cents. They act while `vinyl` is off.
    speed : float
        In percent, with hundredths. With `vinyl` on and `bpm_sync` off the pitch follows, like a record.
    vinyl, fixed_velocity : bool
    attack, hold, release : int
        The envelope: a fade-in and fade-out of 0 to 127 (three seconds), and how much of the sound is played
        in percent.
    start, end, loop_top : int or None
        Frames of the rendered sound at 48 kHz. An end of None is the end of the sound, a loop top of None the
        start.
    chops : tuple of int
        Where up to 16 slices begin, in frames of the rendered sound; the first is 0.
    recipe : RenderRecipe or None
        How the sample is shaped before it goes on the pad; None leaves it as it is.
    kept : str
        Bytes of the unit's own file that have no name here, in hexadecimal digits. Whoever writes such a
        file puts them back.

    Notes
    -----
    Ranges are those of the reference manual of firmware 5.5; the defaults were read from files made by the
    unit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    version: Annotated[int, Field(ge=SETTINGS_VERSION, le=SETTINGS_VERSION)] = SETTINGS_VERSION
    name: Annotated[str, Field(max_length=MAX_PAD_NAME), AfterValidator(_loadable)] = ""
    level: Annotated[int, _bounds(unit_limits.LEVEL)] = unit_limits.LEVEL.most
    pan: Annotated[int, _bounds(unit_limits.PAN)] = unit_limits.PAN_CENTRE
    gate: bool = True
    loop: bool = False
    one_shot: bool = False
    play_mode: PlayMode = "forward"
    mute_group: Group = 0
    pad_link: Group = 0
    bus: Annotated[int, _bounds(unit_limits.BUS)] = 1
    roll: Roll = "1/4"
    bpm: Annotated[float, _bounds(unit_limits.TEMPO_BPM), AfterValidator(_in_hundredths)] = 90.0
    bpm_sync: bool = False
    pitch: Annotated[int, _bounds(unit_limits.PITCH_SEMITONES)] = 0
    fine: Annotated[int, _bounds(unit_limits.FINE_CENTS)] = 0
    speed: Annotated[float, _bounds(unit_limits.SPEED_PERCENT), AfterValidator(_in_hundredths)] = 100.0
    vinyl: bool = True
    fixed_velocity: bool = False
    poly_mode: PolyMode = "mono"
    attack: Annotated[int, _bounds(unit_limits.ATTACK)] = 0
    hold: Annotated[int, _bounds(unit_limits.HOLD_PERCENT)] = 100
    release: Annotated[int, _bounds(unit_limits.RELEASE)] = 0
    start: Frame = 0
    end: Frame | None = None
    loop_top: Frame | None = None
    chops: Annotated[tuple[Frame, ...], Field(max_length=unit_limits.MAX_CHOPS, strict=False)] = ()
    recipe: Recipe | None = None
    kept: Annotated[str, Field(max_length=MAX_KEPT_DIGITS, pattern=r"^([0-9a-f]{2})*\z")] = ""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.one_shot and (self.gate or self.loop):
            raise ValueError("A one-shot pad has neither gate nor loop.")
        if self.end is not None and self.end <= self.start:
            raise ValueError("The end must come after the start.")
        if self.loop_top is not None and self.loop_top < self.start:
            raise ValueError("The loop top can't come before the start.")
        if self.loop_top is not None and self.end is not None and self.loop_top >= self.end:
            raise ValueError("The loop top must come before the end.")
        if self.chops and (self.chops[0] != 0 or any(one >= next_ for one, next_ in pairwise(self.chops))):
            raise ValueError(SETTING_WORDS["chops"].sentence)
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON: the version, and what differs from the defaults."""
        return {"version": self.version} | self.model_dump(mode="json", exclude_defaults=True)

    def changed(self, changes: Mapping[str, Any]) -> PadSettings:
        """Return these settings with some of them changed, as the unit changes them.

        Parameters
        ----------
        changes : mapping of str to value
            By the names of the attributes. `one_shot` turned on turns `gate` and `loop` off, and either of
            them turned on turns `one_shot` off, unless the changes name both.

        Raises
        ------
        PadSettingsError
            A value is out of its range, or the settings don't fit together.
        """
        implied: dict[str, Any] = {}
        if changes.get("one_shot") is True:
            implied = {"gate": False, "loop": False}
        elif changes.get("gate") is True or changes.get("loop") is True:
            implied = {"one_shot": False}
        return read_settings(self.to_dict() | implied | dict(changes))


def read_settings(plain: Mapping[str, Any]) -> PadSettings:
    """Return the settings of plain JSON, such as `PadSettings.to_dict` gives.

    Parameters
    ----------
    plain : mapping of str to value
        What it does not name gets its default.

    Raises
    ------
    PadSettingsError
        A setting is unknown or out of its range; the message names the first one.
    """
    try:
        return PadSettings.model_validate(dict(plain))
    except ValidationError as error:
        raise PadSettingsError(_sentence(error)) from error


def _sentence(error: ValidationError) -> str:
    """Return what is wrong with the first wrong setting."""
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        return f"A pad has no setting “{name[:40]}”."
    if not name or str(first["msg"]).startswith("Value error, Recipe:"):
        return str(first["ctx"]["error"])
    return SETTING_WORDS[name].sentence
