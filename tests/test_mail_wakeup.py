"""Every request that adds a mail wakes a worker at once; nobody waits for the housekeeping."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from huey.api import TaskWrapper
from sqlalchemy import select, update

import tasks
from app.extensions import db
from app.models import Job, OutboxMessage, User
from app.models.base import transaction
from app.models.job import COMPLETED
from app.models.user_session import CHANGE, RESET, STOP
from app.notify import account_mail, mail_links, message_kinds, signed_tokens
from tests.auth.codes import code_of
from tests.auth.guesses import under_attack
from tests.support import PASSWORD, Browser, waiting_jobs

NEW = "another quiet long password"
# Only workers add these, and they send mails after each task.
BY_WORKERS = {message_kinds.EXPORT_READY, message_kinds.EXPORT_FAILED, message_kinds.ACCOUNT_DELETED}
Act = Callable[[Browser, User], None]


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the tasks that a worker is woken for."""
    names: list[str] = []

    def wake(task: TaskWrapper, priority: int | None = None) -> None:
        names.append(task.name)

    monkeypatch.setattr(tasks, "wake", wake)
    return names


def use_link(purpose: str, folder: str, email: str = "", **form: str) -> Act:
    def act(browser: Browser, owner: User) -> None:
        with transaction():
            link = mail_links.add_link(owner, purpose, email or owner.email)
        browser.post(f"/{folder}/{signed_tokens.link_token(link)}", **form)

    return act


def stop_after_change(browser: Browser, owner: User) -> None:
    use_link(CHANGE, "confirm-change", "elsewhere@example.com")(browser, owner)
    use_link(STOP, "stop-change", "owner@example.com")(browser, owner)


def turn_second_step_on(browser: Browser, owner: User) -> None:
    browser.get("/settings/two-factor")
    assert browser.post("/settings/two-factor", code=code_of(owner)).status_code == 201


def sign_in_while_strangers_guess(browser: Browser, owner: User) -> None:
    under_attack(owner.email)
    elsewhere = Browser(browser.client.application)
    assert elsewhere.post("/sign-in", email=owner.email, password=PASSWORD).status_code == 429


def enter_wrong_codes(browser: Browser, owner: User) -> None:
    turn_second_step_on(browser, owner)
    elsewhere = Browser(browser.client.application)
    elsewhere.post("/sign-in", email=owner.email, password=PASSWORD)
    for _ in range(11):
        elsewhere.post("/sign-in/code", code="000000")


def turn_second_step_off(browser: Browser, owner: User) -> None:
    turn_second_step_on(browser, owner)
    browser.post("/settings/two-factor/off", current=PASSWORD)


def cancel_the_last_job(browser: Browser, owner: User) -> None:
    done, last = waiting_jobs(owner, 2)
    with transaction() as session:
        session.execute(update(Job).where(Job.id == done).values(state=COMPLETED))
    assert browser.post(f"/jobs/{last}/cancel").status_code in (200, 303)


def post(path: str, **form: str) -> Act:
    def act(browser: Browser, owner: User) -> None:
        browser.post(path, **form)

    return act


ACTS: dict[str, tuple[Act, str]] = {
    "register without a mail server": (
        post("/register", email="new@example.com", password=PASSWORD),
        message_kinds.VERIFY_EMAIL,
    ),
    "ask for a confirmation": (post("/settings/verification"), message_kinds.VERIFY_EMAIL),
    "ask for a reset": (post("/forgotten-password", email="owner@example.com"), message_kinds.RESET_PASSWORD),
    "reset": (use_link(RESET, "new-password", password=NEW), message_kinds.PASSWORD_CHANGED),
    "new password": (
        post("/settings/password", current=PASSWORD, password=NEW),
        message_kinds.PASSWORD_CHANGED,
    ),
    "ask for another address": (
        post("/settings/email", email="elsewhere@example.com", current=PASSWORD),
        message_kinds.CONFIRM_EMAIL,
    ),
    "ask for another address, old one": (
        post("/settings/email", email="elsewhere@example.com", current=PASSWORD),
        message_kinds.CHANGE_REQUESTED,
    ),
    "confirm another address": (
        use_link(CHANGE, "confirm-change", "elsewhere@example.com"),
        message_kinds.EMAIL_CHANGED,
    ),
    "stop a change": (use_link(STOP, "stop-change"), message_kinds.RESET_PASSWORD),
    "stop a change that was made": (stop_after_change, message_kinds.CHANGE_STOPPED),
    "second step on": (turn_second_step_on, message_kinds.TWO_FACTOR),
    "second step off": (turn_second_step_off, message_kinds.TWO_FACTOR),
    "sign in while strangers guess": (sign_in_while_strangers_guess, message_kinds.SIGN_IN_LINK),
    "enter wrong codes": (enter_wrong_codes, message_kinds.CODES_GUESSED),
    "cancel the last job": (cancel_the_last_job, message_kinds.BATCH_DONE),
}


@pytest.mark.parametrize("name", ACTS)
def test_a_request_that_adds_a_mail_wakes_a_worker(
    as_owner: Browser, owner: User, woken: list[str], name: str
) -> None:
    act, kind = ACTS[name]
    act(as_owner, owner)
    assert kind in db.session.scalars(select(OutboxMessage.kind)).all()
    assert "send_mails" in woken


class TestWithAMailServer:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        outside = {"SMTP_URL": "smtp://127.0.0.1:1", "SECRET_KEY": "s" * 40}
        return environ | outside | {"BASE_URL": "http://127.0.0.1:5000"}

    @pytest.mark.parametrize("email", ["owner@example.com", "new@example.com"])
    def test_registering_wakes_a_worker(self, app: Flask, owner: User, woken: list[str], email: str) -> None:
        Browser(app).post("/register", email=email)
        kinds = set(db.session.scalars(select(OutboxMessage.kind)))
        assert kinds == {message_kinds.REGISTER if "new" in email else message_kinds.ACCOUNT_EXISTS}
        assert woken == ["send_mails"]


def test_asking_about_an_unknown_address_wakes_as_often(app: Flask, owner: User, woken: list[str]) -> None:
    for email in (owner.email, "nobody@example.com"):
        woken.clear()
        Browser(app).post("/forgotten-password", email=email)
        assert woken == ["send_mails"], email


def test_other_requests_wake_nobody(as_owner: Browser, woken: list[str]) -> None:
    as_owner.get("/settings/security")
    as_owner.post("/settings", key_notation="both", timezone="UTC")
    assert woken == []


def test_every_kind_of_mail_is_walked() -> None:
    walked = {kind for _, kind in ACTS.values()} | {message_kinds.REGISTER, message_kinds.ACCOUNT_EXISTS}
    assert walked | BY_WORKERS == {*account_mail.NOTICE_BUILDERS, message_kinds.BATCH_DONE}
