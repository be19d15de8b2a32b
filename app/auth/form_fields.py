"""Build form fields that several forms share: email address, passwords and lists of checkboxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, StopValidation, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.auth import api_tokens, passwords
from app.auth.password_text import form_error
from app.extensions import db, settings
from app.integrations.mailer import MailError, takes_utf8_addresses
from app.mail_addresses import AddressError, needs_smtputf8, parse_address
from app.models import User
from app.plurals import join_words, pluralize

MAX_NAMED_TOKENS = 3
Validator = Callable[[FlaskForm, StringField], None]
NO_ACCENTS = (
    "Our mail server can't send to addresses with letters such as é or ü before the @. "
    "Use an address with plain letters there."
)
NOT_ASKED = (
    "This address has letters such as é or ü before the @. We can't check right now whether our mail "
    "server accepts them. Try again in a minute."
)


def validate_new_password(form: FlaskForm, field: PasswordField) -> None:
    """Reject a password that is too short or long, easy to guess, leaked, or made of the user's address."""
    email = (
        form.email.data if "email" in form else current_user.email if current_user.is_authenticated else ""
    )
    typed = field.data or ""
    reason = form_error(typed) or passwords.rejection_reason(typed, email or "")
    if reason is not None:
        raise ValidationError(reason)


def email_field(label: str) -> StringField:
    """Return a required field for an address that gets mail from us."""
    return typed_email_field(label, [validate_address, validate_reachable])


def typed_email_field(label: str, validators: Sequence[Validator] = ()) -> StringField:
    """Return a required field for an email address.

    It does not use `type="email"`: browsers refuse accents before the @ there, and rewrite domains.
    """
    return StringField(
        label,
        [DataRequired("Enter your email address."), *validators],
        render_kw={"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"},
    )


def validate_address(_: FlaskForm, field: StringField) -> None:
    """Reject what is not an email address."""
    try:
        parse_address(field.data or "")
    except AddressError as error:
        raise StopValidation("That is not an email address.") from error


def validate_reachable(_: FlaskForm, field: StringField) -> None:
    """Reject an address that the mail server can't send to; other fields keep what was typed."""
    reason = unreachable_reason(field.data or "")
    if reason is not None:
        raise ValidationError(reason)


def unreachable_reason(address: str) -> str | None:
    """Return why the mail server can't send to an address, or None. It reveals nothing about accounts."""
    if not needs_smtputf8(address):
        return None
    db.session.commit()  # no transaction is open while waiting for the mail server
    try:
        return None if takes_utf8_addresses(settings()) else NO_ACCENTS
    except MailError:
        return NOT_ASKED


def new_password_field(label: str) -> PasswordField:
    """Return a field for a password that is about to be set."""
    # No `maxlength`: a browser would cut a pasted password without saying so.
    return PasswordField(label, [DataRequired("Choose a password."), validate_new_password])


def current_password_field(element_id: str) -> PasswordField:
    """Return a field for the current password; forms that share a page each give it another id."""
    return PasswordField("Current password", [DataRequired("Enter your current password.")], id=element_id)


def offer_to_end_tokens(form: FlaskForm, user: User) -> None:
    """Name the API tokens that a new password can end too, or remove the box when there are none."""
    tokens = api_tokens.live_tokens(user)
    if not tokens:
        del form["end_tokens"]
        return
    names = [token.name for token in tokens[:MAX_NAMED_TOKENS]]
    more = [f"{len(tokens) - len(names)} more"] if len(tokens) > len(names) else []
    count = pluralize(len(tokens), "API token")
    form["end_tokens"].label.text = f"End {count} too: {join_words(names + more)}"


def wants_tokens_ended(form: FlaskForm) -> bool:
    """Return whether the box of `offer_to_end_tokens` is ticked."""
    return "end_tokens" in form and bool(form["end_tokens"].data)


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
