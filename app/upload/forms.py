"""The upload form. Without JavaScript it sends all files in one request."""

from __future__ import annotations

from flask_wtf import FlaskForm
from flask_wtf.file import MultipleFileField
from wtforms import HiddenField, IntegerField
from wtforms.validators import NumberRange, Optional


class UploadForm(FlaskForm):
    audio = MultipleFileField("Audio files")
    batch = HiddenField()
    batch_files = IntegerField(validators=[Optional(), NumberRange(1)])
