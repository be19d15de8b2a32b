"""Wake a worker for the mails of a request, so that they do not wait for the regular housekeeping."""

from __future__ import annotations

from flask import Flask, Response, g, has_request_context
from sqlalchemy import event

import tasks
from app.models import OutboxMessage
from app.notify.message_kinds import METER_EVENT, WEBHOOK

NO_MAIL = frozenset({METER_EVENT, WEBHOOK})


def init_app(app: Flask) -> None:
    """Register the wake-up after every request, so that no route can forget it."""
    app.after_request(wake_for_mail)


def expect_mail() -> None:
    """Wake a worker after this request in any case: its duration must not reveal whether there is a mail."""
    g.has_mail = True


def wake_for_mail(response: Response) -> Response:
    """Wake a worker if this request added a mail to the outbox."""
    if g.pop("has_mail", False):
        tasks.wake(tasks.send_mails)
    return response


@event.listens_for(OutboxMessage, "after_insert")
def note_mail(_mapper: object, _connection: object, message: OutboxMessage) -> None:
    """Remember that this request added a mail; a mail added by a worker is sent after its task."""
    if has_request_context() and message.kind not in NO_MAIL:
        g.has_mail = True
