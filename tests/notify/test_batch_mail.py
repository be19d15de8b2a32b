"""The mail about files that were dropped together: when it is sent, what it says, and that it comes once."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import func, select, update

from app.extensions import db, settings
from app.jobs import run
from app.models import Batch, OutboxMessage, Sample, User
from app.models.base import transaction, utcnow
from app.notify import batch_completion, batch_mail, message_kinds, outbox
from tests.jobs.test_run import zero_channels
from tests.support import Browser, drum_loop, finished_job, kick


def test_files_dropped_together_get_one_message_when_the_last_is_done(as_owner: Browser) -> None:
    batch = {"batch": "2b0d7b3d-7f6c-4a44-9a0e-0d8a2b9f4a10", "batch_files": 3}
    as_owner.upload(("one.wav", kick()), **batch)
    run.run_next()
    assert outbox.deliver_mails() == 0
    as_owner.upload(("two.wav", drum_loop()), **batch)
    as_owner.upload(("three.wav", b"%PDF-1.4"), **batch)
    assert outbox.deliver_mails() == 0
    run.run_next()
    assert outbox.deliver_mails() == 1
    assert outbox.deliver_mails() == 0
    (mail,) = (settings().data_dir / "mail").glob("*.eml")
    text = mail.read_text()
    assert "Subject: 2 samples are ready" in text
    assert "To: owner@example.com" in text


def test_the_mail_reports_failures(as_owner: Browser) -> None:
    finished_job(as_owner, "broken.wav", zero_channels())
    outbox.deliver_mails()
    (mail,) = (settings().data_dir / "mail").glob("*.eml")
    assert "Subject: 1 file could not be processed" in mail.read_text()
    assert "broken.wav could not be processed:" in mail.read_text()


def test_the_subject_counts_successes_and_failures(as_owner: Browser) -> None:
    batch = {"batch": "2b0d7b3d-7f6c-4a44-9a0e-0d8a2b9f4a10", "batch_files": 2}
    as_owner.upload(("one.wav", kick()), **batch)
    as_owner.upload(("two.wav", zero_channels()), **batch)
    run.run_next()
    run.run_next()
    assert outbox.deliver_mails() == 1
    (mail,) = (settings().data_dir / "mail").glob("*.eml")
    assert "Subject: 1 sample is ready, 1 file failed" in mail.read_text()


def test_the_mail_stops_waiting_for_a_browser_that_went_away(as_owner: Browser) -> None:
    as_owner.upload(("one.wav", kick()), batch="2b0d7b3d-7f6c-4a44-9a0e-0d8a2b9f4a10", batch_files=5)
    run.run_next()
    batch_completion.settle_abandoned()
    assert outbox.deliver_mails() == 0
    with transaction() as session:
        session.execute(update(Batch).values(touched_at=utcnow() - timedelta(minutes=11)))
    for _ in range(2):
        batch_completion.settle_abandoned()
    assert outbox.deliver_mails() == 1
    assert db.session.scalar(select(func.count()).select_from(OutboxMessage)) == 1


def test_users_can_turn_mails_off(as_owner: Browser, owner: User) -> None:
    with transaction():
        owner.mail_on_completion = False
    finished_job(as_owner, "kick.wav", kick())
    assert outbox.deliver_mails() == 0


def test_a_file_that_joins_after_the_mail_gets_one_of_its_own(as_owner: Browser) -> None:
    batch = {"batch": "2b0d7b3d-7f6c-4a44-9a0e-0d8a2b9f4a10", "batch_files": 1}
    for name in ("one.wav", "two.wav"):
        as_owner.upload((name, kick()), **batch)
        run.run_next()
        assert outbox.deliver_mails() == 1


def test_turning_mails_on_again_sends_no_old_ones(as_owner: Browser, owner: User) -> None:
    with transaction():
        owner.mail_on_completion = False
    for _ in range(3):
        finished_job(as_owner, "kick.wav", kick())
    with transaction() as session:
        owner.mail_on_completion = True
        session.execute(update(Batch).values(touched_at=utcnow() - timedelta(hours=1)))
    batch_completion.settle_abandoned()
    assert outbox.deliver_mails() == 0


def test_a_mail_that_can_not_be_composed_delays_no_other(as_owner: Browser, owner: User) -> None:
    with transaction() as session:
        session.add(OutboxMessage(key="broken", user_id=owner.id, kind=message_kinds.BATCH_DONE, payload={}))
    finished_job(as_owner, "kick.wav", kick())
    assert outbox.deliver_mails() == 1
    broken = db.session.scalars(select(OutboxMessage).where(OutboxMessage.key == "broken")).one()
    assert broken.last_error == "KeyError: 'batch_id'"
    assert broken.next_try_at is not None
    assert broken.next_try_at > utcnow()


def test_a_deleted_sample_is_reported_as_deleted(as_owner: Browser) -> None:
    job = finished_job(as_owner, "kick.wav", kick())
    as_owner.post(f"/samples/{job.sample_id}/delete")
    outbox.deliver_mails()
    (mail,) = (settings().data_dir / "mail").glob("*.eml")
    assert f"/samples/{job.sample_id}" not in mail.read_text()


def test_the_mail_says_only_what_is_known(as_owner: Browser, owner: User) -> None:
    finished_job(as_owner, "kick.wav", kick())
    loop = db.session.get_one(Sample, finished_job(as_owner, "loop.wav", drum_loop(93)).sample_id)
    with transaction():
        loop.correct(key="A minor")
    first, second = db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))
    one, other = batch_mail.compose(first), batch_mail.compose(second)
    assert one is not None
    assert other is not None
    for written in (one.text, one.html):
        assert re.search(r"one-shot, kick$|: one-shot, kick</li>", written, re.MULTILINE)
        assert "BPM" not in written
        assert "no key" not in written
    for written in (other.text, other.html):
        assert "93 BPM, A minor, loop" in written
