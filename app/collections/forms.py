"""The form of a collection."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import ValidationError

from app.models.display_names import MAX_READ
from app.models.sample_places import MAX_COLLECTION_NAME, collection_name


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
