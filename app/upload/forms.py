"""The forms of the upload page. Without JavaScript the page sends all files in one request."""

from __future__ import annotations

from flask_wtf import FlaskForm
from flask_wtf.file import MultipleFileField
from wtforms import HiddenField, IntegerField
from wtforms.validators import InputRequired, NumberRange, Optional

from app.models.sample_places import SamplePlace


class UploadPageForm(FlaskForm):
    audio = MultipleFileField("Audio files")
    batch = HiddenField()
    batch_files = IntegerField(validators=[Optional(), NumberRange(1)])
    collection = HiddenField()
    folder = HiddenField()

    @property
    def place(self) -> SamplePlace:
        """Return where the samples will be kept."""
        return SamplePlace.from_texts(self.collection.data, self.folder.data)


class LinkForm(UploadPageForm):
    """The form the page's script sends to get an upload link for one file."""

    filename = HiddenField()
    size_bytes = IntegerField(validators=[InputRequired(), NumberRange(0)])
