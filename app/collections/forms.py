"""The forms of collections: a new name, and where to move samples."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import ValidationError

from app.models.display_names import MAX_READ
from app.models.sample_places import MAX_COLLECTION_NAME, SamplePlace, collection_name


class CollectionForm(FlaskForm):
    """The name of a collection."""

    name = StringField("Name")

    def validate_name(self, field: StringField) -> None:
        """Refuse a name that shows nothing, or that would be cut."""
        typed = (field.data or "")[:MAX_READ]
        field.data = collection_name(typed)
        if not field.data:
            raise ValidationError("Give the collection a name.")
        if len(typed.strip()) > MAX_COLLECTION_NAME:
            raise ValidationError(f"A name has at most {MAX_COLLECTION_NAME} characters.")


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
