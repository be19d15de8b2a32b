"""Login sessions: listed, ended one by one or together, and copied cookies end with them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.auth import accounts, login_sessions
from app.extensions import db
from app.models import User, UserSession
from app.models.base import transaction, utcnow
from tests.support import PASSWORD, Browser

NEW = "another quiet long password"


def copied(app: Flask, browser: Browser) -> Browser:
    """Return a browser with copies of another one's cookies."""
    thief = Browser(app)
    for name in ("session", "remember_token"):
        cookie = browser.client.get_cookie(name)
        if cookie is not None:
            thief.client.set_cookie(name, cookie.value)
    return thief


def test_a_copied_cookie_stops_working_at_sign_out(app: Flask, owner: User) -> None:
    browser = Browser(app)
    browser.post("/sign-in", email=owner.email, password=PASSWORD, remember="y")
    browser.token = browser.fresh_token()
    thief = copied(app, browser)
    assert thief.get("/dashboard").status_code == 200
    browser.post("/sign-out")
    assert thief.get("/dashboard").status_code == 303


def test_signing_out_everywhere_ends_every_session(app: Flask, owner: User) -> None:
    here, there = Browser(app, owner), Browser(app, owner)
    here.post("/settings/sessions/end")
    assert (here.get("/dashboard").status_code, there.get("/dashboard").status_code) == (303, 303)


def test_one_session_is_ended_from_another(app: Flask, owner: User) -> None:
    here, there = Browser(app, owner), Browser(app, owner)
    page = here.get("/settings/security").text
    assert page.count("this browser") == 1
    (address,) = re.findall(r'action="(/settings/sessions/\w{26}/end)"', page)
    for code in (303, 404):
        assert here.post(address).status_code == code
    assert (here.get("/dashboard").status_code, there.get("/dashboard").status_code) == (200, 303)


def test_a_password_change_ends_all_other_sessions(app: Flask, owner: User) -> None:
    here, there = Browser(app, owner), Browser(app, owner)
    assert here.post("/settings/password", current=PASSWORD, password=NEW).status_code == 303
    assert (here.get("/dashboard").status_code, there.get("/dashboard").status_code) == (200, 303)
    assert accounts.authenticate(owner.email, PASSWORD) is None
    assert accounts.authenticate(owner.email, NEW) is not None


def test_a_wrong_current_password_changes_nothing(as_owner: Browser, owner: User) -> None:
    answer = as_owner.post("/settings/password", current="guess", password=NEW)
    assert answer.status_code == 422
    assert "That is not your current password." in answer.text
    assert accounts.authenticate(owner.email, PASSWORD) is not None


def test_guesses_at_the_current_password_are_limited(as_owner: Browser) -> None:
    codes = [as_owner.post("/settings/password", current="x", password=NEW).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]


def test_a_browser_that_stays_away_has_to_sign_in_again(as_owner: Browser) -> None:
    with transaction() as session:
        session.execute(
            update(UserSession).values(seen_at=utcnow() - login_sessions.IDLE_LIMIT - timedelta(seconds=1))
        )
    assert as_owner.get("/dashboard").status_code == 303
    login_sessions.purge_idle_sessions()
    assert db.session.scalar(select(UserSession)) is None


def test_stored_values_do_not_work_as_cookies(app: Flask, as_owner: Browser) -> None:
    stored = db.session.connection().exec_driver_sql("SELECT * FROM user_sessions").one()
    for value in stored:
        assert accounts.user_from_cookie(f"{value}.0") is None


def test_a_session_is_named_by_browser_and_system() -> None:
    chrome = (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
    )
    assert login_sessions.describe_browser(chrome) == "Chrome on Linux"
    assert login_sessions.describe_browser(chrome + " Edg/140.0") == "Edge on Linux"
    assert login_sessions.describe_browser("curl/8.5\r\n") == "curl/8.5"


def test_element_ids_are_unique_on_settings_pages(as_owner: Browser) -> None:
    for path in ("/settings/security", "/settings/two-factor", "/settings/data", "/settings/tokens"):
        ids = re.findall(r' id="([^"]+)"', as_owner.get(path).text)
        assert len(ids) == len(set(ids)), path


@pytest.mark.parametrize(("past_s", "is_live"), [(-5, True), (5, False)])
def test_a_session_ends_after_ninety_idle_days(app: Flask, owner: User, past_s: int, is_live: bool) -> None:
    cookie = login_sessions.start_session(owner, "192.0.2.1", "curl/8.5")
    with transaction() as session:
        seen_at = utcnow() - timedelta(days=90, seconds=past_s)
        session.execute(update(UserSession).values(seen_at=seen_at))
    assert len(login_sessions.list_sessions(owner)) == is_live
    found = login_sessions.find_session(cookie)
    assert (found is not None) is is_live
    login_sessions.purge_idle_sessions()
    assert (db.session.scalar(select(UserSession)) is not None) is is_live


