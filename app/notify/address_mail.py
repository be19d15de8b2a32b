"""Compose the mails about a change of address: who asked for it, from where, and how to stop it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from app.extensions import db
from app.mail_addresses import readable_address
from app.models import MailLink, OutboxMessage
from app.notify.account_notice import IF_NOT_REQUESTED, AccountNotice
from app.notify.external_urls import external_url
from app.notify.signed_tokens import link_token

TELL_OPERATOR = "If this was not you, tell the people who run this service right away."
WHAT_STOPPING_DOES = (
    "If you stop it, your account uses this address, every browser is signed out, and your password, every "
    "API token and every link we emailed stop working. We'll email you a link to set a new password."
)


def confirm_change(message: OutboxMessage) -> AccountNotice | None:
    """Return the mail to the new address, or None if the link no longer works."""
    link = db.session.get(MailLink, message.payload["link_id"])
    if link is None or not link.is_live:
        return None
    texts = (
        "Somebody asked to use this address for their account from now on.",
        _who_asked(link),
        "If that was you, confirm it. The link works for one day.",
        IF_NOT_REQUESTED,
    )
    url = external_url("auth.confirm_email", token=link_token(link))
    return AccountNotice(link.email, "Confirm your new email address", texts, url, "Use this address")


def change_requested(message: OutboxMessage) -> AccountNotice | None:
    """Return the mail to the old address, or None if the change was stopped or made in the meantime."""
    stop = db.session.get(MailLink, message.payload["link_id"])
    if stop is None or not stop.is_live or stop.changed_at is not None:
        return None
    texts = (
        f"Somebody asked to change the email address of your account to {_new_address(stop)}. "
        "Nothing changes until the link we sent to that address is used.",
        _who_asked(stop),
        "If this was you, there is nothing to do. If it was not, stop it now. "
        "The link works for 72 hours, even after the change.",
        WHAT_STOPPING_DOES,
    )
    return AccountNotice(
        stop.email, "Somebody asked to change your email address", texts, _stop_url(stop), "Stop the change"
    )


def email_changed(message: OutboxMessage) -> AccountNotice | None:
    """Return the mail to the old address after the change, or None if the change was stopped meanwhile."""
    if "link_id" not in message.payload:  # enqueued by the previous version
        text = f"The email address of your account was changed to {message.payload['email']}."
        return _changed_notice(message.payload["to"], (text, TELL_OPERATOR))
    stop = db.session.get(MailLink, message.payload["link_id"])
    if stop is None or not stop.is_live:
        return None
    texts = (
        f"The email address of your account was changed to {_new_address(stop)}.",
        _who_asked(stop),
        f"If this was not you, stop it. The link works until {_local_time(stop.expires_at, stop)}.",
        WHAT_STOPPING_DOES,
    )
    return AccountNotice(
        stop.email, "Your email address was changed", texts, _stop_url(stop), "Stop the change"
    )


def change_stopped(message: OutboxMessage) -> AccountNotice:
    """Return the mail to the address that an account no longer has because the change was stopped."""
    old = readable_address(message.payload["email"])
    texts = (
        f"The change of your account's email address was stopped from the old address, {old}. "
        "The account has that address again, and nobody can sign in with this one.",
        TELL_OPERATOR,
    )
    subject, url = "The change of your email address was stopped", external_url("auth.sign_in")
    return AccountNotice(message.payload["to"], subject, texts, url, "Sign in")


def _changed_notice(to: str, texts: tuple[str, ...]) -> AccountNotice:
    return AccountNotice(to, "Your email address was changed", texts, external_url("auth.sign_in"), "Sign in")


def _who_asked(link: MailLink) -> str:
    browser = link.agent or "an unknown browser"
    network = f"the network {link.network}" if link.network else "an unknown network"
    return f"Requested on {_local_time(link.created_at, link)}, with {browser}, from {network}."


def _local_time(time: datetime, link: MailLink) -> str:
    zone = link.user.timezone
    return f"{time.astimezone(ZoneInfo(zone)):%-d %B %Y, %H:%M} ({zone})"


def _new_address(stop: MailLink) -> str:
    change = db.session.get(MailLink, stop.change_id) if stop.change_id else None
    return readable_address(change.email) if change is not None else "another one"


def _stop_url(stop: MailLink) -> str:
    return external_url("auth.stop_change", token=link_token(stop))
