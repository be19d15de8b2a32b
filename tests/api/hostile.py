"""Build requests that no well-behaved client sends, for every operation in the OpenAPI document."""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import quote

from app.api import openapi
from app.api.operation import Operation
from app.api.operations import OPERATIONS, PREFIX
from app.api.problems import MEDIA_TYPE, Problem
from tests.support import ApiScript, kick

# HOSTILE_SHARE=4 sends everything everywhere.
SHARE = float(os.environ.get("HOSTILE_SHARE", "0.12"))
LONG = "x" * 5000
DEEP: Any = json.loads("[" * 150 + "]" * 150)
VALUES: list[Any] = [
    None, True, 0, -1, 10**30, -(10**400), 1e308, 0.1, "", " ", LONG, "\0", "a\0b", "\u202e", "𝒳", "null",
    [], [None], [[]], [{}], ["\0"], ["a"] * 21, ["x"] * 3000, {}, {"": None}, {"name": None}, {"\0": 1}, DEEP,
]  # fmt: skip
TEXTS = [
    "",
    " ",
    LONG,
    "null",
    "NaN",
    "inf",
    "-1",
    "1e400",
    "9" * 400,
    "0x10",
    "\u202e",
    "𝒳",
    "[]",
    "{}",
    "'",
]
RAW_BODIES = [
    b"null", b"NaN", b"Infinity", b"1", b'"text"', b"[]", b"[{}]", b"{", b"", b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b'{"name": NaN}', b'{"bpm": NaN}', b'{"bpm": Infinity}', b'{"bpm": 1e999}', b'{"size_bytes": 1e999}',
    b'{"name": "\\ud800"}', b'{"name": "\\udc00\\ud800"}', b'{"name": "\\u0000"}', b'{"\\u0000": 1}',
    b'{"name": "\xff"}',
    b'{"name": "a", "name": null}', b'{"tags": null, "tags": ["a"]}', b'{"filename": "a", "filename": 1}',
    b"[" * 30_000, b'{"a":' * 9_000 + b"1" + b"}" * 9_000, b'{"bpm": ' + b"9" * 20_000 + b"}",
    b'{"__proto__": {}}',
]  # fmt: skip
CONTENT_TYPES = [
    None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
    "application/json", "multipart/form-data; boundary=", "multipart/form-data; boundary=\xe9",
    "application/json; charset=utf-16",
    "multipart/form-data; boundary=" + "b" * 300, "application/xml", "\xff/\xff", "application/problem+json",
]  # fmt: skip
IDS = ["0", "\0", "%00", "..", "null", LONG, "𝒳", "'", "0" * 26, "01J00000000000000000000000\n", "\udc80"]
Call = tuple[str, dict[str, Any]]


def all_calls(operation: Operation, ids: dict[str, str]) -> Iterator[Call]:
    """Yield every path and the rest of a request, most of them with one thing wrong; `ids` exist."""
    path = PREFIX + operation.path.format(**ids)
    names = re.findall(r"{(\w+)}", operation.path)
    for name in names:
        for value in IDS:
            yield PREFIX + operation.path.format(**ids | {name: quote(value, errors="surrogateescape")}), {}
    for content_type in CONTENT_TYPES:
        yield (
            path,
            {"data": b"{}", "headers": {"Content-Type": content_type} if content_type is not None else {}},
        )
    yield from _with_query(operation, path)
    yield from _with_headers(operation, path)
    if operation.body is not None:
        yield from _with_json(operation, path)
    if operation.form is not None:
        yield from _with_form(operation, path)


def check_answer(operation: Operation, answer: Any, sent: object) -> None:
    """Assert that status, content type and body are what the document says about this operation."""
    status, told = (
        answer.status_code,
        f"{operation.name} {str(sent)[:300]}: {answer.status_code} {answer.data[:300]!r}",
    )
    assert status < 500 or status == 507, told
    if status == operation.status:
        if operation.answer is not None:
            assert answer.mimetype == "application/json", told
            operation.answer.model_validate_json(answer.data)
        return
    if status == 304 and operation.method == "GET":
        return
    assert status in operation.all_problems, told
    assert answer.mimetype == MEDIA_TYPE, told
    assert Problem.model_validate_json(answer.data).status == status, told
    assert "Retry-After" in answer.headers or status not in (429, 503, 507), told


def walk(script: ApiScript, sample_id: str, share: float) -> Counter[int]:
    """Send that share of all calls, chosen by a fixed seed, and check every answer; count the statuses."""
    statuses: Counter[int] = Counter()
    ids = dict.fromkeys(("sample_id", "job_id", "upload_id", "render_id", "export_id"), sample_id) | {
        "kit_id": script.call("POST", f"{PREFIX}/kits", json={"name": "a"}).get_json()["id"],
        "pad": "A1",
        "place": "A1",
        "bank": "A",
    }
    chance = random.Random(13)
    for operation in sorted(OPERATIONS, key=lambda each: each.method == "DELETE"):
        for path, options in all_calls(operation, ids):
            if chance.random() < share:
                answer = script.call(operation.method, path, **options)
                check_answer(operation, answer, (path, options))
                statuses[answer.status_code] += 1
    return statuses


