"""Change the address of an account by a mailed link, and stop the change from the old address.

The old address gets a link that works for 72 hours, both before and after the change. It undoes that change
and every later one; the link of a later change can't undo an earlier one.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from app.auth import access, passwords
from app.auth.accounts import EmailTakenError
from app.auth.requesters import Requester
from app.extensions import db
from app.mail_addresses import normalize_address
from app.models import MailLink, TwoFactor, User, WebhookEndpoint
from app.models.base import transaction, utcnow
from app.models.user_lookup import find_user
from app.models.user_session import CHANGE, RESET, STOP
from app.notify import mail_links, message_kinds, outbox
from app.notify.mail_links import DeadLinkError

log = logging.getLogger(__name__)

STOPPED = "A change of the account's email address was stopped, and this was added around that time."
# Whoever takes an account may secure it for themselves before they change its address.
SUSPECT_SPAN = timedelta(days=7)


def request_email_change(user: User, email: str, requester: Requester) -> None:
    """Mail a confirming link to the new address and a stopping link to the old one; nothing changes yet."""
    with transaction():
        mail_links.revoke_links(user, CHANGE)
        change = mail_links.enqueue_link(user, CHANGE, normalize_address(email), **requester._asdict())
        mail_links.enqueue_link(user, STOP, user.email, change_id=change.id, **requester._asdict())


def change_email(link: MailLink) -> None:
    """Switch to the address the link was mailed to, end every other link, and notify the old address.

    Raises EmailTakenError when another account has the address, or had it until a moment ago.
    """
    try:
        with transaction():
            user = _lock_user(link)
            if not mail_links.use_link(link):
                raise DeadLinkError
            new_email = normalize_address(link.email)  # the previous version stored it as typed
            _reject_taken(new_email, user)
            stop = _stop_link(link, user)
            stop.changed_at, stop.expires_at = utcnow(), utcnow() + mail_links.LIFETIMES[STOP]
            user.email, user.email_verified_at = new_email, utcnow()
            mail_links.revoke_every_link(user, keep=(STOP,))
            payload = {"link_id": stop.id}
            outbox.enqueue(f"email-changed:{link.id}", user.id, message_kinds.EMAIL_CHANGED, payload)
    except IntegrityError as error:
        raise EmailTakenError(link.email) from error


def stop_change(link: MailLink) -> access.EndedAccess | None:
    """Undo a change of address, or cancel it, and lock out whoever asked for it.

    Every way into the account is ended, including its password, and its owner is mailed a link to set a new
    one. Returns None if another account has the address by now. Then nobody can sign in to the account until
    an operator has found out whose it is.
    """
    with transaction():
        user = _lock_user(link)
        if not mail_links.use_link(link):
            raise DeadLinkError
        ended = access.end_access(user, with_tokens=True)
        mail_links.revoke_links(user, STOP, newer_than=link)
        _remove_newer_settings(user, link)
        if _other_holder(link.email, user) is not None:
            user.password_hash = None
            log.error("account %s is locked: its old address belongs to another account", user.id)
            return None
        user.password_hash = passwords.UNKNOWN_HASH
        if user.email != link.email:
            payload = {"to": user.email, "email": link.email}
            outbox.enqueue(f"change-stopped:{link.id}", user.id, message_kinds.CHANGE_STOPPED, payload)
        user.email, user.email_verified_at = link.email, utcnow()
        mail_links.enqueue_link(user, RESET, link.email)
    return ended


def reason_to_wait(user: User) -> str | None:
    """Return why an account can't be deleted yet (its change of address can still be stopped), or None.

    Otherwise a thief of the account could delete it, with its data, before its owner reads the mail.
    """
    until = mail_links.stoppable_until(user)
    if until is None:
        return None
    return (
        "Your email address was changed in the last 72 hours, and the old address can still stop that. "
        f"You can delete the account after {until.astimezone(ZoneInfo(user.timezone)):%-d %b %Y, %H:%M}."
    )


def new_address(stop: MailLink) -> str | None:
    """Return the new address of the change that a link stops."""
    change = db.session.get(MailLink, stop.change_id) if stop.change_id else None
    return change.email if change is not None else None


def _lock_user(link: MailLink) -> User:
    """Lock the account and read it again, so that a change and its stop never run at the same time."""
    row = select(User).where(User.id == link.user_id).with_for_update(of=User)
    user: User | None = db.session.scalar(row.execution_options(populate_existing=True))
    if user is None:
        raise DeadLinkError
    return user


def _stop_link(change: MailLink, user: User) -> MailLink:
    """Return the stop link of a change; a change requested by the previous version gets one now."""
    stop = db.session.scalar(select(MailLink).where(MailLink.change_id == change.id))
    return stop or mail_links.add_link(user, STOP, user.email, change_id=change.id)


def _reject_taken(email: str, user: User) -> None:
    if _other_holder(email, user) is not None or mail_links.is_reserved(email, user):
        raise EmailTakenError(email)


def _other_holder(email: str, user: User) -> User | None:
    holder = find_user(email)
    return None if holder is None or holder.id == user.id else holder


def _remove_newer_settings(user: User, link: MailLink) -> None:
    """Remove what is newer than a week before the request and locks the owner out or passes on their data."""
    suspect_since = link.created_at - SUSPECT_SPAN
    own_step = delete(TwoFactor).where(TwoFactor.user_id == user.id)
    db.session.execute(own_step.where(TwoFactor.confirmed_at > suspect_since))
    listening = update(WebhookEndpoint).where(
        WebhookEndpoint.user_id == user.id, WebhookEndpoint.disabled_at.is_(None)
    )
    disabled = listening.values(disabled_at=utcnow(), disabled_because=STOPPED)
    db.session.execute(disabled.where(WebhookEndpoint.created_at > suspect_since))
