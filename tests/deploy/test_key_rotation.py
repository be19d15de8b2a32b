"""A new SECRET_KEY signs nobody out as long as the former one is in SECRET_KEY_FALLBACKS, and no longer."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.auth.registration import LINK_LIFETIME
from app.config import ConfigError, Settings
from app.integrations.storage import DiskStore, InvalidLinkError, open_store
from app.models import User
from app.notify import signed_tokens
from tests.support import PASSWORD

OLD, NEW = "old" * 20, "new" * 20


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"SECRET_KEY": OLD}


def with_keys(environ: dict[str, str], key: str, former: str = "") -> Flask:
    return create_app(Settings.from_env(environ | {"SECRET_KEY": key, "SECRET_KEY_FALLBACKS": former}))


def test_what_was_signed_before_is_valid_as_long_as_the_former_key_is_kept(
    app: Flask, environ: dict[str, str], owner: User
) -> None:
    before = app.test_client()
    token = csrf_token(before)
    form = {"email": owner.email, "password": PASSWORD, "remember": "y", "csrf_token": token}
    assert before.post("/sign-in", data=form).status_code == 303
    kept = (before.get_cookie(name) for name in ("session", "remember_token"))
    cookies = {cookie.key: cookie.value for cookie in kept if cookie is not None}
    assert len(cookies) == 2
    invitation = signed_tokens.registration_token("new@example.com")
    link = open_store(app.config["SETTINGS"]).url("a", content_type="x").rpartition("/")[2]
    for former, is_valid in ((f"{'x' * 40} {OLD}", True), ("", False)):
        later = with_keys(environ, NEW, former)
        with later.app_context():
            email = signed_tokens.registration_email(invitation, LINK_LIFETIME)
            assert (email == "new@example.com") is is_valid
            assert can_open(later, link) is is_valid
        for name, value in cookies.items():  # each alone: the browser's session, or "Keep me signed in"
            browser = later.test_client()
            browser.set_cookie(name, value)
            assert (browser.get("/dashboard").status_code == 200) is is_valid, name
    assert csrf_token(with_keys(environ, NEW, OLD).test_client()) != token


def test_a_short_former_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="SECRET_KEY_FALLBACKS: must be keys of 32"):
        Settings.from_env({"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": f"{OLD} short"})


def csrf_token(browser: FlaskClient) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', browser.get("/sign-in").text)
    assert found is not None
    return found[1]


def can_open(app: Flask, link: str) -> bool:
    store = open_store(app.config["SETTINGS"])
    assert isinstance(store, DiskStore)
    try:
        store.open_link(link)
    except InvalidLinkError:
        return False
    return True
