"""API tokens in the settings: shown once, stored as hashes, limited in number, and revoked."""

from __future__ import annotations

import hashlib
import re
import zlib
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.auth import api_tokens
from app.extensions import db
from app.models import ApiToken, User
from app.models.api_token import ABILITIES
from app.models.base import transaction, utcnow
from tests.support import ApiScript, Browser

FORM = {"name": "Laptop", "abilities": ["samples:read", "jobs:read"], "days": "90"}


def made_secret(browser: Browser, **form: object) -> str:
    answer = browser.post("/settings/tokens", **(FORM | form))
    assert answer.status_code == 201, answer.text
    found = re.search(r"sp404_\w+", answer.text)
    assert found is not None
    return found.group()


def test_a_token_is_shown_once_and_stored_as_a_hash(as_owner: Browser) -> None:
    secret = made_secret(as_owner)
    token = db.session.scalars(select(ApiToken)).one()
    assert token.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert token.abilities == ["samples:read", "jobs:read"]
    assert token.expires_at is not None
    assert timedelta(days=89) < token.expires_at - utcnow() <= timedelta(days=90)
    stored = db.session.connection().exec_driver_sql("SELECT * FROM api_tokens").one()
    assert not any(secret in str(value) for value in stored)
    page = as_owner.get("/settings/tokens").text
    assert secret not in page
    assert f"…{secret[-4:]}" in page


def test_a_scanner_knows_a_token_by_prefix_and_checksum() -> None:
    secret = api_tokens.generate_secret()
    assert re.fullmatch(r"sp404_[0-9A-Za-z]{36}", secret)
    value = 0
    for digit in secret[-6:]:
        value = value * 62 + api_tokens.BASE62.index(digit)
    assert value == zlib.crc32(secret[:-6].encode())
    assert api_tokens.is_well_formed(secret)
    changed = "A" if secret[10] != "A" else "B"
    assert not api_tokens.is_well_formed(secret[:10] + changed + secret[11:])
    assert len({api_tokens.generate_secret() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "Give the token a name"),
        ({"abilities": []}, "Choose at least one permission."),
        ({"abilities": ["users:delete"]}, "&#39;users:delete&#39; is not a valid choice"),
        ({"days": "100000"}, "Not a valid choice"),
    ],
)
def test_an_invalid_form_says_what_to_change(
    as_owner: Browser, change: dict[str, str], sentence: str
) -> None:
    answer = as_owner.post("/settings/tokens", **(FORM | change))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert db.session.scalar(select(ApiToken)) is None


def test_a_revoked_token_stops_working_and_leaves_the_list(as_owner: Browser, script: ApiScript) -> None:
    assert script.get("/api/usage").status_code == 200
    for _ in range(2):
        assert as_owner.post(f"/settings/tokens/{script.token.id}/revoke").status_code == 303
    assert script.get("/api/usage").status_code == 401
    assert "No tokens yet." in as_owner.get("/settings/tokens").text


def test_an_expired_token_stops_working_and_is_listed_as_expired(
    as_owner: Browser, script: ApiScript
) -> None:
    with transaction():
        script.token.expires_at = utcnow() - timedelta(seconds=1)
    assert script.get("/api/usage").status_code == 401
    assert "expired" in as_owner.get("/settings/tokens").text


def test_the_list_says_when_a_token_was_last_used(as_owner: Browser, script: ApiScript) -> None:
    assert "never used" in as_owner.get("/settings/tokens").text
    script.get("/api/usage")
    assert "last used" in as_owner.get("/settings/tokens").text


def test_the_number_of_tokens_is_limited(as_owner: Browser, owner: User) -> None:
    for number in range(api_tokens.MAX_TOKENS):
        api_tokens.create_token(owner, str(number), ["samples:read"], None)
    answer = as_owner.post("/settings/tokens", **FORM)
    assert answer.status_code == 422
    assert "Revoke one first." in answer.text


def test_the_browser_requires_no_single_permission(as_owner: Browser) -> None:
    boxes = re.findall(r'<input[^>]*name="abilities"[^>]*>', as_owner.get("/settings/tokens").text)
    assert len(boxes) == len(ABILITIES)
    assert not any("required" in box for box in boxes)


def test_a_token_can_not_create_tokens(app: Flask, script: ApiScript) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    answer = script.call("POST", "/settings/tokens", data=FORM)
    assert (answer.status_code, "/sign-in" in answer.headers["Location"]) == (303, True)
