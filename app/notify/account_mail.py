"""Compose the short mails about an account: what happened, one link, and what to do if it was not you."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import render_template

from app.extensions import db
from app.integrations.mailer import Mail
from app.models import MailLink, OutboxMessage, User
from app.notify import address_mail, message_kinds
from app.notify.account_notice import IF_NOT_REQUESTED, AccountNotice
from app.notify.external_urls import external_url
from app.notify.signed_tokens import (
    account_export_token,
    are_links_ended,
    export_token,
    link_token,
    registration_token,
)

IF_NOT_YOU = "If this was not you, set a new password now. That signs out every browser."


def compose(message: OutboxMessage) -> Mail | None:
    """Return the mail for a message, or None if it is out of date, such as a link that was used."""
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
    text = "Choose a password, and your account is ready. The link works for two days."
    return AccountNotice(to, "Finish signing up", (text, IF_NOT_REQUESTED), url, "Choose a password")


def _account_exists(message: OutboxMessage) -> AccountNotice:
    texts = (
        "Somebody tried to sign up with this address. You already have an account, so just sign in.",
        f"If you forgot your password, set a new one: {external_url('auth.forgot')}",
        "If this was not you, ignore this email. Nothing was changed.",
    )
    url = external_url("auth.sign_in")
    return AccountNotice(message.payload["to"], "You already have an account", texts, url, "Sign in")


def _verify(message: OutboxMessage) -> AccountNotice | None:
    text = "Confirm that this address is yours. The link works for two days."
    return _link_notice(message, "auth.verify", "Confirm your email address", text, "Confirm address")


def _reset(message: OutboxMessage) -> AccountNotice | None:
    text = "Somebody asked for a new password for this account. The link works once, within one hour."
    return _link_notice(message, "auth.reset", "Set a new password", text, "Set a new password")


def _sign_in_link(message: OutboxMessage) -> AccountNotice | None:
    text = (
        "Somebody entered too many wrong passwords or codes for your account. Until that stops, you can sign "
        "in on a new device only with a link that we email you. This one works once, within two hours."
    )
    return _link_notice(message, "auth.sign_in_by_link", "Your link to sign in", text, "Sign in")


def _link_notice(
    message: OutboxMessage, endpoint: str, subject: str, text: str, label: str
) -> AccountNotice | None:
    """Return the mail that carries a link, or None if the link has been used or has expired."""
    link = db.session.get(MailLink, message.payload["link_id"])
    if link is None or not link.is_live:
        return None
    url = external_url(endpoint, token=link_token(link))
    return AccountNotice(link.email, subject, (text, IF_NOT_REQUESTED), url, label)


def _password_changed(message: OutboxMessage) -> AccountNotice:
    to, url = _owner_email(message), external_url("auth.forgot")
    text = (
        "The password of your account was changed. Every other browser was signed out, and links in our "
        "earlier emails no longer work."
    )
    return AccountNotice(to, "Your password was changed", (text, IF_NOT_YOU), url, "Set a new password")


def _two_factor(message: OutboxMessage) -> AccountNotice:
    is_on = message.payload["is_on"]
    change = "now requires" if is_on else "no longer requires"
    text = f"Signing in to your account {change} a code from your authenticator app."
    subject = f"Two-factor authentication is {'on' if is_on else 'off'}"
    url = external_url("auth.forgot")
    return AccountNotice(_owner_email(message), subject, (text, IF_NOT_YOU), url, "Set a new password")


def _codes_guessed(message: OutboxMessage) -> AccountNotice:
    text = (
        "Somebody entered your password, and then too many wrong codes for the second step. "
        "Nobody got in, but whoever it was knows your password."
    )
    to, url = _owner_email(message), external_url("auth.forgot")
    return AccountNotice(to, "Somebody knows your password", (text, IF_NOT_YOU), url, "Set a new password")


def _export_ready(message: OutboxMessage) -> AccountNotice | None:
    """Return the mail with the link to an export, or None if all the owner's links were ended meanwhile."""
    if are_links_ended(message.user_id, since=message.created_at):
        return None
    text = (
        "Everything in your account is now in one ZIP. Anyone with the link can download it for a week, or "
        "until you make the next one."
    )
    token = account_export_token(message.payload["key"], message.user_id or "", message.created_at)
    url = external_url("account.export", token=token)
    return AccountNotice(_owner_email(message), "Your data is ready", (text,), url, "Download the ZIP")


def _export_failed(message: OutboxMessage) -> AccountNotice:
    why = "our disk was full" if message.payload["is_full"] else "our storage could not be reached"
    text = f"We could not make the ZIP of your data, because {why}. Nothing is lost. Ask for it again."
    url = external_url("account.data")
    return AccountNotice(_owner_email(message), "Your data could not be exported", (text,), url, "Your data")


def _account_deleted(message: OutboxMessage) -> AccountNotice:
    to, subject = message.payload["to"], "Your account has been deleted"
    text = "Your account and every sample in it have been deleted. This is the last email we'll send you."
    if message.payload["key"] is None:
        sorry = "We tried many times to make the ZIP of your data, but could not. We're sorry."
        url = external_url("pages.landing")
        return AccountNotice(to, subject, (text, sorry), url, "Go to the home page")
    until = message.payload.get("until")
    span = f"until {datetime.fromisoformat(until):%-d %B %Y, %H:%M} UTC" if until else "for a week"
    archive = f"Everything that was in it is in one ZIP. Anyone with the link can download it {span}. "
    texts = (text, archive + "Then we delete the ZIP too.")
    url = external_url("account.export", token=export_token(message.payload["key"]))
    return AccountNotice(to, subject, texts, url, "Download the ZIP")


def _owner_email(message: OutboxMessage) -> str:
    return db.session.get_one(User, message.user_id).email


NOTICE_BUILDERS: dict[str, Callable[[OutboxMessage], AccountNotice | None]] = {
    message_kinds.REGISTER: _register,
    message_kinds.ACCOUNT_EXISTS: _account_exists,
    message_kinds.VERIFY_EMAIL: _verify,
    message_kinds.RESET_PASSWORD: _reset,
    message_kinds.CONFIRM_EMAIL: address_mail.confirm_change,
    message_kinds.CHANGE_REQUESTED: address_mail.change_requested,
    message_kinds.CHANGE_STOPPED: address_mail.change_stopped,
    message_kinds.SIGN_IN_LINK: _sign_in_link,
    message_kinds.EMAIL_CHANGED: address_mail.email_changed,
    message_kinds.PASSWORD_CHANGED: _password_changed,
    message_kinds.TWO_FACTOR: _two_factor,
    message_kinds.CODES_GUESSED: _codes_guessed,
    message_kinds.EXPORT_READY: _export_ready,
    message_kinds.EXPORT_FAILED: _export_failed,
    message_kinds.ACCOUNT_DELETED: _account_deleted,
}
