"""Login sessions: listed, ended one by one or together, and copied cookies end with them."""

from __future__ import annotations

import re
from datetime import timedelta

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
