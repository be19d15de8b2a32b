"""Overage is counted once when fifty uploads arrive at once and when processes die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.billing import overage_charges, quota
from app.extensions import db
from app.models import Batch, Job, OutboxMessage, Usage, User
from app.models.base import transaction, utcnow
from app.notify import outbox
from app.upload import intake
from tests.billing.paying_producer import (
    add_meter,
    add_usage_row,
    counted_identifiers,
    stripe_settings,
    subscribe,
)
from tests.fake_stripe.server import FakeStripe
from tests.live import ROOT
from tests.queue.lab import BACKENDS, Lab, lab, member, states, wait_for
from tests.support import kick

pytestmark = pytest.mark.services
WITHIN, CAPPED = 20, 25
Opened = tuple[Lab, Flask, FakeStripe]


@pytest.fixture(params=BACKENDS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    with FakeStripe() as stripe:
        add_meter(stripe.world)
        with lab(tmp_path, request.param, "nothing", engines=0, **stripe_settings(stripe)) as (here, app):
            yield here, app, stripe


def send_at_once(app: Flask, user_id: str, count: int) -> list[str]:
    batch_id, told = str(uuid4()), []
    with transaction() as session:
        session.add(Batch(id=batch_id, user_id=user_id, expected=count))
    barrier = threading.Barrier(count)

    def send(number: int) -> None:
        with app.app_context():
            user = db.session.get_one(User, user_id)
            db.session.commit()
            barrier.wait()
            try:
                told.append(intake.accept_upload(user, BytesIO(kick()), f"{number}.wav", batch_id).id)
            except intake.UploadRefusedError as refusal:
                told.append(str(refusal))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    return told


def die_sending(here: Lab, moment: str) -> None:
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "tests.billing.dying_sender", moment]
    died = subprocess.run(
        command, cwd=ROOT, env=keep | here.values, capture_output=True, text=True, timeout=120
    )
    assert died.returncode == -signal.SIGKILL, died.stderr


def everything_is_due() -> None:
    with transaction() as session:
        unsent = update(OutboxMessage).where(OutboxMessage.sent_at.is_(None))
        session.execute(unsent.values(next_try_at=utcnow()))


def ledger(kind: str) -> int:
    return db.session.scalar(select(func.sum(Usage.quantity)).where(Usage.kind == kind)) or 0


@pytest.mark.timeout(600)
def test_fifty_uploads_at_once_are_each_included_charged_or_refused_once(opened: Opened) -> None:
    here, app, stripe = opened
    user = member("p@example.com")
    subscribe(stripe.world, user)
    add_usage_row(user, "upload", 1000 - WITHIN)
    overage_charges.turn_on(user, cap_cents=2 * CAPPED)
    user_id = user.id

    told = send_at_once(app, user_id, 50)
    refused = [words for words in told if words.startswith("You have used all 1,000 uploads")]
    assert len(refused) == 50 - WITHIN - CAPPED
    assert ledger("overage") == CAPPED
    assert ledger("upload") == 1000 + CAPPED
    beyond = select(Usage.entry_key).where(Usage.kind == "overage")
    owed = sorted(key.removeprefix("overage:") for key in db.session.scalars(beyond))
    assert set(owed) < set(told)
    assert counted_identifiers(stripe.world) == []

    # Between the ledger and the end of its job: the worker is killed, and another one takes over.
    # Neither reaches Stripe: the chores of their start would report what the next steps have to.
    no_stripe = "http://127.0.0.1:9"
    first = here.add_consumer(housekeeping=False, STRIPE_API_BASE=no_stripe)
    wait_for(lambda: 5 <= states().get("completed", 0) < 45, 120, "some of them are done")
    first.kill()
    second = here.add_consumer(housekeeping=False, STRIPE_API_BASE=no_stripe)
    wait_for(lambda: states() == {"completed": WITHIN + CAPPED}, 200, "all of them are done")
    second.stop()
    assert ledger("metered") == CAPPED
    assert db.session.scalar(select(func.count()).select_from(Job)) == WITHIN + CAPPED

    # Between the end of the job and the meter, and between the meter and its answer.
    for moment in ("before", "after"):
        everything_is_due()
        die_sending(here, moment)
    # Whoever comes next, several at once.
    everything_is_due()
    senders = [threading.Thread(target=in_context, args=(app,)) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    db.session.rollback()
    unsent = select(func.count()).where(OutboxMessage.kind == "meter", OutboxMessage.sent_at.is_(None))
    assert db.session.scalar(unsent) == 0
    assert counted_identifiers(stripe.world) == owed
    assert quota.plan_usage(db.session.get_one(User, user_id)).overage == CAPPED


def in_context(app: Flask) -> None:
    with app.app_context():
        outbox.deliver_usage()
