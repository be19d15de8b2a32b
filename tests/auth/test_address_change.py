"""A change of address says who asked for it, and can be stopped from the old address for 72 hours."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.auth import accounts, address_change, two_factor_login
from app.auth.requesters import describe_requester, surrounding_network
from app.extensions import db
from app.models import MailLink, TwoFactor, User
from app.models.base import transaction, utcnow
from app.models.user_session import CHANGE, STOP
from app.notify import signed_tokens
from app.webhooks import endpoints
from tests.auth.sent_mails import link_in, mails, text_of
from tests.support import PASSWORD, ApiScript, Browser

OLD, THIEF, THIRD = "owner@example.com", "thief@example.com", "third@example.com"
NEW = "another quiet long password"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"


def request_change(browser: Browser, email: str, password: str = PASSWORD) -> None:
    assert browser.post("/settings/email", email=email, current=password).status_code == 303


def path_to(purpose: str, email: str) -> str:
    """Return the path of the newest link of a purpose to an address."""
    newest = select(MailLink).where(MailLink.purpose == purpose, MailLink.email == email)
    link = db.session.scalars(newest.order_by(MailLink.created_at.desc())).first()
    assert link is not None
    folder = {CHANGE: "confirm-change", STOP: "stop-change"}[purpose]
    return f"/{folder}/{signed_tokens.link_token(link)}"


def change_to(app: Flask, browser: Browser, email: str, password: str = PASSWORD) -> None:
    request_change(browser, email, password)
    assert Browser(app).post(path_to(CHANGE, email)).status_code == 303


def mail_to(address: str) -> str:
    return text_of([mail for mail in mails() if mail["To"] == address][-1])


def set_password_by_mail(app: Flask, address: str) -> None:
    link = link_in([mail for mail in mails() if mail["To"] == address][-1])
    assert link.startswith("/new-password/")
    assert Browser(app).post(link, password=NEW).status_code == 303


def test_both_mails_say_who_asked(app: Flask, owner: User) -> None:
    browser = Browser(app, owner)
    with transaction():
        owner.timezone = "Asia/Tokyo"
    form = {"csrf_token": browser.token, "email": "dj@bücher.example", "current": PASSWORD}
    where = {"REMOTE_ADDR": "203.0.113.77"}
    answer = browser._request(
        "POST", "/settings/email", data=form, environ_overrides=where, headers={"User-Agent": FIREFOX}
    )
    assert answer.status_code == 303
    to_new, to_old = mails()
    assert [to_new["To"], to_old["To"]] == ["dj@xn--bcher-kva.example", OLD]
    for mail in (to_new, to_old):
        assert "with Firefox on Windows, from the network 203.0.113.0/24." in text_of(mail)
        assert "203.0.113.77" not in text_of(mail)
        assert "(Asia/Tokyo)" in text_of(mail)
    assert "to dj@bücher.example." in text_of(to_old)
    assert OLD not in text_of(to_new), "a stranger's mailbox does not learn the account's address"
    browser.post(link_in(to_new))
    after = mail_to(OLD)
    assert "was changed to dj@bücher.example." in after
    assert "with Firefox on Windows, from the network 203.0.113.0/24." in after


def test_a_strangers_words_never_get_into_our_mail() -> None:
    assert describe_requester("203.0.113.9", "Call https://evil.example now") == ("", "203.0.113.0/24")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("unknown", ""),
    ],
)
def test_the_network_is_named_and_not_the_address(address: str, network: str) -> None:
    assert surrounding_network(address) == network


def test_opening_the_stop_link_changes_nothing(app: Flask, as_owner: Browser, owner: User) -> None:
    """Mail scanners open links. The page has a button."""
    change_to(app, as_owner, THIEF)
    page = Browser(app).get(path_to(STOP, OLD)).text
    assert OLD in page
    assert THIEF in page
    assert owner.email == THIEF
    assert as_owner.get("/dashboard").status_code == 200


def test_the_change_is_stopped_before_it_is_made(app: Flask, owner: User) -> None:
    thief, script = Browser(app, owner), ApiScript(app, owner)
    request_change(thief, THIEF)
    stop = link_in(mails()[-1])
    answer = Browser(app).post(stop)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert Browser(app).post(path_to(CHANGE, THIEF)).status_code == 404
    assert thief.get("/dashboard").status_code == 303
    assert script.get("/api/samples").status_code == 401
    assert accounts.authenticate(OLD, PASSWORD) is None, "whoever asked knew the password"
    set_password_by_mail(app, OLD)
    assert accounts.authenticate(OLD, NEW) is owner
    assert Browser(app).post(stop).status_code == 404, "it works once"


def test_the_change_is_undone_after_it_was_made(app: Flask, owner: User) -> None:
    thief = Browser(app, owner)
    change_to(app, thief, THIEF)
    stop = link_in(mails()[-1])
    assert stop.startswith("/stop-change/")
    thief.post("/settings/password", current=PASSWORD, password="the thief's own password")
    Browser(app).post("/forgotten-password", email=THIEF)
    thiefs_reset = link_in(mails()[-1])
    script = ApiScript(app, owner)
    victim = Browser(app)
    assert victim.post(stop).status_code == 303
    page = victim.get("/sign-in").text
    assert "The change is stopped. Ended: 1 session, 1 link and 1 API token." in page
    assert owner.email == OLD
    assert thief.get("/dashboard").status_code == 303
    assert script.get("/api/samples").status_code == 401
    assert Browser(app).post(thiefs_reset, password=NEW).status_code == 404
    for address in (OLD, THIEF):
        assert accounts.authenticate(address, "the thief's own password") is None
    assert "was stopped from the old address, owner@example.com" in mail_to(THIEF)
    set_password_by_mail(app, OLD)
    assert accounts.authenticate(OLD, NEW) is owner


def test_nothing_a_thief_can_do_ends_the_stop_link(app: Flask, owner: User) -> None:
    thief = Browser(app, owner)
    change_to(app, thief, THIEF)
    stop = path_to(STOP, OLD)
    thief.post("/settings/password", current=PASSWORD, password=NEW)
    request_change(thief, THIRD, NEW)
    thief.post("/settings/sessions/end")
    Browser(app).post("/forgotten-password", email=THIEF)
    Browser(app).post(link_in(mails()[-1]), password="the thief's own password")
    assert Browser(app).get(stop).status_code == 200
    thief = Browser(app)
    thief.post("/sign-in", email=THIEF, password="the thief's own password")
    thief.token = thief.fresh_token()
    answer = thief.post("/settings/close", email=THIEF, current="the thief's own password")
    assert answer.status_code == 422
    assert "the old address can still stop that" in answer.text
    assert Browser(app).post(stop).status_code == 303
    assert owner.email == OLD


@pytest.mark.parametrize("thief_is_first", [True, False])
def test_after_two_changes_only_the_first_address_wins(app: Flask, owner: User, thief_is_first: bool) -> None:
    """A thief who owns the second and third address can stop the second change, but not the owner's stop."""
    thief = Browser(app, owner)
    change_to(app, thief, THIEF)
    change_to(app, thief, THIRD)
    owners, thiefs = path_to(STOP, OLD), path_to(STOP, THIEF)
    if thief_is_first:
        assert Browser(app).post(thiefs).status_code == 303
        assert owner.email == THIEF
    assert Browser(app).post(owners).status_code == 303
    assert owner.email == OLD
    assert Browser(app).post(thiefs).status_code == 404
    assert owner.email == OLD


