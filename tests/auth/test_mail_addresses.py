"""An address is one account however its domain is spelt, and mail uses the domain's ASCII form."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from flask import Flask
from sqlalchemy import func, select

from app.admin import audit_trail
from app.auth import accounts, credentials, guess_limits, registration
from app.auth.form_fields import NO_ACCENTS, NOT_ASKED
from app.extensions import db
from app.integrations import mailer
from app.mail_addresses import (
    AddressError,
    header_address,
    normalize_address,
    parse_address,
    readable_address,
)
from app.models import OutboxMessage, User
from app.models.base import transaction
from app.models.user_lookup import find_user
from app.notify import outbox
from tests.auth.sent_mails import link_in, mails
from tests.live import free_port
from tests.support import PASSWORD, Browser

STORED, READ = "dj@xn--bcher-kva.example", "dj@bücher.example"
SPELLINGS = (
    READ,
    STORED,
    "DJ@BÜCHER.EXAMPLE",
    "Dj@XN--BCHER-KVA.example",
    unicodedata.normalize("NFD", READ),
    "dj@ｂüｃｈｅｒ．example",
    "dj@bücher。example",
    "dj@bücher｡example",
    "dj＠bücher.example",
    f"  {READ}\t",
)
OTHER_DOMAINS = {
    "a@faß.example": "a@xn--fa-hia.example",
    "a@fass.example": "a@fass.example",
    "a@βόλος.example": "a@xn--nxasmm1c.example",
    "a@例え.example": "a@xn--r8jz45g.example",
    "a@пример.example": "a@xn--e1afmkfd.example",
    "a@مثال.example": "a@xn--mgbh0fb.example",
    "a@उदाहरण.example": "a@xn--p1b6ci4b4b3a.example",
}


def test_every_spelling_is_stored_as_one_and_read_in_its_own_script() -> None:
    for spelling in SPELLINGS:
        assert normalize_address(spelling) == STORED, spelling
    assert readable_address(STORED) == READ
    for typed, stored in OTHER_DOMAINS.items():
        assert normalize_address(typed) == normalize_address(stored.upper()) == stored
        assert readable_address(stored) == typed
        assert header_address(typed) == stored


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "demo@localhost", "a@", "@b", "a@b@c", "x" * 10**5, "a@" + "ü" * 10**5, "a@☕.example"],
)
def test_anything_else_stays_as_it_was_typed(text: str) -> None:
    assert normalize_address(text) == text
    assert readable_address(text) == text


def test_one_domain_is_one_account(app: Flask) -> None:
    assert Browser(app).post("/register", email=READ, password=PASSWORD).status_code == 303
    user = db.session.scalars(select(User)).one()
    assert user.email == STORED
    for spelling in SPELLINGS:
        assert accounts.authenticate(spelling, PASSWORD) is user, spelling
        with pytest.raises(accounts.EmailTakenError):
            accounts.register_user(spelling, PASSWORD, "UTC")
    answer = Browser(app).post("/register", email=SPELLINGS[5], password=PASSWORD)
    assert "Another account uses this address" in answer.text
    assert db.session.scalar(select(func.count()).select_from(User)) == 1


def test_the_owner_reads_the_address_in_its_own_script(app: Flask) -> None:
    browser = Browser(app, accounts.register_user(READ, PASSWORD, "UTC"))
    for page in ("/settings", "/settings/security"):
        text = browser.get(page).text
        assert READ in text
        assert STORED not in text


def test_every_place_that_asks_for_an_address_knows_every_spelling(app: Flask) -> None:
    user = accounts.register_user(READ, PASSWORD, "UTC")
    for number, spelling in enumerate(SPELLINGS):
        audit_trail.set_admin(spelling, number % 2 == 0)
        assert user.is_admin is (number % 2 == 0)
    browser = Browser(app)
    codes = [browser.post("/sign-in", email=each, password="guess").status_code for each in SPELLINGS * 2]
    assert codes.count(422) == 10, "the limit of guesses counts one account"


def test_closing_an_account_takes_its_address_in_any_spelling(app: Flask) -> None:
    user = accounts.register_user(READ, PASSWORD, "UTC")
    answer = Browser(app, user).post("/settings/close", email=SPELLINGS[5], current=PASSWORD)
    assert answer.status_code == 303


def test_two_accounts_of_an_earlier_version_are_found_by_their_own_spelling(app: Flask) -> None:
    first, second = (accounts.register_user(f"{n}@example.com", PASSWORD, "UTC") for n in "ab")
    with transaction():
        first.email, second.email = STORED, READ
    assert find_user(READ) is second
    assert find_user(STORED) is first
    assert find_user(SPELLINGS[5]) is first


def test_a_change_to_another_spelling_of_a_taken_address_is_refused(as_owner: Browser, owner: User) -> None:
    accounts.register_user(STORED, PASSWORD, "UTC")
    as_owner.post("/settings/email", email="dj@BÜCHER.example", current=PASSWORD)
    change = next(mail for mail in mails() if mail["To"] == STORED)
    as_owner.post(link_in(change))
    assert owner.email == "owner@example.com"
    assert "Another account uses this address" in as_owner.get("/settings").text


class Mailbox:
    """A real mail server that keeps the envelope, with SMTPUTF8 or without."""

    def __init__(self) -> None:
        self.recipients: list[str] = []
        self.contents: list[bytes] = []
        self.greetings = 0

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.greetings += 1
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
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


def test_a_text_that_is_far_too_long_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Normalising takes quadratic time in a run of accents, so nobody may make us do it."""
    read: list[str] = []
    monkeypatch.setattr("app.mail_addresses.validate_email", lambda text, **_: read.append(text))
    long_address = "a" + "\u0301\u0323" * 20_000 + "@example.com"
    with pytest.raises(AddressError):
        parse_address(long_address)
    assert normalize_address(long_address) == long_address
    assert read == []


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
