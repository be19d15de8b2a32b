"""Send every page route what no browser sends: NUL, long and huge values, files for text, text for files."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields as dataclass_fields
from io import BytesIO
from typing import Any

from flask import Flask
from flask_wtf import FlaskForm
from werkzeug.routing import Rule

from app.admin.job_search import JobFilter
from app.models import User
from app.models.base import transaction
from app.search.sample_query import SampleQuery
from tests.api.hostile import multipart_bodies
from tests.live import ROOT
from tests.owned_rows import one_of_everything
from tests.support import PASSWORD, Browser

READ_BY_NAME = re.compile(r'request\.(?:form|args|values)\.(?:get|getlist)\(\s*"(\w+)"')
VALUES = [
    "\0",
    "a\0b",
    "",
    " ",
    "x" * 4000,
    "9" * 400,
    "-1",
    "NaN",
    "1e400",
    "null",
    "\u202e",
    "𝒳",
    "[]",
    "%",
]
IDS = ["0", "9" * 30, "9" * 5000, "-1", "null", "𝒳", "x" * 3000, "%25", "'"]
# They end the session that the walk needs, so they come last.
LAST = ("auth.sign_out", "account.end_sessions", "auth.sign_in", "auth.demo", "auth.second_step")
# A plausible value of every field whose form checks it before anything else.
PLAUSIBLE = {
    "email": "owner@example.com", "password": PASSWORD, "current_password": PASSWORD, "name": "a",
    "kind": "loop", "timezone": "UTC", "key_notation": "musical", "url": "https://receiver.example/hook",
    "events": "job.completed", "abilities": "samples:read", "days": "30", "filename": "a.wav",
    "size_bytes": "10", "batch_files": "1", "purpose": "describe", "plan": "pro", "at": "9" * 5000,
    "action": "cancel", "mode": "paused", "cap_usd": "5",
}  # fmt: skip


def field_names() -> list[str]:
    """Return the name of every field that a form or a view reads."""
    found = {name for path in (ROOT / "app").rglob("*.py") for name in READ_BY_NAME.findall(path.read_text())}
    for form in _all_forms(FlaskForm):
        found |= {name for name in dir(form) if type(getattr(form, name)).__name__ == "UnboundField"}
    return sorted(
        found | {field.name for each in (SampleQuery, JobFilter) for field in dataclass_fields(each)}
    )


def walk(app: Flask, operator: User, share: float, *, each_field: bool = False) -> Counter[int]:
    """Send that share of all requests, chosen by a fixed seed, to every route but the API's.

    Assert that none answers 5xx, and count the statuses. With `each_field`, each field is also sent with each
    value beside plausible values of the others.
    """
    app.config["WTF_CSRF_ENABLED"] = False
    browser = Browser(app, operator)
    with transaction():
        operator.is_admin = True
    ids = one_of_everything(operator, browser) | {
        "token": "x",
        "sha256": "x",
        "invoice_id": "in_1",
        "filename": "x",
        "deleted_at": "2026-01-01T00:00:00+00:00",
        "moved_at": "2026-01-01T00:00:00+00:00",
    }
    statuses, chance = Counter[int](), random.Random(13)
    rules = [rule for rule in app.url_map.iter_rules() if not str(rule.endpoint).startswith("api.")]
    for rule in sorted(
        rules, key=lambda rule: (LAST.index(rule.endpoint) if rule.endpoint in LAST else -1, rule.rule)
    ):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            for path, options in _requests(rule, method, ids, each_field):
                if chance.random() < share:
                    answer = browser._request(method, path, **options)
                    assert answer.status_code < 500, (
                        method,
                        path[:200],
                        str(options)[:300],
                        answer.text[:300],
                    )
                    statuses[answer.status_code] += 1
    return statuses


def _requests(
    rule: Rule, method: str, ids: dict[str, str], each_field: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    path, names = _path(rule, ids), field_names()
    for value in IDS if rule.arguments else ():
        options = {} if method == "GET" else {"data": PLAUSIBLE}
        yield _path(rule, dict.fromkeys(rule.arguments, value)), options
    for value in VALUES:
        yield path, {"query_string": dict.fromkeys(names, value)}
    if method == "GET":
        return
    for value in VALUES:
        for kind in (
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json",
            "text/plain",
        ):
            data: Any = dict.fromkeys(names, value) if "form" in kind else b'{"name": null}'
            yield path, {"data": data, "content_type": kind}
    yield path, {"data": {name: (BytesIO(b"x"), "a.wav") for name in names}}
    yield path, {"data": {name: (BytesIO(b"x"), "\0.wav") for name in names}}
    broken = "&".join(f"{name}=%ed%a0%80%ff" for name in names)
    yield path, {"data": broken, "content_type": "application/x-www-form-urlencoded"}
    for body in multipart_bodies():
        yield path, {"data": body, "content_type": "multipart/form-data; boundary=b"}
    yield path, {"data": {name: ["a", "a\0"] for name in names}, "content_type": "multipart/form-data"}
    for name in names if each_field else ():
        for value in VALUES:
            yield path, {"data": PLAUSIBLE | {name: value}, "content_type": "multipart/form-data"}


def _path(rule: Rule, ids: dict[str, str]) -> str:
    return re.sub(r"<(?:[^:>]*:)?(\w+)>", lambda found: ids[found.group(1)], rule.rule)


def _all_forms(form: Any) -> Iterator[Any]:
    for subclass in form.__subclasses__():
        yield subclass
        yield from _all_forms(subclass)
