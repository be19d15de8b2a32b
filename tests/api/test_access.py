"""The API accepts valid tokens with the ability, never a cookie, up to a rate limit."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.api import openapi
from app.api.operation import Operation
from app.api.operations import OPERATIONS, PREFIX
from app.extensions import settings
from app.models import User
from app.models.api_token import ABILITIES
from tests.support import ApiScript, Browser

ANY_ID = "01J00000000000000000000000"


def path_of(operation: Operation) -> str:
    return PREFIX + re.sub(r"{\w+}", ANY_ID, operation.path)


def test_the_routes_are_exactly_those_of_the_table(app: Flask) -> None:
    served = {
        (rule.endpoint.removeprefix("api."), rule.rule, method)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.document"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(each.name, PREFIX + each.rule, each.method) for each in OPERATIONS}


def test_the_document_is_public_as_json_and_as_a_page(client: FlaskClient) -> None:
    document = client.get("/api/openapi.json").get_json()
    assert document == openapi.document(settings().base_url)
    page = client.get("/docs/api")
    assert page.status_code == 200
    for operation in OPERATIONS:
        assert f'id="{operation.name}"' in page.text
        assert operation.summary in unescape(page.text)
    assert "<code>vibe.energy</code>" in page.text


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_a_token_without_the_ability_is_refused(app: Flask, owner: User, operation: Operation) -> None:
    others = [ability for ability in ABILITIES if ability != operation.ability]
    answer = ApiScript(app, owner, *others).call(operation.method, path_of(operation))
    if operation.ability is None:
        assert answer.status_code == 200
        return
    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
    assert f"`{operation.ability}`" in answer.get_json()["detail"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_a_session_cookie_without_a_token_is_refused(as_owner: Browser, operation: Operation) -> None:
    answer = as_owner._request(operation.method, path_of(operation))
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="sp404mk2"'


@pytest.mark.parametrize(
    "sent",
    ["Bearer", "Bearer nonsense", "Basic c3A6NDA0", "Bearer sp404_" + "A" * 36, "Bearer \xff", "x" * 4000],
)
def test_an_invalid_token_is_refused(client: FlaskClient, sent: str) -> None:
    answer = client.get("/api/usage", headers={"Authorization": sent})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/api/", 404),
        ("PUT", "/api/samples", 405),
        ("GET", f"/api/samples/{ANY_ID}", 404),
        ("GET", "/api/samples?limit=0", 422),
        ("GET", "/api/samples?colour=red", 422),
        ("GET", "/api/samples?q=%00", 400),
        ("POST", "/api/upload", 415),
    ],
)
def test_every_error_is_a_problem_document(script: ApiScript, method: str, path: str, status: int) -> None:
    answer = script.call(method, path)
    problem = answer.get_json()
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert (problem["status"], problem["type"]) == (status, "about:blank")
    assert problem["instance"] == path.partition("?")[0]
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert status != 405 or "GET" in answer.headers["Allow"]


def test_an_internal_error_is_a_problem_document(script: ApiScript, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.routes.quota.plan_usage", lambda _: 1 / 0)
    answer = script.get("/api/usage")
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")


class TestRates:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"API_REQUESTS_PER_MINUTE": "3"}

    def test_an_account_has_one_rate_limit_and_sees_what_is_left(
        self, app: Flask, owner: User, stranger: User
    ) -> None:
        first, second = ApiScript(app, owner), ApiScript(app, owner)
        answers = [first.get("/api/usage"), first.get("/api/samples"), first.get("/api/usage")]
        assert [answer.status_code for answer in answers] == [200] * 3
        assert answers[0].headers["RateLimit-Policy"] == '"default";q=3;w=60'
        left = [re.match(r'"default";r=(\d+);t=\d+', answer.headers["RateLimit"]) for answer in answers]
        assert [found and found.group(1) for found in left] == ["2", "1", "0"]
        refused = first.get("/api/usage")
        assert (refused.status_code, refused.content_type) == (429, "application/problem+json")
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        refused = second.get("/api/usage")  # another token of the account
        assert refused.status_code == 429
        assert re.fullmatch(r'"default";r=0;t=\d+', refused.headers["RateLimit"])
        assert ApiScript(app, stranger).get("/api/usage").status_code == 200

    def test_twenty_tokens_allow_no_more_requests_than_one(self, app: Flask, owner: User) -> None:
        codes = [ApiScript(app, owner).get("/api/usage").status_code for _ in range(20)]
        assert codes == [200] * 3 + [429] * 17

    def test_guessed_tokens_are_counted_by_address(self, client: FlaskClient) -> None:
        guesses = [{"Authorization": f"Bearer guess{number}"} for number in range(4)]
        codes = [client.get("/api/usage", headers=guess).status_code for guess in guesses]
        assert codes == [401, 401, 401, 429]

    def test_guessed_tokens_do_not_count_for_an_account(self, client: FlaskClient, script: ApiScript) -> None:
        for _ in range(4):
            client.get("/api/usage", headers={"Authorization": "Bearer guess"})
        assert script.get("/api/usage").status_code == 200
