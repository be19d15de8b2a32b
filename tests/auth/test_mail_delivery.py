"""Mail to domains and mailboxes in any script, by real mail servers with SMTPUTF8 and without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from flask import Flask
from sqlalchemy import select

from app.auth import accounts, credentials, guess_limits, registration
from app.auth.form_fields import NO_ACCENTS, NOT_ASKED
from app.extensions import db
from app.integrations import mailer
from app.models import OutboxMessage, User
from app.models.base import transaction
from app.models.user_lookup import find_user
from app.notify import outbox
from tests.auth.sent_mails import mails
from tests.auth.test_mail_addresses import OTHER_DOMAINS, READ, SPELLINGS, STORED
from tests.live import free_port
from tests.support import PASSWORD, Browser


class Mailbox:
    """A real mail server that keeps the envelope, with SMTPUTF8 or without."""

    def __init__(self) -> None:
        self.recipients: list[str] = []
        self.contents: list[bytes] = []
        self.greetings = 0

    async def handle_EHLO(  # noqa: N802 - aiosmtpd calls it by this name
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.greetings += 1
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it by this name
        self.recipients += envelope.rcpt_tos
        self.contents.append(envelope.original_content)
        return "250 OK"


@contextmanager
def mail_server(app: Flask, with_utf8: bool) -> Iterator[Mailbox]:
    """Serve mail for an app, and forget what earlier servers said."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=with_utf8)
    controller.start()
    _use_server(app, controller.port)
    yield mailbox
    controller.stop()


def _use_server(app: Flask, port: int) -> None:
    url = f"smtp://127.0.0.1:{port}"
    app.config["SETTINGS"] = app.config["SETTINGS"].model_copy(update={"smtp_url": url})


@pytest.mark.parametrize("with_utf8", [False, True])
def test_mail_goes_by_the_ascii_form_of_the_domain(
    app: Flask, with_utf8: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guess_limits, "take_mail", lambda _: True)  # all to one mailbox within a moment
    with mail_server(app, with_utf8) as mailbox:
        assert Browser(app).post("/register", email=SPELLINGS[0]).status_code == 303
        for address in (*SPELLINGS[1:], *OTHER_DOMAINS):
            registration.request_link(address)
        with transaction():  # enqueued by the previous version
            outbox.enqueue("old", None, "register", {"to": READ})
        outbox.deliver_mails()
    assert mailbox.recipients == [STORED] * len(SPELLINGS) + list(OTHER_DOMAINS.values()) + [STORED]
    assert all(b"To: " + STORED.encode() in content for content in mailbox.contents[: len(SPELLINGS)])


def test_the_sender_may_have_such_a_domain_too(app: Flask) -> None:
    with mail_server(app, with_utf8=False) as mailbox:
        values = {"mail_from": "Sämple Agent <agent@bücher.example>"}
        app.config["SETTINGS"] = app.config["SETTINGS"].model_copy(update=values)
        Browser(app).post("/register", email="a@example.com")
        outbox.deliver_mails()
    assert b"<agent@xn--bcher-kva.example>" in mailbox.contents[0]


ACCENTED = (
    "dié@example.com",
    "die\u0301@example.com",
    "DIÉ@bücher.example",
    "用户@example.com",
    "дима@пример.example",
)


def test_without_smtputf8_every_form_says_so_and_sends_nothing(app: Flask) -> None:
    user = accounts.register_user("a@example.com", PASSWORD, "UTC")
    browser = Browser(app, user)
    with mail_server(app, with_utf8=False) as mailbox:
        for address in ACCENTED:
            answers = [
                Browser(app).post("/register", email=address),
                Browser(app).post("/forgotten-password", email=address),
                browser.post("/settings/email", email=address, current=PASSWORD),
            ]
            for answer in answers:
                assert answer.status_code == 422
                assert NO_ACCENTS.replace("'", "&#39;") in answer.text
                assert f'value="{address}"' in answer.text, "what was typed is still there"
        assert db.session.scalar(select(OutboxMessage)) is None
        assert mailbox.greetings == 1, "the answer of the server is remembered"


def test_an_account_whose_server_was_changed_is_told_on_its_own_page(app: Flask) -> None:
    browser = Browser(app, accounts.register_user("dié@example.com", PASSWORD, "UTC"))
    with mail_server(app, with_utf8=False):
        assert NO_ACCENTS.replace("'", "&#39;") not in browser.get("/settings/security").text
        browser.post("/settings/verification")
        assert NO_ACCENTS.replace("'", "&#39;") in browser.get("/settings/security").text
        assert db.session.scalar(select(OutboxMessage)) is None
        credentials.request_verification(find_user("dié@example.com") or User())
        outbox.deliver_mails()
    failed = outbox.list_failed()
    assert [message.last_error for message in failed] == [f"MailError: {mailer.NEEDS_SMTPUTF8}"]
    assert failed[0].next_try_at is not None, "nothing is lost: it is tried again"


def test_with_smtputf8_the_mail_is_sent(app: Flask) -> None:
    with mail_server(app, with_utf8=True) as mailbox:
        assert Browser(app).post("/register", email=ACCENTED[0]).status_code == 303
        for address in ACCENTED[1:]:
            registration.request_link(address)
        outbox.deliver_mails()
    assert mailbox.recipients == [
        "dié@example.com", "dié@example.com", STORED.replace("dj", "dié"), "用户@example.com",
        "дима@xn--e1afmkfd.example",
    ]  # fmt: skip


def test_a_silent_mail_server_is_no_answer(app: Flask) -> None:
    _use_server(app, free_port())
    answer = Browser(app).post("/register", email="dié@example.com")
    assert answer.status_code == 422
    assert NOT_ASKED.replace("'", "&#39;") in answer.text
    assert Browser(app).post("/register", email=READ).status_code == 303, "the others do not wait for it"


def test_a_folder_takes_every_mail(app: Flask) -> None:
    assert Browser(app).post("/register", email="dié@bücher.example", password=PASSWORD).status_code == 303
    (mail,) = mails()
    assert mail["To"] == "dié@xn--bcher-kva.example"


@pytest.mark.parametrize("goodbye", [b"250 ok", b"421 later", b""], ids=["odd answer", "error", "hangs up"])
def test_a_mail_that_was_taken_is_not_sent_again(app: Flask, goodbye: bytes) -> None:
    taken: list[bytes] = []

    class Careless(StreamRequestHandler):
        """A mail server without extensions that takes every mail, and ends the session in its own way."""

        def handle(self) -> None:
            self.wfile.write(b"220 hello\r\n")
            for line in iter(self.rfile.readline, b""):
                command = line.strip().upper()
                if command == b"QUIT":
                    self.wfile.write(goodbye + b"\r\n" if goodbye else b"")
                    return
                if command == b"DATA":
                    self.wfile.write(b"354 go\r\n")
                    taken.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self.wfile.write(b"250 ok\r\n")

    with ThreadingTCPServer(("127.0.0.1", 0), Careless) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        _use_server(app, server.server_address[1])
        Browser(app).post("/register", email=READ)
        assert outbox.deliver_mails() == 1
        server.shutdown()
    assert len(taken) == 1
    assert outbox.list_failed() == []
