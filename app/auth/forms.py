"""The forms for signing in, registering, resetting a password and the general settings."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from app.auth.accounts import timezone_names
from app.auth.form_fields import email_field, new_password_field, typed_email_field, validate_reachable
from app.models.user import KEY_NOTATIONS

NOTATION_LABELS = ("Musical (A min)", "Camelot (8A)", "Both (A min · 8A)")


class SignInForm(FlaskForm):
    email = typed_email_field("Email")
    password = PasswordField("Password", [DataRequired("Enter your password.")])
    remember = BooleanField("Keep me signed in")


class RegisterForm(FlaskForm):
    email = email_field("Email")
    password = new_password_field("Password")
    timezone = HiddenField(default="UTC")


class RegisterEmailForm(FlaskForm):
    """The first half of registering where a link is mailed: only the address."""

    email = email_field("Email")


class ForgotPasswordForm(FlaskForm):
    email = typed_email_field("Email", [validate_reachable])


class ResetPasswordForm(FlaskForm):
    password = new_password_field("New password")
    end_tokens = BooleanField(default=True)


class SecondStepForm(FlaskForm):
    code = StringField(
        "Code",
        [DataRequired("Enter the code."), Length(max=40)],
        description="Six digits from your authenticator app, or a recovery code",
    )


class SettingsForm(FlaskForm):
    key_notation = SelectField(
        "Show keys as",
        choices=[SelectChoice(*pair) for pair in zip(KEY_NOTATIONS, NOTATION_LABELS, strict=True)],
    )
    timezone = SelectField("Time zone", choices=lambda: [SelectChoice(zone) for zone in timezone_names()])
    autoplay = BooleanField("Play a sample when the arrow keys select it")
    mail_on_completion = BooleanField("Email me when my jobs are done")
