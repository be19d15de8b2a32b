"""Send one mail over SMTP, or write it to a folder when no mail server is set up.

Domains are sent in their ASCII form, which every mail server accepts. A part before the @ that is not ASCII
needs a server with SMTPUTF8 (RFC 6531), which some large ones lack.
"""

from __future__ import annotations

import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from app.config import Settings
from app.integrations.deadlines import Deadline
from app.integrations.smtp_connection import connect_smtp
from app.mail_addresses import header_address, needs_smtputf8

# How long sending one mail may take in all, however slowly the server answers.
TOTAL_S = 30.0
# How long somebody waits at a form while the mail server is asked what it can do.
ASKING_S = 3.0
# How long its answer is kept, and how long it is not asked again after it did not answer.
ANSWER_LIFETIME_S, SILENCE_LIFETIME_S = 600, 30
NEEDS_SMTPUTF8 = (
    "the mail server lacks SMTPUTF8, so it can't send to an address that is not ASCII before the @"
)


class MailError(Exception):
    """The mail was not accepted, or the server did not answer; trying again later may help."""


# What each server answered last, and until when that is kept; a text says why it gave no answer.
_answers: dict[str, tuple[float, bool | str | None]] = {}
_ASKING = threading.Lock()


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


def takes_utf8_addresses(settings: Settings) -> bool:
    """Return whether mail can be sent to an address that is not ASCII before the @.

    The server is asked only now and then, by one thread. Raises MailError if it does not answer.
    """
    if settings.smtp_url is None:
        return True  # a folder accepts every mail
    with _ASKING:
        until, answer = _answers.get(settings.smtp_url, (0.0, None))
        if until < time.monotonic():
            answer = _ask_for_smtputf8(settings.smtp_url)
            lifetime = SILENCE_LIFETIME_S if isinstance(answer, str) else ANSWER_LIFETIME_S
            _answers[settings.smtp_url] = time.monotonic() + lifetime, answer
    if isinstance(answer, str):
        raise MailError(answer)
    return bool(answer)


def mail_folder(settings: Settings) -> Path:
    """Return where mails are written when there is no mail server."""
    return settings.data_dir / "mail"


def _build_message(mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = header_address(sender)
    message["To"] = header_address(mail.to)
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
    with _session(url, TOTAL_S) as server:
        parts = urlsplit(url)
        if parts.username:
            if not isinstance(server.sock, ssl.SSLSocket):
                raise MailError("the mail server offers no encryption, so the password was not sent")
            server.login(unquote(parts.username), unquote(parts.password or ""))
        if needs_smtputf8(message["To"]) and not server.has_extn("smtputf8"):
            raise MailError(NEEDS_SMTPUTF8)
        server.send_message(message)


def _ask_for_smtputf8(url: str) -> bool | str:
    """Return whether the server has SMTPUTF8, or why it could not be asked."""
    try:
        with _session(url, ASKING_S) as server:
            return server.has_extn("smtputf8")
    except MailError as error:
        return str(error)


@contextmanager
def _session(url: str, total_s: float) -> Iterator[smtplib.SMTP]:
    """Connect and greet, with encryption if the server offers it, and turn every failure into MailError."""
    parts = urlsplit(url)
    try:
        with Deadline(total_s) as deadline, _connected(parts, deadline) as server:
            if parts.scheme != "smtps" and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
            server.ehlo_or_helo_if_needed()  # encrypted, it may offer more
            yield server
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(str(error)) from error


@contextmanager
def _connected(parts: SplitResult, deadline: Deadline) -> Iterator[smtplib.SMTP]:
    """Connect, and end the session; an error while the session ends is ignored.

    The server has accepted the mail by then, so such an error must not make us send it a second time.
    """
    server = connect_smtp(parts.scheme, parts.hostname or "", parts.port, deadline)
    try:
        yield server
    finally:
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()


def _write_to_folder(message: EmailMessage, key: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{key.replace(':', '-')}.part"
        has_plain_address = str(message["To"]).isascii()
        draft.write_bytes(message.as_bytes(policy=policy.default.clone(utf8=not has_plain_address)))
        draft.replace(folder / f"{key.replace(':', '-')}.eml")
    except OSError as error:
        raise MailError(str(error)) from error
