"""The forms of a kit's pages. What a setting may be is decided by `PadSettings` alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DecimalField,
    Field,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from app.kits.grid import group_letter
from app.kits.kit_state import BANK, HUNDREDTHS, PROJECT, BankState
from app.models import Kit
from app.sp404 import unit_limits
from app.sp404.kit_document import MAX_NOTES, check_kit_name
from app.sp404.pad_names import safe_name
from app.sp404.pad_settings import PadSettings
from app.sp404.setting_words import SETTING_WORDS
from app.sp404.unit_limits import MAX_PROJECT_NAME, Limits

TEMPO_RULE = "Enter a tempo from 40 to 200 BPM, with at most two decimals."
CHOP = re.compile(r"[\s,;]+")
Sent = Mapping[str, Any] | None
SOURCES = {PROJECT: "all banks together", BANK: "each bank its own"}


def _tempo_field(label: str) -> DecimalField:
    return DecimalField(label, [InputRequired(TEMPO_RULE), _check_tempo], places=2)


def _check_tempo(_: FlaskForm, field: DecimalField) -> None:
    tempo = field.data
    limits = unit_limits.TEMPO_BPM
    if tempo is None or not tempo.is_finite() or not limits.least <= tempo <= limits.most:
        raise ValidationError(TEMPO_RULE)
    if tempo != round(tempo, 2):
        raise ValidationError(TEMPO_RULE)


class KitForm(FlaskForm):
    """A kit's own values; also for a new one."""

    name = StringField("Name", description=f"At most {MAX_PROJECT_NAME} characters")
    tempo = _tempo_field("Tempo")
    tempo_source = SelectField("Tempo of", choices=[SelectChoice(*pair) for pair in SOURCES.items()])
    notes = TextAreaField("Notes", [Length(max=MAX_NOTES)])

    def __init__(self, kit: Kit | None = None, sent: Sent = None) -> None:
        values = {"tempo": Decimal(90), "tempo_source": PROJECT}
        if kit is not None:
            values = {name: getattr(kit, name) for name in ("name", "tempo_source", "notes")}
            values["tempo"] = Decimal(kit.tempo) / HUNDREDTHS
        super().__init__(sent, data=values)

    def validate_name(self, field: StringField) -> None:
        """Refuse what the unit can't show, and suggest what it can."""
        typed = field.data or ""
        try:
            field.data = check_kit_name(typed)
        except ValueError as rule:
            if not typed.strip():
                raise ValidationError("Give the kit a name.") from rule
            suggestion = safe_name(typed, MAX_PROJECT_NAME)
            raise ValidationError(f"The unit can't show this name. “{suggestion}” works.") from rule

    @property
    def values(self) -> dict[str, Any]:
        """The values as the tables store them."""
        return {
            "name": self.name.data,
            "tempo": round((self.tempo.data or Decimal(90)) * HUNDREDTHS),
            "tempo_source": self.tempo_source.data,
            "notes": (self.notes.data or "").replace("\r\n", "\n"),
        }


class BankForm(FlaskForm):
    """What a bank has of its own."""

    tempo = _tempo_field("Bank tempo")
    volume = IntegerField(
        "Bank volume", [InputRequired("Enter 0 to 127."), NumberRange(0, 127, "Enter 0 to 127.")]
    )
    protect = BooleanField("Protected on the unit")

    def __init__(self, bank: BankState, sent: Sent = None) -> None:
        shown = {"tempo": Decimal(bank.tempo) / HUNDREDTHS, "volume": bank.volume, "protect": bank.protect}
        super().__init__(sent, data=shown, prefix="bank-")

    @property
    def values(self) -> dict[str, Any]:
        tempo = round((self.tempo.data or Decimal(90)) * HUNDREDTHS)
        return {"tempo": tempo, "volume": self.volume.data, "protect": self.protect.data}


def _label(name: str) -> str:
    return SETTING_WORDS[name].label


def _number(name: str, limits: Limits, unit: str = "") -> IntegerField:
    """Return a field for a whole number; an empty one is no number."""
    described = f"{limits.least} to {limits.most}{unit}".replace("-", "−")
    return IntegerField(_label(name), [Optional()], description=described)


def _decimal(name: str, limits: Limits, unit: str = "") -> DecimalField:
    return DecimalField(
        _label(name), [Optional()], places=2, description=f"{limits.least} to {limits.most}{unit}"
    )


