"""Registering with a mail server: by a mailed link, and with the same answer for known addresses."""

from __future__ import annotations

import re
import time

import pytest
from flask import Flask
from itsdangerous import TimestampSigner
from sqlalchemy import select

from app.extensions import db
from app.integrations.mailer import Mail
from app.models import OutboxMessage, User
from app.notify import account_mail, signed_tokens
from tests.support import PASSWORD, Browser, change_character

SECRET = "a secret for tests, long enough to be taken"
NEW = "new@example.com"


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    outside = {"SMTP_URL": "smtp://127.0.0.1:1", "SECRET_KEY": SECRET, "BASE_URL": "http://127.0.0.1:5000"}
    return environ | outside


def queued_mails() -> list[Mail]:
    """Return the enqueued mails as they will be sent."""
    messages = db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
    found = [account_mail.compose(message) for message in messages]
    return [mail for mail in found if mail is not None]


def link() -> str:
    found = re.search(r"http://127\.0\.0\.1:5000(/register/\S+)", queued_mails()[-1].text)
    assert found is not None
    return found.group(1)


def user(email: str = NEW) -> User | None:
    return db.session.scalar(select(User).where(User.email == email))


def test_the_link_completes_the_registration_and_signs_in(app: Flask) -> None:
    browser = Browser(app)
    assert 'name="password"' not in browser.get("/register").text
    assert browser.post("/register", email="New@Example.com").status_code == 303
    assert user() is None
    assert (queued_mails()[0].to, queued_mails()[0].subject) == (NEW, "Finish signing up")
    assert NEW in browser.get(link()).text
    answer = browser.post(link(), password=PASSWORD, timezone="Asia/Tokyo", email="other@example.com")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/upload")
    made = user()
    assert made is not None
    assert (made.timezone, made.email_verified_at is not None) == ("Asia/Tokyo", True)
    assert browser.get("/upload").status_code == 200
    assert len(queued_mails()) == 1, "nothing is left to confirm"


def test_known_and_unknown_addresses_get_the_same_answer(app: Flask, owner: User) -> None:
    seen = []
    for email in (owner.email, NEW):
        browser, began = Browser(app), time.monotonic()
        answer = browser.post("/register", email=email)
        took_s = time.monotonic() - began
        page = re.sub(r'(content|value)="[^"]{20,}"', "", browser.get(answer.headers["Location"]).text)
        seen.append((answer.status_code, answer.headers["Location"], answer.text, page))
        assert 0.4 <= took_s < 0.8
    assert seen[0] == seen[1]
    assert "emailed you a link. Open it to finish signing up." in seen[0][3]
    known, unknown = queued_mails()
    assert (known.to, known.subject) == (owner.email, "You already have an account")
    assert "/forgotten-password" in known.text
    assert "/register/" not in known.text
    assert unknown.to == NEW


def test_a_link_creates_one_account(app: Flask) -> None:
    Browser(app).post("/register", email=NEW)
    path = link()
    Browser(app).post(path, password=PASSWORD)
    again = Browser(app).post(path, password="another quiet password")
    assert again.status_code == 422
    assert "Another account uses this address" in again.text
    assert Browser(app, user()).get("/upload").status_code == 200


def test_a_password_made_of_the_address_is_rejected(app: Flask) -> None:
    Browser(app).post("/register", email="newproducer@example.com")
    assert Browser(app).post(link(), password="newproducer@example.com").status_code == 422
    assert user("newproducer@example.com") is None


def test_expired_altered_and_foreign_links_are_not_found(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    Browser(app).post("/register", email=NEW)
    path, now = link(), time.time()
    for other in (
        change_character(path, -5),
        f"/register/{signed_tokens.export_token(NEW)}",
    ):
        assert Browser(app).get(other).status_code == 404
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: int(now + 2 * 86400 + 5))
    assert Browser(app).get(path).status_code == 404


def test_registration_mails_to_one_address_are_limited(app: Flask) -> None:
    browser = Browser(app)
    codes = [browser.post("/register", email=NEW).status_code for _ in range(11)]
    assert (codes[9], codes[10]) == (303, 429)
    assert len(queued_mails()) == 3  # the links in them work for two days
