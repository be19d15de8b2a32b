"""What the bar of the library can set on all selected samples. A field that is left alone changes nothing."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import DecimalField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, NumberRange, Optional, ValidationError

from app.library.forms import KEY_CHOICES, TEMPO_MESSAGE, require_finite
from app.library.samples import parse_tags
from app.models.corrections import MAX_BPM, MIN_BPM
from app.models.sample_places import SamplePlace
from app.music.sound_classes import KINDS, STORED_SOUNDS

LEAVE, NONE = "", "none"
LEFT_ALONE = SelectChoice(LEAVE, "as it is")
WITHOUT = SelectChoice(NONE, "none")


class BulkTagsForm(FlaskForm):
    """Tags to add to the selected samples, and tags to take away."""

    add = StringField("Add tags", [Length(max=900)], description="Separated by commas")
    remove = StringField("Remove tags", [Length(max=900)])

    def validate_remove(self, _: StringField) -> None:
        """Refuse a form that would change nothing."""
        if not self.added and not self.removed:
            raise ValidationError("Enter a tag to add or to remove.")

    @property
    def added(self) -> list[str]:
        return parse_tags(self.add.data or "")

    @property
    def removed(self) -> list[str]:
        return parse_tags(self.remove.data or "")


class BulkValuesForm(FlaskForm):
    """Kind, sound, key and tempo for the selected samples."""

    kind = SelectField(
        "Kind", default=LEAVE, choices=[LEFT_ALONE, *(SelectChoice(kind, kind) for kind in KINDS)]
    )
    sound = SelectField(
        "Sound type",
        default=LEAVE,
        choices=[LEFT_ALONE, WITHOUT, *(SelectChoice(sound, sound) for sound in STORED_SOUNDS)],
        id="selected-sound",  # the player's element is `sound`
    )
    key = SelectField("Key", default=LEAVE, choices=[LEFT_ALONE, WITHOUT, *KEY_CHOICES])
    bpm = DecimalField(
        "BPM", [Optional(), require_finite, NumberRange(MIN_BPM, MAX_BPM, TEMPO_MESSAGE)], places=2
    )

    @property
    def corrections(self) -> dict[str, Any]:
        """The values that were given; None says that the sounds have no such value."""
        chosen = {name: self[name].data for name in ("kind", "sound", "key") if self[name].data}
        given = {name: None if value == NONE else value for name, value in chosen.items()}
        return given if self.bpm.data is None else given | {"bpm": float(self.bpm.data)}


class MoveForm(FlaskForm):
    """Where the selected samples are moved: to a collection, and a folder in it."""

    collection = StringField("Collection")
    folder = StringField("Folder")

    def validate_collection(self, field: StringField) -> None:
        """Refuse a form that names no collection."""
        if not self.place.collection:
            raise ValidationError("Enter the collection's name, one that you have or a new one.")

    @property
    def place(self) -> SamplePlace:
        """Return the place, as it is stored."""
        return SamplePlace.from_texts(self.collection.data, self.folder.data)
