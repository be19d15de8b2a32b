"""API tokens at their limits: name, number, age, use, and the header that carries one."""

from __future__ import annotations

from contextvars import Context
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert

from app.auth import api_tokens
from app.extensions import db
from app.models import ApiToken, User
from app.models.base import new_id, transaction, utcnow

READ = ["samples:read"]


def asked_with(app: Flask, header: str | None) -> str | None:
    """Return the id of the token that a request with this header carries, in a context of its own."""

    def ask() -> str | None:
        with app.test_request_context(headers={} if header is None else {"Authorization": header}):
            assert api_tokens.has_auth_header() is (header is not None)
            found = api_tokens.request_token()
            assert api_tokens.request_token() is found
            assert api_tokens.rate_limit_key() == (f"account:{found.user_id}" if found else "")
            return found.id if found else None

    token_id = Context().run(ask)
    db.session.commit()
    return token_id


def test_a_token_keeps_what_its_name_shows_and_its_days(owner: User) -> None:
    before = utcnow()
    for name, days, shown in (("x" * 61, 1, "x" * 60), ("x" * 60, 90, "x" * 60), ("\r\n", None, "token")):
        token, secret = api_tokens.create_token(owner, name, ["jobs:read", "samples:read", "no:such"], days)
        assert (token.name, token.hint) == (shown, secret[-4:])
        assert token.abilities == ["samples:read", "jobs:read"]
        if days is None:
            assert token.expires_at is None
        else:
            assert token.expires_at is not None
            assert before <= token.expires_at - timedelta(days=days) <= utcnow()


def test_an_account_has_fifty_tokens_that_were_not_revoked(owner: User, stranger: User) -> None:
    with transaction() as session:
        rows: list[dict[str, object]] = [
            {"id": new_id(), "user_id": user.id, "name": "n", "secret_sha256": f"{user.id}{n}", "hint": "n",
             "abilities": [], "revoked_at": revoked_at}
            for user, many, revoked_at in ((owner, 49, None), (owner, 5, utcnow()), (stranger, 50, None))
            for n in ((f"{revoked_at}{k}"[-30:]) for k in range(many))
        ]  # fmt: skip
        session.execute(insert(ApiToken), rows)
    last, _ = api_tokens.create_token(owner, "the fiftieth", READ, None)
    assert len(api_tokens.list_tokens(owner)) == 50
    assert api_tokens.list_tokens(owner)[0] is last
    with pytest.raises(api_tokens.TooManyTokensError):
        api_tokens.create_token(owner, "one more", READ, None)


def test_revoking_counts_the_tokens_that_worked_and_spares_other_accounts(
    app: Flask, owner: User, stranger: User
) -> None:
    first, second, expired, foreign = (
        api_tokens.create_token(user, "n", READ, 30) for user in (owner, owner, owner, stranger)
    )
    with transaction():
        expired[0].expires_at = utcnow() - timedelta(seconds=1)
    assert api_tokens.live_tokens(owner) == [second[0], first[0]]
    api_tokens.revoke_token(first[0])
    db.session.refresh(first[0])
    revoked_at = first[0].revoked_at
    api_tokens.revoke_token(first[0])
    assert asked_with(app, f"Bearer {first[1]}") is None
    assert asked_with(app, f"Bearer {second[1]}") == second[0].id
    with transaction():
        assert api_tokens.revoke_every_token(owner) == 1
        assert api_tokens.revoke_every_token(owner) == 0
    db.session.refresh(first[0])
    assert first[0].revoked_at == revoked_at, "it stays the time when it was revoked first"
    assert api_tokens.list_tokens(owner) == []
    assert asked_with(app, f"Bearer {foreign[1]}") == foreign[0].id


def test_a_header_carries_a_live_secret_of_an_open_account(app: Flask, owner: User) -> None:
    token, secret = api_tokens.create_token(owner, "n", READ, None)
    for header in (f"Bearer {secret}", f"bearer {secret}", f"BEARER  {secret} "):
        assert asked_with(app, header) == token.id, header
    unknown = api_tokens.generate_secret()
    assert asked_with(app, None) is None
    for other in ("", secret, f"Basic {secret}", f"Bearer{secret}", f"Bearer {unknown}", "Bearer x"):
        assert asked_with(app, other) is None, other
    with transaction():
        owner.closed_at = utcnow()
    assert asked_with(app, f"Bearer {secret}") is None


@pytest.mark.parametrize(("ago_s", "is_written"), [(None, True), (50, False), (65, True)])
def test_the_use_of_a_token_is_written_once_a_minute(
    app: Flask, owner: User, ago_s: int | None, is_written: bool
) -> None:
    token, secret = api_tokens.create_token(owner, "n", READ, None)
    before = utcnow() - timedelta(seconds=ago_s) if ago_s is not None else None
    with transaction():
        token.last_used_at = before
    asked_with(app, f"Bearer {secret}")
    db.session.refresh(token)
    assert (token.last_used_at != before) is is_written


@pytest.mark.parametrize("change", ["shorter", "longer", "other prefix", "other checksum", "not base 62"])
def test_a_secret_is_well_formed_by_prefix_length_and_checksum(change: str) -> None:
    secret = api_tokens.generate_secret()
    last = "0" if secret[-1] != "0" else "1"
    changed = {
        "shorter": secret[:-1],
        "longer": secret + "0",
        "other prefix": "sp405_" + secret[6:],
        "other checksum": secret[:-1] + last,
        "not base 62": secret[:-8] + "-" + secret[-7:],
    }
    assert len(secret) == len("sp404_") + 30 + 6
    assert api_tokens.is_well_formed(secret)
    assert not api_tokens.is_well_formed(changed[change])


def test_a_small_checksum_is_filled_up_with_zeros() -> None:
    assert api_tokens._checksum("") == "000000"
    body = next(text for text in map(str, range(10**6)) if api_tokens._checksum(text).startswith("00"))
    assert len(api_tokens._checksum(body)) == 6
