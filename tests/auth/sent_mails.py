"""Send the outbox's mails to a folder and read them there."""

from __future__ import annotations

import email
import re
from email.message import EmailMessage
from email.policy import default

from app.extensions import settings
from app.integrations.mailer import mail_folder
from app.notify import outbox


def mails() -> list[EmailMessage]:
    """Send what is due, and return everything sent so far, in order."""
    outbox.deliver_mails()
    files = sorted(mail_folder(settings()).glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    return [email.message_from_bytes(path.read_bytes(), policy=default) for path in files]


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def link_in(message: EmailMessage) -> str:
    """Return the path of the only link in a mail."""
    found = re.search(r"http://127\.0\.0\.1:5000(/\S+)", text_of(message))
    assert found is not None, text_of(message)
    return found.group(1)
