"""The second step of signing in: set-up, codes and recovery codes, each of which works once."""

from __future__ import annotations

import re
import time

import pytest
from flask import Flask

from app.auth import accounts, credentials, two_factor_login
from app.extensions import db
from app.models import TwoFactor, User
from tests.auth.codes import code_of, forget_last_code, pending_sign_in
from tests.auth.sent_mails import mails
from tests.support import PASSWORD, Browser

NEW = "another quiet long password"


def test_the_password_alone_does_not_sign_in(app: Flask, owner: User, codes: list[str]) -> None:
    browser = pending_sign_in(app, owner)
    answer = browser.post("/sign-in/code?next=/samples", code=code_of(owner))
    assert answer.headers["Location"] == "/samples"
    assert browser.get("/dashboard").status_code == 200


def test_a_code_works_once_and_older_ones_do_not(
    app: Flask, owner: User, stranger: User, codes: list[str]
) -> None:
    two_factor_login.begin_setup(stranger)
    assert two_factor_login.accept_code(stranger, code_of(stranger))
    assert not two_factor_login.accept_code(stranger, code_of(owner))
    code = code_of(owner)
    assert two_factor_login.accept_code(owner, code)
    assert not two_factor_login.accept_code(owner, code)
    assert not two_factor_login.accept_code(owner, code_of(owner, -1))
    forget_last_code(owner)
    assert not two_factor_login.accept_code(owner, code_of(owner, -3))
    assert two_factor_login.accept_code(owner, code_of(owner, -1))


def test_each_recovery_code_works_once(app: Flask, owner: User, codes: list[str]) -> None:
    assert len(set(codes)) == 10
    browser = pending_sign_in(app, owner)
    assert browser.post("/sign-in/code", code=codes[0].upper()).status_code == 303
    again = pending_sign_in(app, owner)
    assert again.post("/sign-in/code", code=codes[0]).status_code == 422
    assert again.post("/sign-in/code", code=codes[1]).status_code == 303
    assert not any(code in str(db.session.get_one(TwoFactor, owner.id).recovery) for code in codes)


def test_guesses_at_the_code_are_limited_per_account(app: Flask, owner: User, codes: list[str]) -> None:
    here, there = pending_sign_in(app, owner), pending_sign_in(app, owner)
    answers = [here.post("/sign-in/code", code="000000").status_code for _ in range(6)]
    answers += [there.post("/sign-in/code", code="000000").status_code for _ in range(5)]
    assert answers == [422] * 10 + [429]


def test_without_the_password_there_is_no_second_step(app: Flask, owner: User, codes: list[str]) -> None:
    browser = Browser(app)
    answer = browser.post("/sign-in/code", code=code_of(owner))
    assert answer.headers["Location"] == "/sign-in"
    assert browser.get("/dashboard").status_code == 303


def test_a_password_change_cancels_a_pending_sign_in(app: Flask, owner: User, codes: list[str]) -> None:
    browser = pending_sign_in(app, owner)
    credentials.change_password(owner, NEW, "")
    assert browser.post("/sign-in/code", code=code_of(owner)).headers["Location"] == "/sign-in"


@pytest.mark.parametrize(("waited_s", "leads_to"), [(590, "/samples"), (610, "/sign-in?next=/samples")])
def test_a_sign_in_waits_ten_minutes_for_its_code(
    app: Flask, owner: User, codes: list[str], waited_s: int, leads_to: str
) -> None:
    browser = pending_sign_in(app, owner)
    with browser.client.session_transaction() as held:
        held["half_way"] = held["half_way"] | {"at": time.time() - waited_s}
    answer = browser.post("/sign-in/code?next=/samples", code=code_of(owner))
    assert answer.headers["Location"] == leads_to


def test_it_is_off_until_a_code_was_right(as_owner: Browser, owner: User) -> None:
    page = as_owner.get("/settings/two-factor").text
    secret = db.session.get_one(TwoFactor, owner.id).secret
    assert secret in page
    assert "<path d=" in page
    assert as_owner.post("/settings/two-factor", code="000000").status_code == 422
    assert not two_factor_login.is_enabled(owner)
    assert accounts.authenticate(owner.email, PASSWORD) is not None


def test_turning_it_off_needs_the_password_and_sends_a_mail(
    as_owner: Browser, owner: User, codes: list[str]
) -> None:
    assert as_owner.post("/settings/two-factor/off", current="guess").status_code == 422
    assert two_factor_login.is_enabled(owner)
    assert as_owner.post("/settings/two-factor/off", current=PASSWORD).status_code == 303
    assert not two_factor_login.is_enabled(owner)
    subjects = [mail["Subject"] for mail in mails()]
    assert subjects == ["Two-factor authentication is on", "Two-factor authentication is off"]


def test_the_qr_code_is_an_svg_path() -> None:
    path, width = two_factor_login.qr_code_path("otpauth://totp/x?secret=ABC")
    assert width >= 29
    dark = sum(int(run) for run in re.findall(r"h(\d+)v1", path))
    assert 0.2 < dark / (width - 8) ** 2 < 0.7


def test_codes_may_be_typed_in_full_width(app: Flask, owner: User, codes: list[str]) -> None:
    def wide(text: str) -> str:
        return "".join(chr(ord(character) + 0xFEE0) for character in text)

    assert two_factor_login.accept_code(owner, wide(code_of(owner)))
    assert two_factor_login.accept_code(owner, wide(codes[0].upper()))
