"""The short mails about an account: what happened, one link, and what to do when it was not you."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import render_template

from app.extensions import db
from app.integrations.mail import Mail
from app.models import MailLink, OutboxMessage, User
from app.notify import kinds
from app.notify.addresses import external_url
from app.notify.signing import export_token, registering_token, token_of

NOT_YOU = "If this was not you, set a new password at once: all other sessions end with it."
IGNORE = "If you did not ask for this, do nothing: without the link nothing changes."


@dataclass(frozen=True)
class Notice:
    to: str
    subject: str
    sentences: tuple[str, ...]
    url: str
    label: str


def compose(message: OutboxMessage) -> Mail | None:
    """The mail for a message; None when it has nothing to say any more."""
    notice = NOTICES[message.kind](message)
    if notice is None:
        return None
    return Mail(
        to=notice.to,
        subject=notice.subject,
        text=render_template("emails/notice.txt", notice=notice),
        html=render_template("emails/notice.html", notice=notice),
        unsubscribe_url=external_url("auth.account_settings"),
        key=message.key,
    )


def _register(message: OutboxMessage) -> Notice:
    to = message.payload["to"]
    url = external_url("auth.finish_registration", token=registering_token(to))
    words = "Choose a password, and your account is ready. The link works for two days."
    return Notice(to, "Complete your registration", (words, IGNORE), url, "Choose a password")


def _account_exists(message: OutboxMessage) -> Notice:
    words = "Somebody wanted to register with this address, and you have an account already: sign in with it."
    forgotten = f"A new password, if you need one: {external_url('auth.forgot')}"
    not_you = "If this was not you, do nothing: nothing was changed."
    sentences = (words, forgotten, not_you)
    return Notice(
        message.payload["to"], "You have an account", sentences, external_url("auth.sign_in"), "Sign in"
    )


def _verify(message: OutboxMessage) -> Notice | None:
    link = _live(message)
    if link is None:
        return None
    url = external_url("auth.verify", token=token_of(link))
    words = "Confirm that this address is yours. The link works for two days."
    return Notice(link.email, "Confirm your email address", (words, IGNORE), url, "Confirm the address")


def _reset(message: OutboxMessage) -> Notice | None:
    link = _live(message)
    if link is None:
        return None
    url = external_url("auth.reset", token=token_of(link))
    words = "Somebody asked for a new password for this account. The link works once, for one hour."
    return Notice(link.email, "A new password", (words, IGNORE), url, "Set a new password")


def _confirm(message: OutboxMessage) -> Notice | None:
    link = _live(message)
    if link is None:
        return None
    url = external_url("auth.confirm_email", token=token_of(link))
    words = "Confirm that you want to sign in with this address from now on. The link works for one day."
    return Notice(link.email, "Confirm your new email address", (words, IGNORE), url, "Use this address")


def _email_changed(message: OutboxMessage) -> Notice:
    words = f"The email address of your account was changed to {message.payload['email']}."
    not_you = "If this was not you, answer whoever runs this service at once."
    url = external_url("auth.sign_in")
    return Notice(message.payload["to"], "Your email address was changed", (words, not_you), url, "Sign in")


def _password_changed(message: OutboxMessage) -> Notice:
    user = db.session.get_one(User, message.user_id)
    words = "The password of your account was changed, and all other sessions were ended."
    url = external_url("auth.forgot")
    return Notice(user.email, "Your password was changed", (words, NOT_YOU), url, "Set a new password")


def _two_factor(message: OutboxMessage) -> Notice:
    user = db.session.get_one(User, message.user_id)
    on = message.payload["is_on"]
    words = f"Signing in to your account {'now asks' if on else 'no longer asks'} for a second step."
    subject = f"The second step is {'on' if on else 'off'}"
    return Notice(user.email, subject, (words, NOT_YOU), external_url("auth.forgot"), "Set a new password")


def _export_ready(message: OutboxMessage) -> Notice:
    user = db.session.get_one(User, message.user_id)
    words = "Everything of your account is in one ZIP now. The link works for a week, for whoever has it."
    return Notice(user.email, "Your data is ready", (words,), _export_url(message), "Download the ZIP")


def _farewell(message: OutboxMessage) -> Notice:
    words = "Your account is deleted, with every sample in it. This is the last mail from here."
    kept = "What was in it is in one ZIP. The link works for a week, for whoever has it; then it is gone too."
    to = message.payload["to"]
    return Notice(to, "Your account is deleted", (words, kept), _export_url(message), "Download the ZIP")


def _export_url(message: OutboxMessage) -> str:
    return external_url("account.export", token=export_token(message.payload["key"]))


def _live(message: OutboxMessage) -> MailLink | None:
    link = db.session.get(MailLink, message.payload["link_id"])
    return link if link is not None and link.is_live else None


NOTICES: dict[str, Callable[[OutboxMessage], Notice | None]] = {
    kinds.REGISTER: _register,
    kinds.ACCOUNT_EXISTS: _account_exists,
    kinds.VERIFY_EMAIL: _verify,
    kinds.RESET_PASSWORD: _reset,
    kinds.CONFIRM_EMAIL: _confirm,
    kinds.EMAIL_CHANGED: _email_changed,
    kinds.PASSWORD_CHANGED: _password_changed,
    kinds.TWO_FACTOR: _two_factor,
    kinds.EXPORT_READY: _export_ready,
    kinds.FAREWELL: _farewell,
}
