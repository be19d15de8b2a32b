"""The forms below /settings."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.auth.form_fields import email_field, new_password_field
from app.models.api_token import EXPORTS_WRITE, JOBS_READ, SAMPLES_READ, SAMPLES_WRITE

ABILITY_LABELS = {
    SAMPLES_READ: "list, search and download samples",
    SAMPLES_WRITE: "upload, correct and delete samples, have them analysed and described again, cancel jobs",
    JOBS_READ: "see how far a job is",
    EXPORTS_WRITE: "make WAVs for the SP-404MKII",
}
TOKEN_LIFETIMES = {"30": "30 days", "90": "90 days", "365": "a year", "0": "until it is revoked"}


def current_password_field(id_: str) -> PasswordField:
    """Several forms on one page ask for it, so each needs an id of its own."""
    return PasswordField("Present password", [DataRequired("Enter your present password.")], id=id_)


class ChangePasswordForm(FlaskForm):
    current = current_password_field("password-current")
    password = new_password_field("New password")


class TwoFactorOffForm(FlaskForm):
    current = current_password_field("off-current")


class ChangeEmailForm(FlaskForm):
    email = email_field("New address")
    current = current_password_field("email-current")


def require_one_ability(_: FlaskForm, field: SelectMultipleField) -> None:
    """Not DataRequired, which would have the browser demand every box."""
    if not field.data:
        raise ValidationError("Choose at least one thing it may do.")


class AiForm(FlaskForm):
    ai_allowed = BooleanField("Let a model describe my samples")
    ai_model = SelectField(
        "Asked first", [Optional()], description="The others are asked when it does not answer."
    )


class TwoFactorOnForm(FlaskForm):
    code = StringField("Code", [DataRequired("Enter the code the app shows."), Length(max=20)])


class CloseAccountForm(FlaskForm):
    email = StringField("Your email address, to be sure", [DataRequired("Enter your email address.")])
    current = PasswordField("Present password")


class TokenForm(FlaskForm):
    name = StringField(
        "Name",
        [DataRequired("Give it a name, so that you know it again."), Length(max=60)],
        description="Where it is used: laptop, backup script",
    )
    abilities = SelectMultipleField(
        "It may",
        [require_one_ability],
        choices=[SelectChoice(name, f"{name}: {words}") for name, words in ABILITY_LABELS.items()],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    days = SelectField(
        "It works for", choices=[SelectChoice(*pair) for pair in TOKEN_LIFETIMES.items()], default="90"
    )