def test_the_link_works_for_72_hours_after_the_change(app: Flask, as_owner: Browser, owner: User) -> None:
    request_change(as_owner, THIEF)
    with transaction() as session:  # as if nearly a day had passed
        earlier = {"created_at": utcnow() - timedelta(hours=23), "expires_at": utcnow() + timedelta(hours=1)}
        session.execute(update(MailLink).values(**earlier))
    Browser(app).post(path_to(CHANGE, THIEF))
    stop = db.session.scalars(select(MailLink).where(MailLink.purpose == STOP)).one()
    assert timedelta(hours=71, minutes=59) < stop.expires_at - utcnow() <= timedelta(hours=72)
    path = path_to(STOP, OLD)
    with transaction():
        stop.expires_at = utcnow()
    assert Browser(app).post(path).status_code == 404
    assert owner.email == THIEF
    answer = as_owner.post("/settings/close", email=THIEF, current=PASSWORD)
    assert answer.status_code == 303, "then the account may be deleted"


def test_the_link_ends_with_the_account(app: Flask, as_owner: Browser, owner: User) -> None:
    request_change(as_owner, THIEF)
    stop = path_to(STOP, OLD)
    assert as_owner.post("/settings/close", email=OLD, current=PASSWORD).status_code == 303
    assert Browser(app).post(stop).status_code == 404
    assert owner.password_hash is None


