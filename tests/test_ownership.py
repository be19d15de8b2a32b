"""A stranger gets 404 on every route that takes an id. The URL map is walked, so no route is forgotten."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.models import User
from tests.owned_rows import one_of_everything
from tests.support import ApiScript, Browser

# Not ids: a signature or hash is its own permission and has its own tests. So has the time of a deletion or a
# move.
# Invoices exist with Stripe only: tests/billing/test_pages.py asks for one.
NO_ID = {
    "token": "pages.media",
    "sha256": "upload.known",
    "invoice_id": "billing.invoice",
    "deleted_at": "bulk.restore",
    "moved_at": "bulk.undo_move",
}

FILLING: dict[str, dict[str, Any]] = {
    "api.fill_bank": {"recipe": "mpc"},
    "api.shuffle_bank": {"seed": 1},
    "api.fit_bank": {},
    "api.swap_pad": {},
}


@pytest.fixture
def ids(app: Flask, owner: User, as_owner: Browser) -> dict[str, str]:
    """One of everything, all of it the owner's. A route with another kind of id fails the walk."""
    return one_of_everything(owner, as_owner)


def rules(app: Flask) -> list[Rule]:
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.arguments - NO_ID.keys() and rule.endpoint != "static"
    ]


def path_of(rule: Rule, ids: dict[str, str]) -> str:
    return re.sub(r"<(?:[^:>]*:)?(\w+)>", lambda found: ids[found.group(1)], rule.rule)


def body_of(rule: Rule, method: str) -> dict[str, Any]:
    """Return a body that the route would accept, so that only its owner decides about the answer."""
    if method in ("PATCH", "PUT"):
        return {"json": {}}
    if rule.endpoint in FILLING:
        return {"json": FILLING[rule.endpoint]}
    if rule.arguments & {"pad", "bank"} and method == "POST":
        return {"json": {"to": "B" if "bank" in rule.arguments else "B1"}}
    if rule.endpoint == "api.export_kit":
        return {"json": {"targets": ["import"]}}
    return {"json": {}} if rule.endpoint in ("api.render_sample", "api.order_slices") else {}


def methods(rule: Rule) -> set[str]:
    return (rule.methods or set()) - {"HEAD", "OPTIONS"}


def test_a_signed_in_stranger_finds_nothing(app: Flask, ids: dict[str, str], as_stranger: Browser) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    walked = [(rule, method) for rule in rules(app) for method in methods(rule) if not is_api(rule)]
    assert len(walked) > 12
    for rule, method in walked:
        assert as_stranger._request(method, path_of(rule, ids)).status_code == 404, rule


def test_a_strangers_token_finds_nothing(app: Flask, ids: dict[str, str], stranger: User) -> None:
    script = ApiScript(app, stranger)
    walked = [(rule, method) for rule in rules(app) for method in methods(rule) if is_api(rule)]
    assert len(walked) == 35
    for rule, method in walked:
        assert script.call(method, path_of(rule, ids), **body_of(rule, method)).status_code == 404, rule


def test_the_owner_finds_everything(
    app: Flask, ids: dict[str, str], as_owner: Browser, script: ApiScript
) -> None:
    """With wrong ids the walks above would pass too, so this one shows that the ids are right."""
    for rule in rules(app):
        if "GET" not in methods(rule) or rule.endpoint.startswith("admin."):
            continue
        answer = (script if is_api(rule) else as_owner).get(path_of(rule, ids))
        assert answer.status_code in (200, 302), rule


def is_api(rule: Rule) -> bool:
    return str(rule.endpoint).startswith("api.")
