"""Fields that several forms have: an address, and a new password."""

from __future__ import annotations

from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField
from wtforms.validators import DataRequired, Email, Length, ValidationError

from app.auth import passwords
from app.auth.passwords import MAX_LENGTH, MIN_LENGTH


def validate_strength(form: FlaskForm, field: PasswordField) -> None:
    """Neither easily guessed nor known from breaches, nor made of one's own address."""
    email = (
        form.email.data if "email" in form else current_user.email if current_user.is_authenticated else ""
    )
    refusal = passwords.rejection_reason(field.data or "", email or "")
    if refusal is not None:
        raise ValidationError(refusal)


def email_field(label: str) -> EmailField:
    return EmailField(
        label,
        [
            DataRequired("Enter your email address."),
            Email("That is not an email address.", allow_smtputf8=False),
            Length(max=254),
        ],
    )


def new_password_field(label: str) -> PasswordField:
    sentence = f"Use {MIN_LENGTH} to {MAX_LENGTH} characters; a short sentence works well."
    return PasswordField(
        label,
        [DataRequired("Choose a password."), Length(MIN_LENGTH, MAX_LENGTH, sentence), validate_strength],
    )
