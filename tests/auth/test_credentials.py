"""Mailed links: confirm and change an address, reset a password; and which passwords are rejected."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.auth import accounts, credentials, passwords
from app.extensions import db
from app.models import MailLink, OutboxMessage, User
from app.models.base import transaction, utcnow
from tests.auth.sent_mails import link_in, mails, text_of
from tests.support import PASSWORD, Browser, change_character

NEW = "another quiet long password"


def test_a_new_account_confirms_its_address_by_a_button(app: Flask) -> None:
    browser = Browser(app)
    browser.post("/register", email="new@example.com", password=PASSWORD, timezone="UTC")
    browser.token = browser.fresh_token()
    (mail,) = mails()
    assert (mail["To"], mail["Subject"]) == ("new@example.com", "Confirm your email address")
    assert "not confirmed yet" in browser.get("/settings/security").text
    link = link_in(mail)
    assert browser.get(link).status_code == 200  # a scanner that follows the link changes nothing
    assert "not confirmed yet" in browser.get("/settings/security").text
    assert [browser.post(link).status_code for _ in range(2)] == [303, 404]
    assert "not confirmed yet" not in browser.get("/settings/security").text


def test_a_second_confirmation_link_is_sent_only_after_a_while(as_owner: Browser, owner: User) -> None:
    for _ in range(3):
        as_owner.post("/settings/verification")
    assert len(mails()) == 1
    with transaction() as session:
        session.execute(update(MailLink).values(created_at=utcnow() - timedelta(minutes=3)))
    as_owner.post("/settings/verification")
    assert len(mails()) == 2


def test_a_reset_link_works_once_and_ends_every_session(app: Flask, owner: User) -> None:
    signed_in, browser = Browser(app, owner), Browser(app)
    asked = browser.post("/forgotten-password", email=owner.email.upper())
    assert asked.headers["Location"] == "/sign-in"
    (mail,) = mails()
    link = link_in(mail)
    assert browser.get(link).status_code == 200
    assert [browser.post(link, password=NEW).status_code for _ in range(2)] == [303, 404]
    assert accounts.authenticate(owner.email, NEW) is not None
    assert signed_in.get("/dashboard").status_code == 303
    assert mails()[-1]["Subject"] == "Your password was changed"


def test_a_reset_link_expires_and_is_revoked_by_a_password_change(app: Flask, owner: User) -> None:
    browser = Browser(app)
    browser.post("/forgotten-password", email=owner.email)
    link = link_in(mails()[0])
    with transaction() as session:
        session.execute(update(MailLink).values(expires_at=MailLink.created_at))
    assert browser.get(link).status_code == 404
    with transaction() as session:
        session.execute(update(MailLink).values(expires_at=utcnow() + timedelta(minutes=5)))
    assert browser.get(link).status_code == 200
    credentials.change_password(owner, NEW, "")
    assert browser.get(link).status_code == 404
    assert db.session.scalars(select(MailLink)).one().created_at is not None


def test_the_lifetime_of_a_reset_link_is_an_hour(app: Flask, owner: User) -> None:
    credentials.request_reset(owner.email)
    link = db.session.scalars(select(MailLink)).one()
    assert timedelta(minutes=59) < link.expires_at - utcnow() <= timedelta(hours=1)


def test_asking_for_a_reset_does_not_reveal_accounts(app: Flask, owner: User) -> None:
    answers, times = [], []
    for address in (owner.email, "nobody@example.com"):
        browser, started = Browser(app), time.monotonic()
        answer = browser.post("/forgotten-password", email=address)
        times.append(time.monotonic() - started)
        answers.append((answer.status_code, answer.headers["Location"], browser.get("/sign-in").status_code))
    assert answers[0] == answers[1]
    assert min(times) >= 0.4
    assert db.session.scalar(select(func.count()).select_from(OutboxMessage)) == 1


def test_asking_for_reset_links_is_limited(app: Flask) -> None:
    browser = Browser(app)
    codes = [browser.post("/forgotten-password", email="a@example.com").status_code for _ in range(6)]
    assert codes == [303] * 5 + [429]


@pytest.mark.parametrize(
    ("path", "next_page"),
    [
        ("/new-password/", "/forgotten-password"),
        ("/confirm/", "/settings/security"),
        ("/confirm-change/", "/settings/security"),
        ("/register/", "/register"),
        ("/settings/exports/", "/settings/data"),
    ],
)
def test_a_dead_link_leads_to_the_page_that_sends_a_new_one(app: Flask, path: str, next_page: str) -> None:
    answer = Browser(app).get(f"{path}forged")
    assert answer.status_code == 404
    assert "This link has expired or has already been used. Request a new one." in answer.text
    assert f'<a class="button" href="{next_page}">' in answer.text


def test_a_forged_link_and_an_expired_one_get_the_same_answer(app: Flask, owner: User) -> None:
    credentials.request_reset(owner.email)
    link = link_in(mails()[0])
    with transaction() as session:
        session.execute(update(MailLink).values(expires_at=MailLink.created_at))
    secrets = r'(content|value)="[^"]{20,}"'
    expired, forged = (re.sub(secrets, "", Browser(app).get(each).text) for each in (link, link + "x"))
    assert expired == forged


@pytest.mark.parametrize("path", ["/new-password/", "/confirm/", "/confirm-change/"])
def test_a_forged_link_or_one_for_another_purpose_is_not_found(app: Flask, owner: User, path: str) -> None:
    credentials.request_reset(owner.email)
    token = link_in(mails()[0]).rpartition("/")[2]
    browser = Browser(app)
    assert browser.get(path + change_character(token, -5)).status_code == 404
    assert browser.get(path + token).status_code == (200 if path == "/new-password/" else 404)


def test_links_are_made_from_base_url_and_not_from_the_request(app: Flask, owner: User) -> None:
    browser = Browser(app)
    form = {"csrf_token": browser.token, "email": owner.email}
    browser._request("POST", "/forgotten-password", data=form, headers={"X-Forwarded-Host": "evil.example"})
    assert "http://127.0.0.1:5000/new-password/" in text_of(mails()[0])


def test_an_address_changes_when_the_new_one_confirms_and_the_old_one_is_notified(
    as_owner: Browser, owner: User
) -> None:
    old = owner.email
    as_owner.post("/settings/email", email="Moved@example.com", current=PASSWORD)
    mail, to_old = mails()
    assert (mail["To"], to_old["To"]) == ("moved@example.com", old)
    assert owner.email == old
    assert as_owner.post(link_in(mail)).status_code == 303
    assert owner.email == "moved@example.com"
    assert owner.email_verified_at is not None
    told = mails()[-1]
    assert (told["To"], told["Subject"]) == (old, "Your email address was changed")
    assert as_owner.post(link_in(mail)).status_code == 404


def test_another_accounts_address_can_not_be_taken(as_owner: Browser, owner: User, stranger: User) -> None:
    as_owner.post("/settings/email", email=stranger.email, current=PASSWORD)
    as_owner.post(link_in(mails()[0]))
    assert owner.email == "owner@example.com"
    assert "Another account uses this address" in as_owner.get("/settings").text


def test_changing_the_address_needs_the_password(as_owner: Browser) -> None:
    answer = as_owner.post("/settings/email", email="moved@example.com", current="guess")
    assert answer.status_code == 422
    assert db.session.scalar(select(MailLink)) is None


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("1234567890", passwords.BREACHED),
        ("qwertyuiop", passwords.BREACHED),
        ("aaaaaaaaaaaa", passwords.TOO_WEAK),
        ("newproducer1", passwords.TOO_WEAK),
        ("Password2024", passwords.TOO_WEAK),
    ],
)
def test_weak_and_breached_passwords_are_rejected(app: Flask, password: str, sentence: str) -> None:
    answer = Browser(app).post("/register", email="newproducer@example.com", password=password)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert passwords.rejection_reason(PASSWORD, "newproducer@example.com") is None


def test_a_very_long_password_is_checked_quickly() -> None:
    started = time.process_time()
    assert passwords.rejection_reason("correct horse battery staple " * 6, "a@example.com") is None
    assert time.process_time() - started < 5


def test_the_demo_account_has_no_password_to_change_and_gets_no_mail(app: Flask) -> None:
    browser = Browser(app)
    browser.post("/demo")
    browser.token = browser.fresh_token()
    assert "has no password and gets no email" in browser.get("/settings/security").text
    assert browser.post("/settings/password", current="x", password=NEW).status_code == 422
    assert browser.post("/settings/email", email="a@example.com", current="x").status_code == 422
    assert browser.post("/settings/verification").status_code == 303
    assert mails() == []
