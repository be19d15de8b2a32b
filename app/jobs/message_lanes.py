"""The lanes in which a worker sends mails and webhooks, and how many of each at a time."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import has_app_context

from app.jobs import side_threads
from app.jobs.sending_lanes import Sending, SendingLane
from app.notify import outbox, webhook_turns

MAIL_SLOTS, WEBHOOK_SLOTS = 4, 16


def send_mails() -> None:
    """Have every mail sent that is due. A command or a test, which is no worker, waits for it."""
    _send_by(MAILS, outbox.deliver_mails)


def send_webhooks() -> None:
    """Have every webhook sent that is due. A command or a test, which is no worker, waits for it."""
    _send_by(WEBHOOKS, outbox.deliver_webhooks)


def start_lanes() -> None:
    """Start sending messages in this process."""
    for lane in LANES:
        lane.start()


def stop_lanes(within_s: float) -> None:
    """Take no more messages, and wait at most that long for those being sent and for chores."""
    until = time.monotonic() + within_s
    for lane in LANES:
        lane.stop(0)
    for lane in LANES:
        lane.stop(max(until - time.monotonic(), 0))
    side_threads.wait_for_chores(max(until - time.monotonic(), 0))


def _send_by(lane: SendingLane, deliver: Callable[[], object]) -> None:
    """Wake the lane in a worker, whose chores have an app context too; elsewhere no lane is in use."""
    if lane.is_in_use or not has_app_context():
        start_lanes()  # one of them may have got no thread when the worker started
        lane.wake()
    else:
        deliver()


def _take_mail(busy_accounts: set[str]) -> Sending | None:
    """Claim a mail of an account that has none being sent, so that one account's mails hold up no other's."""
    claimed = outbox.claim_mail(busy_accounts)
    if claimed is None:
        return None
    return Sending(claimed.user_id, lambda: outbox.deliver(claimed.message_id))


def _take_webhook(_: set[str]) -> Sending | None:
    """Claim a webhook; the database decides for all workers which one is next."""
    message_id = webhook_turns.claim_next()
    return None if message_id is None else Sending(None, lambda: outbox.deliver(message_id))


MAILS = SendingLane("mails", MAIL_SLOTS, _take_mail)
WEBHOOKS = SendingLane("webhooks", WEBHOOK_SLOTS, _take_webhook)
LANES = (MAILS, WEBHOOKS)
