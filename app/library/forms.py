"""The forms on a sample's page. A value that is sent back as the form showed it is no correction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from flask_wtf import FlaskForm
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict
from wtforms import (
    DecimalField,
    FieldList,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, DataRequired, Length, NumberRange, Optional, StopValidation
from wtforms.widgets import CheckboxInput

from app.library.samples import parse_tags
from app.models import Sample
from app.models.corrections import MAX_BPM, MIN_BPM, SOUND_FIELDS, VIBE_FIELDS
from app.models.display_names import MAX_READ, visible_text
from app.music import musical_keys
from app.music.sound_classes import KINDS, LOOP, ONE_SHOT, STORED_SOUNDS, TEXTURE, sounds_of_kind
from app.vibe import vocabulary
from app.vibe.vibe_schema import MAX_DESCRIPTION_CHARACTERS, MAX_GENRES, MAX_MOODS, VibeCorrection

KEY_CHOICES = [
    SelectChoice(key, f"{key} · {musical_keys.camelot_code(key)}") for key in musical_keys.ALL_KEYS
]
SOUND_HINTS = {
    TEXTURE: "A texture has no sound type.",
    LOOP: "For the types of one-shots, save that kind first.",
    ONE_SHOT: "For the types of loops, save that kind first.",
}
TEMPO_MESSAGE = "Enter a tempo from 20 to 400 BPM."
# What to do about a field that the vibe's schema refuses.
FIELD_MESSAGES = {
    "energy": "Enter a whole number from 0 to 100.",
    "instruments": "Choose up to six instruments.",
    "character": "Choose up to eight words.",
    "description": (
        f"Write one plain sentence of 3 to {MAX_DESCRIPTION_CHARACTERS} characters, without links or markup."
    ),
    "tags": (
        "Enter up to eight keywords, separated by commas. Each has 2 to 24 characters: letters a to z, "
        "digits and hyphens."
    ),
}


def require_finite(_: FlaskForm, field: DecimalField) -> None:
    """Refuse NaN and infinity, before a range check fails on a signalling NaN."""
    if field.data is not None and not field.data.is_finite():
        raise StopValidation(TEMPO_MESSAGE)


def select_one(label: str, words: Iterable[str], blank: str = "–", **options: Any) -> SelectField:
    """Return a field with these words as choices and a blank one before them."""
    choices = [SelectChoice("", blank), *(SelectChoice(word, word) for word in words)]
    return SelectField(label, choices=choices, **options)


class EditForm(FlaskForm):
    """A form that remembers the values it showed.

    The page may stay open while the sample is analysed or described again. Values that are sent back as they
    were shown then must not count as corrections.
    """

    shown = HiddenField()

    def __init__(self, sent: Mapping[str, Any] | None, shown: Mapping[str, Any], **options: Any) -> None:
        super().__init__(sent, data=shown, **options)
        self._was = {name: _as_json(value) for name, value in shown.items()}
        if self.shown.data:
            self._was |= _parse_shown(self.shown.data)
        else:
            self.shown.data = json.dumps(self._was)

    def is_changed(self, name: str) -> bool:
        """Say whether the user has changed a field from what the form showed."""
        now, was = _as_json(self[name].data), self._was[name]
        if isinstance(self[name], SelectMultipleField):  # checkboxes are sent in the page's order
            return not isinstance(was, list) or {*now} != {*map(str, was)}
        return bool(now != was)


class SampleForm(EditForm):
    """The name, the tags, and what was measured of a sample. The page sends one field at a time."""

    name = StringField("Name", [DataRequired("A sample needs a name."), Length(max=200)], id="sample-name")
    tags = StringField(
        "Tags",
        [Length(max=900)],
        id="sample-tags",
        description="Separated by commas: dusty, intro, sp-404",
    )
    bpm = DecimalField(
        "BPM",
        [Optional(), require_finite, NumberRange(MIN_BPM, MAX_BPM, TEMPO_MESSAGE)],
        places=2,
        id="sample-bpm",
        description="Leave empty if the sound has no tempo.",
    )
    key = SelectField("Key", choices=[SelectChoice("", "none"), *KEY_CHOICES], id="sample-key")
    kind = SelectField("Kind", choices=[SelectChoice(kind, kind) for kind in KINDS], id="sample-kind")
    sound = select_one(
        "Sound type",
        STORED_SOUNDS,
        "none",
        id="sample-sound",
        validate_choice=False,  # a list of the kind is shown, and the kind may be another by now
        validators=[AnyOf(("", *STORED_SOUNDS), "Not a valid choice.")],
    )

    def __init__(self, sample: Sample, sent: Mapping[str, Any] | None = None) -> None:
        shown = {"name": sample.name, "tags": ", ".join(sample.tag_names)}
        shown |= {"key": sample.key or "", "kind": sample.kind, "sound": sample.sound or ""}
        bpm = None if sample.bpm is None else round(Decimal(sample.bpm), 2)
        if sent is not None:  # a button, such as "Use 186 BPM", sends only its own field
            sent = MultiDict(shown | {"bpm": "" if bpm is None else str(bpm)} | dict(sent.items()))
        super().__init__(sent, shown | {"bpm": bpm})
        self._offer_sounds_of_kind()

    def _offer_sounds_of_kind(self) -> None:
        """Offer the sounds of the chosen kind, and the one that is chosen."""
        offered = dict.fromkeys((*sounds_of_kind(self.kind.data), self.sound.data or ""))
        self.sound.choices = [
            SelectChoice("", "none"),
            *(SelectChoice(each, each) for each in offered if each),
        ]
        self.sound.description = SOUND_HINTS.get(self.kind.data, "")

    def shown_of(self, name: str) -> str:
        """Return what `shown` says when a field is sent alone: the others may be measured again meanwhile."""
        return json.dumps({name: self._was[name]})

    def changed(self, name: str) -> str | None:
        """Return the value of a field that was changed, None for one that was not."""
        return self[name].data if self.is_changed(name) else None

    @property
    def corrections(self) -> dict[str, Any]:
        """The changed fields of the measurement; None says that the sound has no such value."""
        changed = {name: self[name].data or None for name in SOUND_FIELDS if self.is_changed(name)}
        return {name: float(each) if isinstance(each, Decimal) else each for name, each in changed.items()}


class VibeForm(EditForm):
    """The description of a sample.

    An empty field resets the correction to what was found; empty genres, instruments and keywords mean none.
    """

    description = TextAreaField("Description", description="One plain sentence.")
    moods = FieldList(
        select_one("Mood", sorted(vocabulary.MOODS)), "Moods", min_entries=MAX_MOODS, max_entries=MAX_MOODS
    )
    character = SelectMultipleField(
        "Character",
        choices=[SelectChoice(word, word) for word in vocabulary.CHARACTERS],
        option_widget=CheckboxInput(),
    )
    energy = StringField("Energy", description="0 is calm, 100 is full on.")
    texture = select_one("Texture", sorted(vocabulary.TEXTURES))
    era = select_one("Era", vocabulary.ERAS)
    genres = FieldList(
        select_one("Genre", sorted(vocabulary.GENRES)),
        "Genres",
        min_entries=MAX_GENRES,
        max_entries=MAX_GENRES,
    )
    instruments = SelectMultipleField(
        "Instruments",
        choices=[SelectChoice(name, name) for name in vocabulary.INSTRUMENTS],
        option_widget=CheckboxInput(),
    )
    use = select_one("Good for", vocabulary.USES)
    role = select_one("Role", vocabulary.ROLES)
    tags = StringField("Keywords", description="Separated by commas: vinyl, head-nod")

    def __init__(self, sample: Sample, sent: Mapping[str, Any] | None = None) -> None:
        self._found, self._vibe = sample.found(), sample.vibe
        super().__init__(sent, _shown_values(sample.vibe), prefix="vibe")
        self.corrections: dict[str, Any] = {}
        self.reset: list[str] = []

    def validate(self, extra_validators: Any = None) -> bool:
        """Check what was changed against the same schema as a model's answer."""
        if not super().validate(extra_validators):
            return False
        changed = {name: self._value(name) for name in VIBE_FIELDS if self.is_changed(name)}
        try:
            correction = VibeCorrection(**changed)
        except ValidationError as error:
            for name in {str(each["loc"][0]) for each in error.errors()}:
                self[name].errors = [FIELD_MESSAGES.get(name, "Choose from the list.")]
            return False
        self.corrections = correction.model_dump(exclude_none=True)
        self.reset = [name for name, value in changed.items() if value is None]
        return True

    def _value(self, name: str) -> Any:
        """Return a field as the schema takes it; None for a field that was emptied to reset it."""
        data = self[name].data
        if name == "moods":
            return [mood for mood in data if mood] or None
        if name == "character":
            return data
        if name in ("genres", "instruments"):
            return self._named(name, [each for each in data if each])
        if name == "tags":
            return parse_tags(data)
        return visible_text(data[:MAX_READ]) or None

    def _named(self, name: str, chosen: list[str]) -> list[dict[str, Any]]:
        """Return chosen genres or instruments; known ones keep their weight, or whether they are heard."""
        known = {each["name"]: each for vibe in (self._found, self._vibe) for each in vibe.get(name) or ()}
        return [known.get(word, {"name": word}) for word in chosen]


def _as_json(value: Any) -> Any:
    """Return a value as it comes back from JSON, so that it can be compared with what was shown."""
    return value if value is None or isinstance(value, list) else str(value)


def _parse_shown(sent: str) -> dict[str, Any]:
    """Return the values a sent form says it has shown; none when they can't be read."""
    try:
        found = json.loads(sent)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _shown_values(vibe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a vibe as the form's fields show it; fields that it lacks are empty."""
    single = ("description", "energy", "texture", "era", "use", "role")
    return {name: str(vibe.get(name, "")) for name in single} | {
        "moods": _pad_list(vibe.get("moods", ()), MAX_MOODS),
        "genres": _pad_list((each["name"] for each in vibe.get("genres", ())), MAX_GENRES),
        "character": vibe.get("character", []),
        "instruments": [each["name"] for each in vibe.get("instruments", ())],
        "tags": ", ".join(vibe.get("tags", ())),
    }


def _pad_list(words: Iterable[str], count: int) -> list[str]:
    """Return exactly `count` words, filled up with empty ones."""
    return [*words, *[""] * count][:count]