def _choice(name: str, words: Iterable[str]) -> SelectField:
    return SelectField(_label(name), choices=[SelectChoice(word, word) for word in words])


def _group(name: str) -> SelectField:
    groups = range(unit_limits.GROUP.most + 1)
    choices = [SelectChoice(str(group), group_letter(group) or "none") for group in groups]
    return SelectField(_label(name), choices=choices, coerce=int)


def _frames(name: str, hint: str) -> IntegerField:
    return IntegerField(_label(name), [Optional()], description=hint)


class PadForm(FlaskForm):
    """Every setting of a pad, by the unit's own names."""

    name = StringField(_label("name"), description="At most 23 characters; empty: the sample's name")
    level = _number("level", unit_limits.LEVEL)
    pan = _number("pan", unit_limits.PAN, ", 64 is the centre")
    bus = SelectField(
        _label("bus"),
        choices=[SelectChoice("0", "dry"), SelectChoice("1", "bus 1"), SelectChoice("2", "bus 2")],
        coerce=int,
    )
    gate = BooleanField(_label("gate"))
    loop = BooleanField(_label("loop"))
    one_shot = BooleanField(_label("one_shot"))
    fixed_velocity = BooleanField(_label("fixed_velocity"))
    play_mode = _choice("play_mode", unit_limits.PLAY_MODES)
    mute_group = _group("mute_group")
    pad_link = _group("pad_link")
    roll = _choice("roll", unit_limits.ROLLS)
    poly_mode = _choice("poly_mode", unit_limits.POLY_MODES)
    bpm = _decimal("bpm", unit_limits.TEMPO_BPM)
    bpm_sync = BooleanField(_label("bpm_sync"))
    speed = _decimal("speed", unit_limits.SPEED_PERCENT, " %")
    vinyl = BooleanField(_label("vinyl"))
    pitch = _number("pitch", unit_limits.PITCH_SEMITONES, " semitones, with vinyl mode off")
    fine = _number("fine", unit_limits.FINE_CENTS, " cents, with vinyl mode off")
    attack = _number("attack", unit_limits.ATTACK, "; 127 is 3 s")
    hold = _number("hold", unit_limits.HOLD_PERCENT, " % of the sound")
    release = _number("release", unit_limits.RELEASE, "; 127 is 3 s")
    start = _frames("start", "frame at 48 kHz")
    end = _frames("end", "frame; empty: the end of the sound")
    loop_top = _frames("loop_top", "frame; empty: the start")
    chops = StringField(_label("chops"), description="up to 16 frames, the first 0: 0, 12000, 24000")

    def __init__(self, settings: PadSettings, sent: Sent = None) -> None:
        self._was = _shown_values(settings)
        super().__init__(sent, data=self._was, prefix="pad-")

    @property
    def changes(self) -> dict[str, Any]:
        """The settings that differ from those the pad has, for `PadSettings.changed`."""
        changed: dict[str, Any] = {}
        for name, was in self._was.items():
            value = self._value(name)
            if value != was and (value is not None or name in ("end", "loop_top")):
                changed[name] = value
        if isinstance(changed.get("chops"), str):
            changed["chops"] = _parse_chops(changed["chops"])
        return {name: float(each) if isinstance(each, Decimal) else each for name, each in changed.items()}

    def _value(self, name: str) -> Any:
        value = self[name].data
        if isinstance(value, Decimal) and not value.is_finite():
            return float("nan")
        return (value or "").strip() if isinstance(self[name], StringField) else value

    def field_of(self, setting: str) -> Field:
        """Return the field to show what is wrong with a setting at; the first one for several."""
        return self[setting or "name"]


def _shown_values(settings: PadSettings) -> dict[str, Any]:
    shown = settings.model_dump(exclude={"version", "recipe", "kept", "chops", "bpm", "speed"})
    return shown | {
        "chops": ", ".join(map(str, settings.chops)),
        "bpm": Decimal(str(settings.bpm)),
        "speed": Decimal(str(settings.speed)),
    }


def _parse_chops(text: str) -> list[int | str]:
    """Return the frames that were typed; what is no number stays text, for `PadSettings` to refuse."""
    parts = [part for part in CHOP.split(text) if part]
    return [int(part) if part.isdecimal() and len(part) < 10 else part for part in parts]
