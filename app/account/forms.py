"""The forms of the account settings."""

from __future__ import annotations

from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Optional, ValidationError

from app.auth.form_fields import checkbox_list, current_password_field, email_field, new_password_field
from app.mail_addresses import normalize_address
from app.models.api_token import EXPORTS_WRITE, JOBS_READ, KITS_READ, KITS_WRITE, SAMPLES_READ, SAMPLES_WRITE

ABILITY_LABELS = {
    SAMPLES_READ: "list, search and download samples",
    SAMPLES_WRITE: "upload, correct and delete samples, analyse and describe them again, cancel jobs",
    KITS_READ: "list and read kits",
    KITS_WRITE: "make, change and delete kits",
    JOBS_READ: "follow the progress of jobs",
    EXPORTS_WRITE: "make WAVs for the SP-404MKII",
}
TOKEN_LIFETIMES = {"30": "After 30 days", "90": "After 90 days", "365": "After 1 year", "0": "Never"}


class ChangePasswordForm(FlaskForm):
    current = current_password_field("password-current")
    password = new_password_field("New password")
    end_tokens = BooleanField()


class TwoFactorOffForm(FlaskForm):
    current = current_password_field("off-current")


class ChangeEmailForm(FlaskForm):
    email = email_field("New address")
    current = current_password_field("email-current")

    def validate_email(self, field: StringField) -> None:
        if normalize_address(field.data or "") == normalize_address(current_user.email):
            raise ValidationError("Your account has this address already.")


class AiForm(FlaskForm):
    ai_allowed = BooleanField("Let AI describe my samples")
    ai_model = SelectField(
        "Preferred AI model", [Optional()], description="If it does not answer, the others are asked."
    )


class TwoFactorOnForm(FlaskForm):
    code = StringField("Code", [DataRequired("Enter the code your app shows."), Length(max=20)])


class CloseAccountForm(FlaskForm):
    email = StringField("Your email address, to confirm", [DataRequired("Enter your email address.")])
    current = PasswordField("Current password")


class TokenForm(FlaskForm):
    name = StringField(
        "Name",
        [DataRequired("Give the token a name, so you can tell it apart later."), Length(max=60)],
        description="Where you use it, such as laptop or backup script",
    )
    abilities = checkbox_list("Permissions", ABILITY_LABELS, "Choose at least one permission.")
    days = SelectField(
        "Expires", choices=[SelectChoice(*pair) for pair in TOKEN_LIFETIMES.items()], default="90"
    )
