"""No page answers 5xx, whatever its form is sent; tests/services does the same on PostgreSQL."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask import Flask

from app.extensions import limiter
from app.form_responses import parse_whole_number
from app.models import User
from tests import hostile_forms
from tests.api.hostile import SHARE
from tests.support import Browser


def test_no_page_breaks_whatever_its_form_is_sent(
    app: Flask, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "enabled", False)
    share = min(SHARE / 2, 1)
    statuses = hostile_forms.walk(app, owner, share)
    assert sum(statuses.values()) > 5000 * share
    assert {200, 303, 400, 404, 422} <= statuses.keys(), "some requests get through, and most are refused"


@pytest.mark.parametrize("name", ["\0.wav", "kick.wav"])
def test_a_file_in_place_of_a_text_is_refused(app: Flask, name: str) -> None:
    answer = Browser(app).post("/sign-in", email="a@example.com", password=(BytesIO(b"x"), name))
    assert answer.status_code == 400


@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("form", [{"email": "a\0@example.com"}, {"e\0mail": "a"}, {"email": ["a", "b\0"]}])
def test_nul_is_refused_in_any_value_of_any_kind_of_form(
    app: Flask, form: dict[str, object], kind: str
) -> None:
    browser = Browser(app)
    data = {"csrf_token": browser.token, "password": "x"} | form
    assert browser._request("POST", "/sign-in", data=data, content_type=kind).status_code == 400


def test_a_field_without_a_name_is_ignored(app: Flask) -> None:
    body = b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"
    form = {"data": body, "content_type": "multipart/form-data; boundary=b"}
    app.config["WTF_CSRF_ENABLED"] = False
    assert Browser(app)._request("POST", "/sign-in", **form).status_code == 422


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("17", 17),
        ("-1", None),
        ("", None),
        ("1.5", None),
        ("9" * 10, 2**31 - 1),
        ("9" * 5000, None),
    ],
)
def test_a_number_is_one_that_a_row_can_have(text: str, number: int | None) -> None:
    assert parse_whole_number(text) == number
