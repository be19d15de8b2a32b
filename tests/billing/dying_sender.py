"""Report overage and die, `before` or `after` Stripe has received the report."""

from __future__ import annotations

import os
import signal
import sys

from app import create_app
from app.config import Settings
from app.integrations.payments import meters
from app.notify import outbox

report = meters.report_upload


def die(settings: Settings, customer_id: str, identifier: str, at: int) -> None:
    if sys.argv[1] == "after":
        report(settings, customer_id, identifier, at)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    meters.report_upload = die
    with create_app().app_context():
        outbox.deliver_usage()
