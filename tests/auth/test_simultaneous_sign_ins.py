"""A password that is changed, renewed or ended while somebody signs in with it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from app.auth import accounts, login_sessions, passwords
from app.auth.login_sessions import AccessEndedError
from app.extensions import db
from app.models import User
from app.models.base import transaction
from tests.support import PASSWORD


def test_a_password_that_changes_while_it_is_checked_is_not_accepted(
    app: Flask, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    matched = passwords.matching_spelling

    def changed_meanwhile(password_hash: str, password: str) -> str | None:
        spelling = matched(password_hash, password)
        with transaction():
            db.session.get_one(User, owner.id).password_hash = passwords.UNKNOWN_HASH
        return spelling

    monkeypatch.setattr(passwords, "matching_spelling", changed_meanwhile)
    assert accounts.authenticate(owner.email, PASSWORD) is None


@pytest.mark.parametrize("ended_by", ["new password", "sign out everywhere", "nothing"])
def test_a_sign_in_under_way_ends_with_what_opens_the_account(app: Flask, owner: User, ended_by: str) -> None:
    user = accounts.authenticate(owner.email, PASSWORD)
    assert user is not None
    if ended_by == "nothing":
        accounts.start_session(user, "127.0.0.1", "")
        assert accounts.user_from_cookie(user.session_cookie) is not None
        return
    with transaction() as session:
        changed = (
            {"password_hash": passwords.UNKNOWN_HASH} if "password" in ended_by else {"session_epoch": 1}
        )
        session.execute(update(User).values(**changed))
    with pytest.raises(AccessEndedError):
        accounts.start_session(user, "127.0.0.1", "")
    assert login_sessions.list_sessions(owner) == []


def test_a_hash_that_another_sign_in_renews_meanwhile_is_checked_again(
    app: Flask, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    matched, renewed = passwords.matching_spelling, passwords.hash_password(PASSWORD)

    def renewed_meanwhile(password_hash: str, password: str) -> str | None:
        spelling = matched(password_hash, password)
        with transaction():
            db.session.get_one(User, owner.id).password_hash = renewed
        return spelling

    monkeypatch.setattr(passwords, "matching_spelling", renewed_meanwhile)
    assert accounts.authenticate(owner.email, PASSWORD) is not None
    assert accounts.authenticate(owner.email, "guess") is None