def test_the_old_address_is_kept_free_for_its_owner(
    app: Flask, as_owner: Browser, owner: User, as_stranger: Browser, stranger: User
) -> None:
    change_to(app, as_owner, THIEF)
    answer = Browser(app).post("/register", email=OLD.upper(), password=PASSWORD)
    assert answer.status_code == 422
    request_change(as_stranger, OLD)
    as_stranger.post(path_to(CHANGE, OLD))
    assert stranger.email == "stranger@example.com"
    change_to(app, as_owner, OLD)
    assert owner.email == OLD, "its owner may go back"
    with transaction() as session:
        session.execute(update(MailLink).values(expires_at=utcnow()))
    change_to(app, as_owner, THIRD)
    with transaction() as session:
        session.execute(update(MailLink).values(expires_at=utcnow()))
    assert Browser(app).post("/register", email=OLD, password=PASSWORD).status_code == 303


def test_an_old_address_that_is_taken_locks_the_account(
    app: Flask, as_owner: Browser, owner: User, stranger: User, caplog: pytest.LogCaptureFixture
) -> None:
    """It can only come from a process of the previous version, which does not know of reserved addresses."""
    change_to(app, as_owner, THIEF)
    stop = path_to(STOP, OLD)
    with transaction():
        stranger.email = OLD
    victim = Browser(app)
    assert victim.post(stop).status_code == 303
    assert "another account uses your old address now" in victim.get("/sign-in").text
    assert (owner.email, owner.password_hash) == (THIEF, None)
    assert stranger.email == OLD
    assert as_owner.get("/dashboard").status_code == 303
    before = len(mails())
    Browser(app).post("/forgotten-password", email=THIEF)
    assert len(mails()) == before
    assert f"account {owner.id} is locked" in caplog.text


@pytest.mark.parametrize(("days_ago", "stays"), [(8, True), (6, False), (0, False)])
def test_a_second_step_goes_unless_it_is_older_than_a_week(
    app: Flask, owner: User, stranger: User, days_ago: int, stays: bool
) -> None:
    """Somebody who takes an account may set up a second step first, and then change the address."""
    thief = Browser(app, owner)
    request_change(thief, THIEF)
    for user in (owner, stranger):
        two_factor_login.begin_setup(user)
        with transaction() as session:
            session.get_one(TwoFactor, user.id).confirmed_at = utcnow() - timedelta(days=days_ago)
    Browser(app).post(path_to(STOP, OLD))
    assert [two_factor_login.is_enabled(user) for user in (owner, stranger)] == [stays, True]


def test_webhooks_are_disabled_unless_they_are_older_than_a_week(
    app: Flask, owner: User, stranger: User
) -> None:
    before = endpoints.add_endpoint(owner, "https://receiver.example/own", ["job.completed"])
    with transaction():
        before.created_at = utcnow() - timedelta(days=8)
    request_change(Browser(app, owner), THIEF)
    after = endpoints.add_endpoint(owner, "https://receiver.example/thief", ["job.completed"])
    failed = endpoints.add_endpoint(owner, "https://receiver.example/failed", ["job.completed"])
    others = endpoints.add_endpoint(stranger, "https://receiver.example/other", ["job.completed"])
    with transaction():
        failed.disabled_at, failed.disabled_because = utcnow(), "It failed too often."
    Browser(app).post(path_to(STOP, OLD))
    assert (before.disabled_at, others.disabled_at) == (None, None)
    assert after.disabled_because == address_change.STOPPED
    assert failed.disabled_because == "It failed too often."


def test_a_change_that_the_previous_version_asked_for_can_be_stopped_too(app: Flask, owner: User) -> None:
    with transaction() as session:
        link = MailLink(
            user_id=owner.id, purpose=CHANGE, email=THIEF, expires_at=utcnow() + timedelta(hours=1)
        )
        session.add(link)
    assert Browser(app).post(path_to(CHANGE, THIEF)).status_code == 303
    told = mail_to(OLD)
    assert "with an unknown browser, from an unknown network." in told
    assert Browser(app).post(link_in(mails()[-1])).status_code == 303
    assert owner.email == OLD


def test_the_same_address_is_no_change(as_owner: Browser, owner: User) -> None:
    answer = as_owner.post("/settings/email", email=OLD.upper(), current=PASSWORD)
    assert answer.status_code == 422
    assert "Your account has this address already." in answer.text
    assert mails() == []
