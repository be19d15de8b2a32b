"""Strangers who enter wrong passwords or codes are stopped, and never lock the owner out."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from app.auth import accounts, credentials, guess_limits
from app.auth.guess_limits import PASSWORD_GUESS, Guess, TooManyGuessesError, account_key
from app.extensions import limiter
from app.models import MailLink, User
from app.models.base import transaction, utcnow
from app.models.user_session import SIGN_IN
from tests.auth.guesses import (
    ELSEWHERE,
    HOME,
    NEW,
    fresh_links,
    guess_from,
    many_networks,
    sign_in,
    under_attack,
)
from tests.auth.sent_mails import link_in, mails, text_of
from tests.support import PASSWORD, Browser

pytestmark = pytest.mark.usefixtures("no_mail_pause")
GUESSED_AT = "There were too many wrong passwords for this address."


def test_wrong_passwords_from_one_network_do_not_refuse_the_owner(app: Flask, owner: User) -> None:
    assert guess_from(app, [ELSEWHERE], owner.email, 12) == [422] * 10 + [429] * 2
    assert sign_in(Browser(app), owner.email).status_code == 303


@pytest.mark.parametrize("email", ["OWNER@example.com", " owner@Example.COM "])
def test_another_spelling_is_the_same_account(app: Flask, owner: User, email: str) -> None:
    guess_from(app, [ELSEWHERE], owner.email)
    assert sign_in(Browser(app), email, "guess", ELSEWHERE).status_code == 429


def test_an_account_that_many_networks_guess_at_is_bounded_and_lets_a_known_browser_in(
    app: Flask, owner: User
) -> None:
    known = Browser(app)
    assert sign_in(known, owner.email).status_code == 303
    known.post("/sign-out")
    statuses = guess_from(app, many_networks(12), owner.email, 2)
    assert statuses.count(422) == 20
    assert set(statuses[20:]) == {429}
    known.token = known.fresh_token()
    assert sign_in(known, owner.email).status_code == 303


def test_guesses_are_bounded_per_day(app: Flask, owner: User) -> None:
    day = guess_limits._parse_counts("100/day", f"{PASSWORD_GUESS}:{account_key(owner.email)}")
    limiter.limiter.hit(*day[0], cost=100)
    refused = sign_in(Browser(app), owner.email)
    assert refused.status_code == 429
    assert 23 * 3600 < int(refused.headers["Retry-After"]) <= 24 * 3600


def test_an_unknown_browser_gets_a_link_that_signs_in_once(app: Flask, owner: User) -> None:
    under_attack(owner.email)
    browser = Browser(app)
    refused = sign_in(browser, owner.email)
    assert (refused.status_code, GUESSED_AT in refused.text) == (429, True)
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    (mail,) = mails()
    assert (mail["To"], mail["Subject"]) == (owner.email, "Your link to sign in")
    assert "too many wrong passwords or codes" in text_of(mail)
    link = link_in(mail)
    assert browser.get(link).status_code == 200  # a scanner that follows the link signs nobody in
    assert browser.get("/dashboard").status_code == 303
    assert browser.post(link).headers["Location"] == "/dashboard"
    assert browser.get("/dashboard").status_code == 200
    assert Browser(app).post(link).status_code == 404
    browser.post("/sign-out")
    browser.token = browser.fresh_token()
    assert sign_in(browser, owner.email).status_code == 303  # from now on this browser is known


def test_an_unknown_address_gets_the_same_answer_and_no_mail(app: Flask, owner: User) -> None:
    answers = []
    for email in (owner.email, "nobody@example.com"):
        under_attack(email)
        refused = sign_in(Browser(app), email)
        hidden = re.sub(r'content="[^"]+"|value="[^"]*"', "", refused.text)
        answers.append((refused.status_code, hidden))
    assert answers[0] == answers[1]
    assert [mail["To"] for mail in mails()] == [owner.email]


def test_a_demo_account_gets_no_link(app: Flask) -> None:
    accounts.demo_user()
    under_attack(accounts.DEMO_EMAIL)
    assert sign_in(Browser(app), accounts.DEMO_EMAIL).status_code == 429
    assert mails() == []


def test_strangers_cannot_flood_the_mailbox_with_links(app: Flask, owner: User) -> None:
    under_attack(owner.email)
    for _ in range(3):
        for address in many_networks(6):
            assert sign_in(Browser(app), owner.email, "guess", address).status_code == 429
        with transaction() as session:
            session.execute(update(MailLink).values(created_at=utcnow() - timedelta(minutes=3)))
    assert fresh_links(SIGN_IN) == 2
    assert len(mails()) == 2


def test_one_network_cannot_have_links_mailed_to_everybody(app: Flask, owner: User, stranger: User) -> None:
    guess_from(app, [ELSEWHERE], "a@example.com")
    guess_from(app, [ELSEWHERE], "b@example.com")
    guess_from(app, [ELSEWHERE], "c@example.com")
    browser = Browser(app)
    refused = [sign_in(browser, f"{n}@example.com", "guess", ELSEWHERE) for n in range(11)]
    assert [GUESSED_AT in answer.text for answer in refused] == [True] * 10 + [False]
    assert {answer.status_code for answer in refused} == {429}
    assert all("Retry-After" in answer.headers for answer in refused)


def test_right_passwords_never_count(app: Flask, owner: User) -> None:
    browser = Browser(app)
    for _ in range(12):
        assert sign_in(browser, owner.email).status_code == 303
        browser.client.delete_cookie("known_device")
    assert guess_from(app, [HOME], owner.email, 11) == [422] * 10 + [429]


def test_a_known_browser_has_its_own_limit(app: Flask, owner: User) -> None:
    known = Browser(app, owner)
    known.post("/sign-out")
    known.token = known.fresh_token()
    statuses = [sign_in(known, owner.email, "guess").status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]
    assert sign_in(Browser(app), owner.email).status_code == 303


@pytest.mark.parametrize("event", ["new password", "reset", "sign out everywhere"])
def test_a_browser_is_forgotten(app: Flask, owner: User, event: str) -> None:
    known, password = Browser(app, owner), PASSWORD
    if event == "sign out everywhere":
        credentials.sign_out_everywhere(owner)
    elif event == "new password":
        credentials.change_password(owner, password := NEW, "")
    else:
        credentials.request_reset(owner.email)
        Browser(app).post(link_in(mails()[0]), password=(password := NEW))
    known.token = known.fresh_token()
    under_attack(owner.email)
    assert sign_in(known, owner.email, password).status_code == 429


def test_the_cookie_of_one_account_opens_no_other_and_signs_nobody_in(
    app: Flask, owner: User, stranger: User
) -> None:
    known = Browser(app, stranger)
    known.client.delete_cookie("session")
    assert known.get("/dashboard").status_code == 303
    known.token = known.fresh_token()
    under_attack(owner.email)
    assert sign_in(known, owner.email).status_code == 429
    assert sign_in(known, stranger.email).status_code == 303


def test_the_cookie_is_kept_from_scripts_and_holds_four_accounts(app: Flask) -> None:
    browser = Browser(app)
    members = [accounts.register_user(f"{n}@example.com", PASSWORD, "UTC") for n in range(5)]
    for member in members:
        answer = sign_in(browser, member.email)
        browser.post("/sign-out")
        browser.token = browser.fresh_token()
    cookie = next(each for each in answer.headers.getlist("Set-Cookie") if each.startswith("known_device="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert len(cookie) < 1000
    for member in members:
        under_attack(member.email)
    assert [sign_in(browser, each.email).status_code for each in members] == [429] + [303] * 4


@pytest.mark.parametrize("forged", ["", "x", "W10.aaaa.bbbb", "é"])
def test_a_forged_cookie_is_ignored(app: Flask, owner: User, forged: str) -> None:
    browser = Browser(app)
    browser.client.set_cookie("known_device", forged)
    assert sign_in(browser, owner.email).status_code == 303


class TestOverHttps:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"BASE_URL": "https://samples.example.com", "SECRET_KEY": "x" * 40}

    def test_the_cookie_is_secure(self, app: Flask, owner: User) -> None:
        client = app.test_client()
        app.config["WTF_CSRF_ENABLED"] = False
        answer = client.post("/sign-in", data={"email": owner.email, "password": PASSWORD})
        cookies = answer.headers.getlist("Set-Cookie")
        assert any(each.startswith("known_device=") and "Secure" in each for each in cookies)


def test_of_many_guesses_at_once_none_is_answered_beyond_the_limit(
    app: Flask, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right password among guesses that were all let through to be hashed is refused as well."""
    passed = accounts.authenticate

    def others_guess_meanwhile(email: str, password: str) -> User | None:
        guess = Guess(PASSWORD_GUESS, account_key(email), HOME, None)
        for _ in range(10):
            guess_limits.record_wrong(guess)
        return passed(email, password)

    monkeypatch.setattr(accounts, "authenticate", others_guess_meanwhile)
    assert sign_in(Browser(app), owner.email).status_code == 429


def test_reservations_at_once_never_exceed_the_limit(app: Flask) -> None:
    guess, outcomes = Guess(guess_limits.CODE_GUESS, "someone", HOME, None), []

    def try_one() -> None:
        with app.app_context():
            try:
                guess_limits.reserve(guess)
                outcomes.append(True)
            except TooManyGuessesError:
                outcomes.append(False)

    threads = [threading.Thread(target=try_one) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcomes) <= 10
    assert len(outcomes) == 30


class TestWithoutRedis:
    """While the store of the counts is down, each process counts by itself."""

    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"REDIS_URL": "redis://127.0.0.1:1/0", "SECRET_KEY": "x" * 40}

    @pytest.fixture(autouse=True)
    def no_reset(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(limiter, "reset", guess_limits._counts_of_this_process().storage.reset)
        yield
        assert not limiter._storage_dead  # other tests share the limiter

    def test_guesses_are_still_counted(self, app: Flask, owner: User) -> None:
        assert guess_from(app, [ELSEWHERE], owner.email, 11) == [422] * 10 + [429]
        assert sign_in(Browser(app), owner.email).status_code == 303
