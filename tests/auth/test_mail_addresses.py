"""An address is one account however its domain is spelt, and mail uses the domain's ASCII form."""

from __future__ import annotations

import unicodedata

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.admin import audit_trail
from app.auth import accounts
from app.extensions import db
from app.mail_addresses import (
    AddressError,
    header_address,
    normalize_address,
    parse_address,
    readable_address,
)
from app.models import User
from app.models.base import transaction
from app.models.user_lookup import find_user
from tests.auth.sent_mails import link_in, mails
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


def test_a_text_that_is_far_too_long_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Normalising takes quadratic time in a run of accents, so nobody may make us do it."""
    read: list[str] = []
    monkeypatch.setattr("app.mail_addresses.validate_email", lambda text, **_: read.append(text))
    long_address = "a" + "\u0301\u0323" * 20_000 + "@example.com"
    with pytest.raises(AddressError):
        parse_address(long_address)
    assert normalize_address(long_address) == long_address
    assert read == []
