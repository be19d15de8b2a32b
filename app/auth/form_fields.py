"""Build form fields that several forms share: email address, passwords and lists of checkboxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Email, Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.auth import passwords
from app.auth.password_text import form_error


def validate_new_password(form: FlaskForm, field: PasswordField) -> None:
    """Reject a password that is too short or long, easy to guess, leaked, or made of the user's address."""
    email = (
        form.email.data if "email" in form else current_user.email if current_user.is_authenticated else ""
    )
    typed = field.data or ""
    reason = form_error(typed) or passwords.rejection_reason(typed, email or "")
    if reason is not None:
        raise ValidationError(reason)


def email_field(label: str) -> EmailField:
    """Return a required field for an email address."""
    return EmailField(
        label,
        [
            DataRequired("Enter your email address."),
            Email("That is not an email address.", allow_smtputf8=False),
            Length(max=254),
        ],
    )


def new_password_field(label: str) -> PasswordField:
    """Return a field for a password that is about to be set."""
    # No `maxlength`: a browser would cut a pasted password without a word.
    return PasswordField(label, [DataRequired("Choose a password."), validate_new_password])


def current_password_field(element_id: str) -> PasswordField:
    """Return a field for the current password; forms that share a page each give it another id."""
    return PasswordField("Current password", [DataRequired("Enter your current password.")], id=element_id)


def checkbox_list(
    label: str, choices: Mapping[str, str], error: str, default: Sequence[str] = ()
) -> SelectMultipleField:
    """Return a list of checkboxes, each with its value and its words; at least one has to be ticked."""

    def require_one(_: FlaskForm, field: SelectMultipleField) -> None:
        # DataRequired would mark every single box as required in the browser.
        if not field.data:
            raise ValidationError(error)

    return SelectMultipleField(
        label,
        [require_one],
        choices=[SelectChoice(value, f"{words} ({value})") for value, words in choices.items()],
        default=list(default),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
