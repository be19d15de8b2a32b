"""With real workers, very slow receivers and mail servers hold up nobody's job, mail or webhook."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
from sqlalchemy import func, select, update

from app.extensions import db
from app.models import OutboxMessage, User, WebhookEndpoint
from app.models.base import transaction, utcnow
from app.notify import webhook_delivery
from app.notify.message_kinds import WEBHOOK
from app.webhooks import endpoints
from tests.queue.lab import SERVICES, lab, member, states, upload, wait_for
from tests.slow_receivers import Receivers

pytestmark = pytest.mark.services
DONE, RECEIVERS = "job.completed", 10


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    made = Receivers()
    yield made
    made.close()


class DrippingMail(ThreadingTCPServer):
    """A mail server that never ends its greeting."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), DrippingGreeting)
        self.held = threading.Semaphore(0)
        self.ended = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class DrippingGreeting(BaseRequestHandler):
    server: DrippingMail

    def handle(self) -> None:
        self.server.held.release()
        try:
            while not self.server.ended.wait(0.1):
                self.request.sendall(b"2")
        except OSError:
            return


@pytest.fixture
def dripping_mail() -> Iterator[DrippingMail]:
    server = DrippingMail()
    yield server
    server.ended.set()
    server.shutdown()
    server.server_close()


def unsent_webhooks() -> int:
    db.session.rollback()
    unsent = select(func.count()).where(OutboxMessage.kind == WEBHOOK, OutboxMessage.sent_at.is_(None))
    return db.session.scalar(unsent) or 0


def enqueue_events(user: User, count: int) -> None:
    with transaction():
        for number in range(count):
            webhook_delivery.enqueue_event(user.id, DONE, f"{number}", {"n": number})


def make_due() -> None:
    """Do what time does: end every lease, and make every message due."""
    with transaction() as session:
        waiting = update(OutboxMessage).where(OutboxMessage.next_try_at.is_not(None))
        session.execute(waiting.values(next_try_at=utcnow()))
        session.execute(update(WebhookEndpoint).values(sending_until=None))


@pytest.mark.timeout(300)
def test_ten_receivers_that_drip_hold_up_nobody_and_a_stop_loses_no_message(
    tmp_path: Path, receivers: Receivers
) -> None:
    with lab(tmp_path, SERVICES, "nothing", WEBHOOKS_TO_LOOPBACK="true") as (here, _):
        slow = [member(f"slow{number}@example.com", None) for number in range(2)]
        for number in range(RECEIVERS):
            endpoints.add_endpoint(slow[number % 2], receivers.url(f"/slow/{number}"), [DONE])
        producer = member("pro@example.com")
        endpoints.add_endpoint(producer, receivers.url("/quick"), [DONE])
        for user in slow:
            enqueue_events(user, 2)
        consumer = here.add_consumer()
        wait_for(lambda: receivers.is_holding(2), 60, "receivers are held")
        upload(producer, 1)
        wait_for(lambda: states().get("completed") == 1, 45, "the job is done")
        wait_for(lambda: len(here.inbox.messages) == 1, 45, "the mail is there")
        wait_for(lambda: len(receivers.ids("/quick")) == 1, 45, "the other account's webhook is there")
        assert receivers.answered == [("/quick", receivers.ids("/quick")[0])]
        assert set(receivers.most_held.values()) == {1}  # one message at a time to each endpoint

        consumer.stop()  # while messages are on their way
        assert consumer.process is not None
        assert consumer.process.returncode == 0
        assert unsent_webhooks() == 2 * RECEIVERS
        receivers.released.set()
        make_due()
        here.add_consumer()
        wait_for(lambda: unsent_webhooks() == 0, 60, "every message is sent in the end")
        for number in range(RECEIVERS):
            assert sorted(receivers.ids(f"/slow/{number}")) == ["msg_0", "msg_1"]


@pytest.mark.timeout(300)
def test_a_mail_server_that_drips_holds_up_no_job_and_two_workers_send_nothing_twice(
    tmp_path: Path, receivers: Receivers, dripping_mail: DrippingMail
) -> None:
    url = f"smtp://127.0.0.1:{dripping_mail.server_address[1]}"
    with lab(tmp_path, SERVICES, "nothing", WEBHOOKS_TO_LOOPBACK="true", SMTP_URL=url) as (here, _):
        producer = member("pro@example.com")
        for path in ("/a", "/b"):
            endpoints.add_endpoint(producer, receivers.url(path), [DONE])
        for _ in range(2):
            here.add_consumer()
        upload(producer, 4, a_batch=1)
        assert dripping_mail.held.acquire(timeout=60)
        upload(producer, 4, a_batch=1)
        wait_for(lambda: states().get("completed") == 8, 45, "the jobs are done")
        wait_for(lambda: unsent_webhooks() == 0, 45, "their webhooks are sent")
        assert not here.inbox.messages
        for path in ("/a", "/b"):
            assert len(receivers.ids(path)) == len(set(receivers.ids(path))) == 8
        assert set(receivers.most_held.values()) == {1}
        dripping_mail.ended.set()  # so that the workers need not wait for it when they stop
