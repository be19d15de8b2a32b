"""How long the outbox keeps messages and the addresses in them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.account import closing
from app.extensions import db
from app.integrations import mailer
from app.models import (
    OutboxMessage,
    User,
)
from app.models.base import transaction, utcnow
from app.notify import outbox, outbox_retention
from tests.account.full_account import FullAccount, environment
from tests.account.traces import (
    captured_log,
    traces_in_database,
)
from tests.auth.sent_mails import mails
from tests.fake_stripe.server import FakeStripe
from tests.support import Browser


@pytest.fixture
def environ(tmp_path: Path, stripe: FakeStripe) -> dict[str, str]:
    return environment(tmp_path / "instance", stripe)


def test_a_last_mail_that_is_refused_can_be_sent_again_for_a_week(
    full: FullAccount, as_stranger: Browser, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(mail: mailer.Mail, *_: object) -> None:
        raise mailer.MailError(f"{{'{mail.to}': (550, b'5.1.1 <{mail.to}> unknown')}}")

    def give_up() -> None:
        for _ in range(len(outbox.MAIL_RETRY_S) + 1):
            outbox.deliver_mails()
            with transaction() as session:
                waiting = sa.update(OutboxMessage).where(OutboxMessage.next_try_at.is_not(None))
                session.execute(waiting.values(next_try_at=utcnow()))

    with transaction():
        stranger.is_admin = True
    closing.close_account(full.user)
    with monkeypatch.context() as patch, captured_log() as log:
        patch.setattr(mailer, "send_mail", refuse)
        closing.finish_due_closings()
        give_up()
        message = db.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == "farewell")).one()
        outbox_retention.purge_finished()
        assert message.next_try_at is message.sent_at is None
        assert "550" in (message.last_error or "")
        assert "Send again" in as_stranger.get("/admin/outbox").text
        assert outbox.resend(message.id)
        give_up()
    assert full.email not in log.getvalue()
    assert outbox.resend(message.id)
    outbox.deliver_mails()
    assert [mail["To"] for mail in mails() if "deleted" in mail["Subject"]] == [full.email]
    assert traces_in_database(full) == set()


def test_an_address_is_removed_a_week_after_its_mail_was_given_up(
    full: FullAccount, as_stranger: Browser, stranger: User
) -> None:
    week_ago = utcnow() - timedelta(days=7, seconds=1)
    with transaction() as session:
        stranger.is_admin = True
        given_up = OutboxMessage(key="k", kind="farewell", payload={"to": full.email, "key": None})
        given_up.last_error, given_up.created_at = "MailError: away", week_ago
        session.add(given_up)
        session.flush()
        given_up.next_try_at = None
    outbox_retention.purge_finished()
    db.session.expire_all()
    assert given_up.payload == {"to": None}
    assert not outbox.resend(given_up.id)
    page = as_stranger.get("/admin/outbox").text
    assert "MailError: away" in page
    assert "Send again" not in page
    assert as_stranger.post(f"/admin/outbox/{given_up.id}/resend").status_code == 404


def test_finished_messages_are_kept_for_a_month(full: FullAccount) -> None:
    long_ago, to = utcnow() - timedelta(days=31), {"to": full.email}
    with transaction() as session:
        for key, created_at in {"old": long_ago, "young": utcnow(), "waiting": long_ago}.items():
            session.add(OutboxMessage(key=key, kind="register", payload=to, created_at=created_at))
        session.flush()
        sent = sa.update(OutboxMessage).where(OutboxMessage.key.in_(("old", "young")))
        session.execute(sent.values(sent_at=utcnow(), next_try_at=None))
    outbox_retention.purge_finished()
    known = {message.key: message.payload for message in db.session.scalars(sa.select(OutboxMessage))}
    assert "old" not in known
    assert known["young"] == {"to": None}
    assert known["waiting"] == {"to": full.email}
