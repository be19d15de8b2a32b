"""Send one mail over SMTP, or write it to a folder when no mail server is set up."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app.config import Settings
from app.integrations.deadlines import Deadline
from app.integrations.smtp_connection import connect_smtp

TOTAL_S = 30.0


class MailError(Exception):
    """The mail was not accepted; trying again later may help."""


@dataclass(frozen=True)
class Mail:
    """One mail to one address, as plain text and as HTML."""

    to: str
    subject: str
    text: str
    html: str
    unsubscribe_url: str
    # Unique, and the same for every attempt, so that a mail program can drop a second copy.
    key: str


def send_mail(mail: Mail, settings: Settings) -> None:
    """Send a mail, or raise MailError."""
    message = _build_message(mail, settings.mail_from)
    if settings.smtp_url:
        _send_by_smtp(message, settings.smtp_url)
    else:
        _write_to_folder(message, mail.key, mail_folder(settings))


def mail_folder(settings: Settings) -> Path:
    """Return where mails are written when there is no mail server."""
    return settings.data_dir / "mail"


def _build_message(mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate()
    # Made from the key alone, so a mail sent twice (a worker died in between) has the same id both times.
    message["Message-ID"] = f"<{mail.key.replace(':', '.')}@sp404mk2.invalid>"
    message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _send_by_smtp(message: EmailMessage, url: str) -> None:
    parts = urlsplit(url)
    try:
        with (
            Deadline(TOTAL_S) as deadline,
            connect_smtp(parts.scheme, parts.hostname or "", parts.port, deadline) as server,
        ):
            encrypted = parts.scheme == "smtps"
            if not encrypted and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                encrypted = True
            if parts.username:
                if not encrypted:
                    raise MailError("the mail server offers no encryption, so the password was not sent")
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(str(error)) from error


def _write_to_folder(message: EmailMessage, key: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{key.replace(':', '-')}.part"
        draft.write_bytes(message.as_bytes())
        draft.replace(folder / f"{key.replace(':', '-')}.eml")
    except OSError as error:
        raise MailError(str(error)) from error
