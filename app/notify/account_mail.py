"""The short mails about an account: what happened, one link, and what to do when it was not you."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import render_template

from app.extensions import db
from app.integrations.mailer import Mail
from app.models import MailLink, OutboxMessage, User
from app.notify import message_kinds
from app.notify.external_urls import external_url
from app.notify.signed_tokens import export_token, link_token, registration_token

IF_NOT_YOU = "If this was not you, set a new password at once: all other sessions end with it."
IF_NOT_REQUESTED = "If you did not ask for this, do nothing: without the link nothing changes."


@dataclass(frozen=True)
class AccountNotice:
    to: str
    subject: str
    sentences: tuple[str, ...]
    url: str
    label: str


def compose(message: OutboxMessage) -> Mail | None:
    """The mail for a message; None when it has nothing to say any more."""
    notice = NOTICE_BUILDERS[message.kind](message)
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


def _register(message: OutboxMessage) -> AccountNotice:
    to = message.payload["to"]
    url = external_url("auth.finish_registration", token=registration_token(to))
    words = "Choose a password, and your account is ready. The link works for two days."
    return AccountNotice(
        to, "Complete your registration", (words, IF_NOT_REQUESTED), url, "Choose a password"
    )


def _account_exists(message: OutboxMessage) -> AccountNotice:
    words = "Somebody wanted to register with this address, and you have an account already: sign in with it."
    forgotten = f"A new password, if you need one: {external_url('auth.forgot')}"
    not_you = "If this was not you, do nothing: nothing was changed."
    sentences = (words, forgotten, not_you)
    return AccountNotice(
        message.payload["to"], "You have an account", sentences, external_url("auth.sign_in"), "Sign in"
    )


def _verify(message: OutboxMessage) -> AccountNotice | None:
    link = _live_link(message)
    if link is None:
        return None
    url = external_url("auth.verify", token=link_token(link))
    words = "Confirm that this address is yours. The link works for two days."
    return AccountNotice(
        link.email, "Confirm your email address", (words, IF_NOT_REQUESTED), url, "Confirm the address"
    )


def _reset(message: OutboxMessage) -> AccountNotice | None:
    link = _live_link(message)
    if link is None:
        return None
    url = external_url("auth.reset", token=link_token(link))
    words = "Somebody asked for a new password for this account. The link works once, for one hour."
    return AccountNotice(link.email, "A new password", (words, IF_NOT_REQUESTED), url, "Set a new password")


def _confirm(message: OutboxMessage) -> AccountNotice | None:
    link = _live_link(message)
    if link is None:
        return None
    url = external_url("auth.confirm_email", token=link_token(link))
    words = "Confirm that you want to sign in with this address from now on. The link works for one day."
    return AccountNotice(
        link.email, "Confirm your new email address", (words, IF_NOT_REQUESTED), url, "Use this address"
    )


def _email_changed(message: OutboxMessage) -> AccountNotice:
    words = f"The email address of your account was changed to {message.payload['email']}."
    not_you = "If this was not you, answer whoever runs this service at once."
    url = external_url("auth.sign_in")
    return AccountNotice(
        message.payload["to"], "Your email address was changed", (words, not_you), url, "Sign in"
    )


def _password_changed(message: OutboxMessage) -> AccountNotice:
    user = db.session.get_one(User, message.user_id)
    words = "The password of your account was changed, and all other sessions were ended."
    url = external_url("auth.forgot")
    return AccountNotice(
        user.email, "Your password was changed", (words, IF_NOT_YOU), url, "Set a new password"
    )


def _two_factor(message: OutboxMessage) -> AccountNotice:
    user = db.session.get_one(User, message.user_id)
    on = message.payload["is_on"]
    words = f"Signing in to your account {'now asks' if on else 'no longer asks'} for a second step."
    subject = f"The second step is {'on' if on else 'off'}"
    return AccountNotice(
        user.email, subject, (words, IF_NOT_YOU), external_url("auth.forgot"), "Set a new password"
    )


def _export_ready(message: OutboxMessage) -> AccountNotice:
    user = db.session.get_one(User, message.user_id)
    words = "Everything of your account is in one ZIP now. The link works for a week, for whoever has it."
    return AccountNotice(user.email, "Your data is ready", (words,), _export_url(message), "Download the ZIP")


def _account_deleted(message: OutboxMessage) -> AccountNotice:
    words = "Your account is deleted, with every sample in it. This is the last mail from here."
    kept = "What was in it is in one ZIP. The link works for a week, for whoever has it; then it is gone too."
    to = message.payload["to"]
    return AccountNotice(
        to, "Your account is deleted", (words, kept), _export_url(message), "Download the ZIP"
    )


def _export_url(message: OutboxMessage) -> str:
    return external_url("account.export", token=export_token(message.payload["key"]))


def _live_link(message: OutboxMessage) -> MailLink | None:
    link = db.session.get(MailLink, message.payload["link_id"])
    return link if link is not None and link.is_live else None


NOTICE_BUILDERS: dict[str, Callable[[OutboxMessage], AccountNotice | None]] = {
    message_kinds.REGISTER: _register,
    message_kinds.ACCOUNT_EXISTS: _account_exists,
    message_kinds.VERIFY_EMAIL: _verify,
    message_kinds.RESET_PASSWORD: _reset,
    message_kinds.CONFIRM_EMAIL: _confirm,
    message_kinds.EMAIL_CHANGED: _email_changed,
    message_kinds.PASSWORD_CHANGED: _password_changed,
    message_kinds.TWO_FACTOR: _two_factor,
    message_kinds.EXPORT_READY: _export_ready,
    message_kinds.ACCOUNT_DELETED: _account_deleted,
}