@pytest.mark.parametrize(("idle_s", "is_written"), [(295, False), (305, True)])
def test_seeing_a_session_is_written_every_five_minutes(owner: User, idle_s: int, is_written: bool) -> None:
    login_sessions.start_session(owner, "192.0.2.1", "Another browser")
    cookie = login_sessions.start_session(owner, "192.0.2.1", "curl/8.5")
    before = utcnow() - timedelta(seconds=idle_s)
    with transaction() as session:
        session.execute(update(UserSession).values(seen_at=before))
    polled = login_sessions.find_live_row(cookie, select(User.id, User.email))
    assert polled == (None if is_written else (owner.id, (owner.email,))), "a poll writes nothing"
    assert login_sessions.find_session(cookie) is not None
    seen = {each.agent: each.seen_at > before for each in login_sessions.list_sessions(owner)}
    assert sorted(seen.values()) == [False, is_written]


def test_a_cookie_needs_its_secret_its_epoch_and_an_open_account(owner: User) -> None:
    def found(by: str) -> tuple[bool, bool]:
        """Say whether a page finds the session, and whether the poll of the cards does."""
        row = login_sessions.find_live_row(by, select(User.id))
        return login_sessions.find_session(by) is not None, row is not None

    cookie = login_sessions.start_session(owner, "192.0.2.1", "curl/8.5")
    secret, _, epoch = cookie.partition(".")
    assert len(secret) >= 43
    for other in (
        secret,
        f"{secret}.",
        f"{secret}.{int(epoch) + 1}",
        f"{secret[:-1]}.{epoch}",
        "",
        f".{epoch}",
    ):
        assert found(other) == (False, False), other
    assert found(cookie) == (True, True)
    with transaction():
        owner.closed_at = utcnow()
    assert found(cookie) == (False, False)


def test_no_session_starts_after_the_proof_is_out_of_date(owner: User) -> None:
    """Between the password's check and the new session, the password or the epoch may change."""
    owner.proven_stamp = login_sessions.credential_stamp(owner)
    login_sessions.start_session(owner, "192.0.2.1", "curl/8.5")
    with transaction():
        owner.session_epoch += 1
    with pytest.raises(login_sessions.AccessEndedError):
        login_sessions.start_session(owner, "192.0.2.1", "curl/8.5")
    owner.proven_stamp = login_sessions.credential_stamp(owner)
    with transaction():
        owner.password_hash = "another"
    with pytest.raises(login_sessions.AccessEndedError):
        login_sessions.start_session(owner, "192.0.2.1", "curl/8.5")
    assert len(login_sessions.list_sessions(owner)) == 1


def test_a_session_has_the_epoch_of_its_own_account(owner: User, stranger: User) -> None:
    for epoch, user in enumerate((owner, stranger), 5):
        with transaction():
            user.session_epoch = epoch
        assert login_sessions.find_session(login_sessions.start_session(user, "192.0.2.1", "curl/8.5"))


def test_sessions_are_counted_and_deleted_for_one_account_only(owner: User, stranger: User) -> None:
    cookies = [login_sessions.start_session(owner, f"192.0.2.{n}" + "0" * 60, "x" * 300) for n in range(4)]
    other = login_sessions.start_session(stranger, "192.0.2.9", "curl/8.5")
    listed = login_sessions.list_sessions(owner)
    assert all(len(each.address) == 45 and each.agent == "x" * 80 for each in listed)
    kept = login_sessions.find_session(cookies[0])
    assert kept is not None
    with transaction() as session:
        for days, cookie in ((91, cookies[1]), (1, cookies[2])):
            row = login_sessions.find_session(cookie)
            assert row is not None
            seen_at = utcnow() - timedelta(days=days)
            session.execute(update(UserSession).where(UserSession.id == row.id).values(seen_at=seen_at))
    assert [each.seen_at for each in login_sessions.list_sessions(owner)] == sorted(
        (each.seen_at for each in login_sessions.list_sessions(owner)), reverse=True
    )
    with transaction():
        assert login_sessions.delete_sessions(owner, keep_id=kept.id) == 2, "the idle one was not live"
    assert [each.id for each in login_sessions.list_sessions(owner)] == [kept.id]
    with transaction():
        assert login_sessions.delete_sessions(owner) == 1
    assert login_sessions.list_sessions(owner) == []
    assert login_sessions.find_session(other) is not None


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Firefox/140.0", "Firefox on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14) Chrome/140.0 Safari/537.36 OPR/120", "Opera on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (iPad; CPU OS 18 like Mac OS X) Safari/604.1", "Safari on iPad"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140.0 Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Haiku) Firefox/140.0", ""),
        ("wget on Linux", ""),
    ],
)
def test_browsers_and_systems_are_recognised(agent: str, name: str) -> None:
    assert login_sessions.recognised_browser(agent) == name