def _with_query(operation: Operation, path: str) -> Iterator[Call]:
    names = operation.query.model_fields if operation.query is not None else ("colour",)
    for name in names:
        for value in [*TEXTS, "\0", "a\0b"]:
            yield f"{path}?{name}={quote(value)}", {}
        yield f"{path}?{name}=1&{name}=2", {}
        for broken in ("%", "%ff", "%ed%a0%80", "%c0%80"):
            yield f"{path}?{name}={broken}", {}
    yield f"{path}?%00=1", {}
    yield f"{path}?{'&'.join(f'a{number}=1' for number in range(2000))}", {}


def _with_headers(operation: Operation, path: str) -> Iterator[Call]:
    for name in ("Idempotency-Key", "If-None-Match", "If-Modified-Since", "Accept", "Range", "Cookie"):
        for value in ("", "x" * 3000, "\xff", '"', "*", 'W/""', "bytes=9-1", "\t", "session=.."):
            yield path, {"headers": {name: value}} | _valid_payload(operation)


def _with_json(operation: Operation, path: str) -> Iterator[Call]:
    known = openapi.document("")["components"]["schemas"]
    assert operation.body is not None
    fields = openapi.schema_fields(known[operation.body.__name__], known)
    valid = {"filename": "a.wav", "size_bytes": 10} if "filename" in fields else {}
    for name in fields:
        outer, _, inner = name.partition(".")
        for value in VALUES:
            yield path, {"json": valid | {outer: {inner: value} if inner else value}}
    yield from ((path, {"json": value}) for value in VALUES)
    for body in RAW_BODIES:
        yield path, {"data": body, "content_type": "application/json"}


def _with_form(operation: Operation, path: str) -> Iterator[Call]:
    assert operation.form is not None
    for name in operation.form.model_fields:
        for value in [*TEXTS, "\0", "tr\0ue"]:
            yield path, {"data": {name: value, "audio": (BytesIO(kick()), "a.wav")}}
        yield path, {"data": {name: (BytesIO(b"true"), "a.wav"), "audio": (BytesIO(kick()), "a.wav")}}
    for name in (
        "\0",
        "a\0.wav",
        LONG,
        "\u202e.wav",
        ".",
        "../..",
        "\r\n",
        "\ud800.wav".encode("utf-8", "replace").decode(),
    ):
        yield path, {"data": {"audio": (BytesIO(kick()), name)}}
    yield path, {"data": {"audio": kick()}}
    yield path, {"data": {"a\0b": "1", "audio": (BytesIO(kick()), "a.wav")}}
    for body in multipart_bodies():
        yield path, {"data": body, "content_type": "multipart/form-data; boundary=b"}


def multipart_bodies() -> Iterator[bytes]:
    """Yield multipart bodies that are cut short, lie about themselves or hold bytes that are no text."""
    part = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="%s"\r\n\r\n%s\r\n'
    yield from (b"", b"--b", b"--b--", b"--b\r\n", b"\r\n" * 1000, b"--b\r\n\r\nx\r\n--b--", b"x" * 100_000)
    for name in (
        b"\xff\xfe.wav",
        b"\x00.wav",
        b"a\x00.wav",
        b"\xed\xa0\x80.wav",
        b'\\".wav',
        b"%00.wav",
        b"x" * 5000,
    ):
        yield part % (name, kick()) + b"--b--\r\n"
    yield part % (b"a.wav", kick())  # the end is missing
    yield part % (b"a.wav", kick()) * 2 + b"--b--\r\n"
    yield b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 1500 + b"--b--\r\n"
    yield b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n"
    yield b"--b\r\n" + b"X: y\r\n" * 5000 + b"\r\n1\r\n--b--\r\n"
    yield b'--b\r\nContent-Disposition: form-data; name="a\x00b"\r\n\r\n1\r\n--b--\r\n'
    yield b"--b\r\nContent-Disposition: form-data; name*=utf-8''%00\r\n\r\n1\r\n--b--\r\n"
    field = b'--b\r\nContent-Disposition: form-data; name="ai_analysis"\r\n'
    yield field + b"Content-Type: x; charset=x\r\n\r\n\xff\r\n--b--\r\n"


def _valid_payload(operation: Operation) -> dict[str, Any]:
    if operation.form is not None:
        return {"data": {"audio": (BytesIO(kick()), "a.wav")}}
    if operation.name == "start_upload":
        return {"json": {"filename": "a.wav", "size_bytes": 10}}
    return {"json": {}} if operation.body is not None else {}
