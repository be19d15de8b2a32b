"""Whatever ends access to an account also ends its mailed links of every purpose, and says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.account import closing, data_export
from app.auth import access, accounts, api_tokens
from app.extensions import db
from app.models import ApiToken, DataExport, MailLink, User
from app.models.base import transaction, utcnow
from app.models.user_lookup import find_user
from app.models.user_session import CHANGE, RESET, STOP
from app.notify import mail_links, signed_tokens
from tests.auth.sent_mails import link_in, mails, text_of
from tests.support import PASSWORD, ApiScript, Browser

NEW = "another quiet long password"
ELSEWHERE = "elsewhere@example.com"


def change_password(browser: Browser, user: User) -> None:
    assert browser.post("/settings/password", current=PASSWORD, password=NEW).status_code == 303


def reset_password(browser: Browser, user: User) -> None:
    with transaction():
        link = mail_links.add_link(user, RESET, user.email)
    assert browser.post(f"/new-password/{signed_tokens.link_token(link)}", password=NEW).status_code == 303


def sign_out_everywhere(browser: Browser, user: User) -> None:
    assert browser.post("/settings/sessions/end").status_code == 303


def close_account(browser: Browser, user: User) -> None:
    answer = browser.post("/settings/close", email=user.email, current=PASSWORD)
    assert answer.status_code == 303, answer.text


def delete_account(browser: Browser, user: User) -> None:
    close_account(browser, user)
    closing.finish_due_closings()


def change_address(browser: Browser, user: User) -> None:
    with transaction():
        link = mail_links.add_link(user, CHANGE, ELSEWHERE)
    assert browser.post(f"/confirm-change/{signed_tokens.link_token(link)}").status_code == 303


def stop_change(browser: Browser, user: User) -> None:
    with transaction():
        link = mail_links.add_link(user, STOP, user.email)
    assert browser.post(f"/stop-change/{signed_tokens.link_token(link)}").status_code == 303


# Each event, and the purposes that outlive it. A stop link that ended with a new password would be no use
# against somebody who has taken the account; a stop link ends those that came after it.
EVENTS: dict[Callable[[Browser, User], None], set[str]] = {
    change_password: {STOP},
    reset_password: {STOP},
    sign_out_everywhere: {STOP},
    change_address: {STOP},
    stop_change: {STOP},
    close_account: set(),
    delete_account: set(),
}
# Tokens without a row of their own. A new kind needs a line here, and a test below.
STATELESS = {"account_export_token", "export_token", "registration_token"}


def outstanding(tokens: dict[str, str]) -> set[str]:
    """Return the purposes whose token still opens something."""
    found = set()
    for purpose, token in tokens.items():
        try:
            mail_links.find_live_link(token, purpose)
        except mail_links.DeadLinkError:
            continue
        found.add(purpose)
    return found


def ready_export(user: User) -> str:
    """Add an export whose link was mailed, and return the path of the link."""
    with transaction() as session:
        export = DataExport(user_id=user.id, ready_at=utcnow(), size_bytes=1)
        session.add(export)
        session.flush()
        return f"/settings/exports/{signed_tokens.account_export_token(export.key, user.id, utcnow())}"


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_ends_the_links_of_every_purpose(
    app: Flask, owner: User, stranger: User, event: Callable[[Browser, User], None]
) -> None:
    browser = Browser(app, owner)
    with transaction():
        owners, strangers = (
            {purpose: mail_links.add_link(user, purpose, user.email) for purpose in mail_links.LIFETIMES}
            for user in (owner, stranger)
        )
        tokens, foreign = (
            {purpose: signed_tokens.link_token(link) for purpose, link in links.items()}
            for links in (owners, strangers)
        )
    export, foreign_export = ready_export(owner), ready_export(stranger)
    assert outstanding(tokens) == set(mail_links.LIFETIMES)
    assert Browser(app).get(export).status_code == 302
    event(browser, owner)
    assert outstanding(tokens) == EVENTS[event]
    assert Browser(app).get(export).status_code == 404
    assert outstanding(foreign) == set(mail_links.LIFETIMES), "nobody else's links end"
    assert Browser(app).get(foreign_export).status_code == 302


def test_every_kind_of_token_is_walked() -> None:
    made = {name for name in vars(signed_tokens) if name.endswith("_token") and "_from_" not in name}
    assert made == STATELESS | {"link_token"}
    assert set(mail_links.KIND_BY_PURPOSE) == set(mail_links.LIFETIMES)


def test_a_link_that_is_asked_for_afterwards_works(as_owner: Browser, app: Flask, owner: User) -> None:
    ready_export(owner)
    change_password(as_owner, owner)
    assert Browser(app).get(ready_export(owner)).status_code == 302
    as_owner.post("/settings/verification")
    assert as_owner.post(link_in(mails()[-1])).status_code == 303
    assert owner.email_verified_at is not None


def test_an_export_that_was_ready_before_but_not_mailed_is_not_mailed(as_owner: Browser, owner: User) -> None:
    data_export.request_export(owner)
    data_export.make_due_exports()
    change_password(as_owner, owner)
    assert [mail["Subject"] for mail in mails()] == ["Your password was changed"]


def test_the_link_of_a_deleted_account_opens_its_zip_and_no_earlier_one(
    app: Flask, as_owner: Browser, owner: User
) -> None:
    earlier = ready_export(owner)
    delete_account(as_owner, owner)
    assert Browser(app).get(link_in(mails()[-1])).status_code == 302
    assert Browser(app).get(earlier).status_code == 404


def test_export_links_of_the_previous_version_work_until_links_are_ended(
    app: Flask, as_owner: Browser, owner: User
) -> None:
    export = DataExport(user_id=owner.id, ready_at=utcnow(), size_bytes=1)
    with transaction() as session:
        session.add(export)
    old = f"/settings/exports/{signed_tokens.export_token(f'exports/{owner.id}/{export.id}.zip')}"
    assert Browser(app).get(old).status_code == 302
    change_password(as_owner, owner)
    assert Browser(app).get(old).status_code == 404


@pytest.mark.parametrize("event", [change_password, reset_password, sign_out_everywhere])
def test_a_registration_link_never_opens_an_existing_account(
    app: Flask, as_owner: Browser, owner: User, event: Callable[[Browser, User], None]
) -> None:
    path = f"/register/{signed_tokens.registration_token(owner.email)}"
    event(as_owner, owner)
    hash_before = owner.password_hash
    answer = Browser(app).post(path, password="a third quiet password")
    assert answer.status_code == 422
    assert owner.password_hash == hash_before


def test_a_registration_link_opens_a_new_account_once_the_old_one_is_closed(
    app: Flask, as_owner: Browser, owner: User
) -> None:
    email, path = owner.email, f"/register/{signed_tokens.registration_token(owner.email)}"
    close_account(as_owner, owner)
    assert Browser(app).post(path, password="a third quiet password").status_code == 303
    found = find_user(email)
    assert found is not None
    assert found.id != owner.id


def test_an_address_can_not_be_changed_by_a_link_from_before_the_reset(app: Flask, owner: User) -> None:
    """The attack: somebody with the password mails themselves a link, and uses it when the owner is back."""
    thief = Browser(app, owner)
    thief.post("/settings/email", email="thief@example.com", current=PASSWORD)
    change = next(mail for mail in mails() if mail["To"] == "thief@example.com")
    Browser(app).post("/forgotten-password", email=owner.email)
    assert Browser(app).post(link_in(mails()[-1]), password=NEW).status_code == 303
    assert Browser(app).post(link_in(change)).status_code == 404
    assert owner.email == "owner@example.com"


class TestTokens:
    def test_a_reset_ends_them_unless_the_box_is_unticked(self, app: Flask, owner: User) -> None:
        for ticked in (False, True):
            script = ApiScript(app, owner)
            with transaction():
                link = mail_links.add_link(owner, RESET, owner.email)
            path, browser = f"/new-password/{signed_tokens.link_token(link)}", Browser(app)
            box = re.search(r"<input[^>]*end_tokens[^>]*>", browser.get(path).text)
            assert box is not None
            assert "checked" in box[0], "on unless its owner decides otherwise"
            browser.post(path, password=NEW, **({"end_tokens": "y"} if ticked else {}))
            assert script.get("/api/samples").status_code == (401 if ticked else 200)

    def test_the_page_names_and_counts_them(self, app: Flask, as_owner: Browser, owner: User) -> None:
        assert "end_tokens" not in as_owner.get("/settings/security").text
        for name in ("laptop", "backup", "CI", "phone", "<b>old</b>"):
            api_tokens.create_token(owner, name, ["samples:read"], None)
        api_tokens.create_token(owner, "expired", ["samples:read"], 1)
        with transaction():
            expired = db.session.scalars(select(ApiToken).where(ApiToken.name == "expired")).one()
            expired.expires_at = utcnow() - timedelta(days=1)
        page = as_owner.get("/settings/security").text
        assert "End 5 API tokens too: &lt;b&gt;old&lt;/b&gt;, phone, CI and 2 more" in page

    def test_a_new_password_says_what_was_ended(self, app: Flask, as_owner: Browser, owner: User) -> None:
        for _ in range(2):
            Browser(app, owner)
        for _ in range(3):
            api_tokens.create_token(owner, "t", ["samples:read"], None)
        with transaction():
            mail_links.add_link(owner, CHANGE, ELSEWHERE)
            mail_links.add_link(owner, STOP, owner.email)  # stays, so it is not counted
        as_owner.post("/settings/password", current=PASSWORD, password=NEW, end_tokens="y")
        page = as_owner.get("/settings/security").text
        assert "Password changed. Ended: 2 other sessions, 1 link and 3 API tokens." in page

    def test_signing_out_everywhere_says_what_was_ended(
        self, app: Flask, as_owner: Browser, owner: User
    ) -> None:
        ready_export(owner)
        as_owner.post("/settings/sessions/end")
        assert "You are signed out everywhere. Ended: 1 session and 1 link." in as_owner.get("/sign-in").text


@pytest.mark.parametrize(
    ("ended", "sentence"),
    [
        ((0, 0, 0), ""),
        ((1, 0, 0), "Ended: 1 session."),
        ((0, 2, 1), "Ended: 2 links and 1 API token."),
        ((2, 1, 3), "Ended: 2 sessions, 1 link and 3 API tokens."),
    ],
)
def test_what_was_ended_is_a_sentence(ended: tuple[int, int, int], sentence: str) -> None:
    assert access.EndedAccess(*ended).describe() == sentence


def test_links_that_do_not_work_any_more_are_not_counted(owner: User) -> None:
    with transaction():
        mail_links.add_link(owner, CHANGE, ELSEWHERE).expires_at = utcnow() - timedelta(minutes=1)
        mail_links.add_link(owner, RESET, owner.email).used_at = utcnow()
        mail_links.add_link(owner, RESET, owner.email)
    ready_export(owner)
    with transaction():
        assert mail_links.revoke_every_link(owner) == 2
    with transaction():
        assert mail_links.revoke_every_link(owner) == 0
    assert accounts.authenticate(owner.email, PASSWORD) is owner
    assert not any(link.is_live for link in db.session.scalars(select(MailLink)))


def test_the_mail_about_a_new_password_says_that_links_ended(as_owner: Browser, owner: User) -> None:
    change_password(as_owner, owner)
    assert "earlier emails no longer work" in text_of(mails()[-1])
