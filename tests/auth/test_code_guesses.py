"""Strangers get few tries at the second step and few mails, and can't lock the owner out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.auth import credentials
from app.extensions import db
from app.models import MailLink, OutboxMessage, User
from app.models.base import transaction, utcnow
from app.models.user_session import RESET, SIGN_IN
from app.notify.signed_tokens import link_token
from tests.auth.codes import code_of, forget_last_code, pending_sign_in
from tests.auth.guesses import HOME, NEW, fresh_links, many_networks, post, sign_in
from tests.auth.sent_mails import link_in, mails
from tests.support import PASSWORD, Browser

pytestmark = pytest.mark.usefixtures("no_mail_pause")


class TestCodes:
    """The second step: a stranger who knows the password."""

    def test_guesses_are_bounded_and_the_owners_known_browser_gets_in(
        self,
        app: Flask,
        as_owner: Browser,
        owner: User,
        codes: list[str],
    ) -> None:
        for address in many_networks(6):
            browser = Browser(app)
            sign_in(browser, owner.email, PASSWORD, address)
            statuses = [post(browser, "/sign-in/code", address, code="000000").status_code for _ in range(2)]
            assert statuses == ([422] * 2 if address in many_networks(5) else [429] * 2)
        as_owner.post("/sign-out")
        as_owner.token = as_owner.fresh_token()
        assert sign_in(as_owner, owner.email).headers["Location"] == "/sign-in/code"
        assert post(as_owner, "/sign-in/code", HOME, code=code_of(owner)).status_code == 303
        assert as_owner.get("/dashboard").status_code == 200

    def test_the_owner_on_a_new_device_comes_by_the_link_and_still_needs_a_code(
        self,
        app: Flask,
        owner: User,
        codes: list[str],
    ) -> None:
        stranger = pending_sign_in(app, owner)
        for _ in range(10):
            stranger.post("/sign-in/code", code="000000")
        here = Browser(app)
        sign_in(here, owner.email)
        post(here, "/sign-in/code", HOME, code="000000")
        refused = post(here, "/sign-in/code", HOME, code=code_of(owner))
        assert (refused.status_code, "too many wrong codes" in refused.text) == (429, True)
        subjects = [each["Subject"] for each in mails()]
        assert subjects.count("Somebody knows your password") == 1
        mail = next(each for each in mails() if each["Subject"] == "Your link to sign in")
        assert here.post(link_in(mail)).headers["Location"] == "/sign-in/code"
        assert here.get("/dashboard").status_code == 303
        assert here.post("/sign-in/code", code="000000").status_code == 422
        assert here.post("/sign-in/code", code=code_of(owner)).status_code == 303
        assert here.get("/dashboard").status_code == 200

    def test_the_link_does_not_open_the_door_to_endless_codes(
        self,
        app: Flask,
        owner: User,
        codes: list[str],
    ) -> None:
        with transaction() as session:
            session.add(link := MailLink(
                user_id=owner.id, purpose=SIGN_IN, email=owner.email, expires_at=utcnow() + timedelta(hours=1)
            ))  # fmt: skip
        browser = Browser(app)
        browser.post(f"/sign-in/link/{link_token(link)}")
        statuses = [browser.post("/sign-in/code", code="000000").status_code for _ in range(11)]
        assert statuses == [422] * 10 + [429]

    def test_right_codes_never_count(self, app: Flask, owner: User, codes: list[str]) -> None:
        for _ in range(12):
            forget_last_code(owner)
            browser = pending_sign_in(app, owner)
            browser.client.delete_cookie("known_device")
            assert browser.post("/sign-in/code", code=code_of(owner)).status_code == 303


class TestMailsToOthers:
    """Reset and registration mails that strangers ask for."""

    def test_strangers_cannot_use_up_the_owners_resets(self, app: Flask, owner: User) -> None:
        for address in many_networks(7):
            assert post(Browser(app), "/forgotten-password", address, email=owner.email).status_code == 303
            with transaction() as session:
                session.execute(update(MailLink).values(created_at=utcnow() - timedelta(minutes=3)))
        assert fresh_links(RESET) == len(mails()) == 2
        assert post(Browser(app), "/forgotten-password", HOME, email=owner.email).status_code == 303
        used = Browser(app)
        assert used.post(link_in(mails()[-1]), password=NEW).status_code == 303
        before = len(mails())
        post(Browser(app), "/forgotten-password", HOME, email=owner.email)
        assert len(mails()) == before + 1

    def test_the_newest_link_works_for_at_least_half_its_time(self, app: Flask, owner: User) -> None:
        for _ in range(2):
            credentials.request_reset(owner.email)
            with transaction() as session:
                session.execute(update(MailLink).values(created_at=utcnow() - timedelta(minutes=31)))
        credentials.request_reset(owner.email)
        assert fresh_links(RESET) == 3

    def test_strangers_cannot_shut_an_address_out_of_signing_up(self, app: Flask) -> None:
        for address in many_networks(7):
            answer = post(Browser(app), "/register", address, email="new@example.com", password="weak")
            assert answer.status_code == 422
        here = post(Browser(app), "/register", HOME, email="new@example.com", password=PASSWORD)
        assert here.status_code == 303


class TestRegistrationByMail:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"SMTP_URL": "smtp://127.0.0.1:9", "SECRET_KEY": "x" * 40}

    def test_a_mailbox_is_not_flooded_by_people_who_sign_up_with_it(self, app: Flask, owner: User) -> None:
        for email in ("new@example.com", owner.email):
            for address in many_networks(7):
                assert post(Browser(app), "/register", address, email=email).status_code == 303
        to = [message.payload["to"] for message in db.session.scalars(select(OutboxMessage))]
        assert sorted(to) == ["new@example.com"] * 3 + [owner.email] * 3
