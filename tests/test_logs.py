"""No log line has an email address, wherever it comes from."""

from __future__ import annotations

import json
import logging
from datetime import datetime

import pytest

from app.logs import FORMAT, JsonFormatter, LogFormatter, log_context, redact_addresses

ADDRESSES = [
    "a@example.com",
    "a.b+c_d-e%f@sub.example.co.uk",
    "A@EXAMPLE.COM",
    "åsa@exämple.se",
    "用户@例子.公司",
    "a@xn--exmple-cua.com",
    "a@例え。jp",
    "a@localhost",
    "a@[127.0.0.1]",
    "o\u0308l@example.com",
]
TEXTS = [
    "{}",
    "mail to {} failed",
    "<{}>",
    "'{}'",
    '"{}"',
    "to={}, subject=x",
    "to:{};",
    "({})",
    "mailto:{}?subject=x",
    "{{'{}': (550, b'5.1.1 <{}>: unknown')}}",
    "DETAIL:  Key (email)=({}) already exists.",
    "[parameters: ('{}', 1)]",
    "https://example.com/?email={}&x=1",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("text", TEXTS)
def test_an_address_is_replaced(text: str, address: str) -> None:
    redacted = redact_addresses(text.replace("{}", address).replace("{{", "{").replace("}}", "}"))
    assert address not in redacted
    assert "@" not in redacted


@pytest.mark.parametrize(
    "text", ["job 01HX ended", "@limiter.limit", "10 @ 5", "exports/ab.zip", "", "a @b", "50 % at 93.5 BPM"]
)
def test_other_text_stays(text: str) -> None:
    assert redact_addresses(text) == text


def test_a_line_of_json_names_its_job_and_has_no_address() -> None:
    try:
        raise ValueError('no "mailbox"\na@example.com')
    except ValueError as error:
        trouble = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x.y", logging.ERROR, "", 1, "to\n%s", ("b@example.com",), trouble)
    with log_context("job 01HX attempt 2"):
        text = JsonFormatter().format(record)
    line = json.loads(text)
    assert "\n" not in text
    assert "@" not in text
    assert (line["level"], line["logger"], line["message"]) == ("ERROR", "x.y", "to\n<address>")
    assert (line["job"], line["attempt"]) == ("01HX", "2")
    assert line["error"].endswith('ValueError: no "mailbox"\n<address>')
    assert datetime.fromisoformat(line["time"]).tzinfo is not None
    with log_context("request 01HR"):
        assert json.loads(JsonFormatter().format(record))["request_id"] == "01HR"


def test_an_address_in_a_traceback_is_replaced() -> None:
    try:
        raise ValueError("no mailbox a@example.com")
    except ValueError as error:
        trouble = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "", 1, "to %s", ("b@example.com",), trouble)
    record.about = "job of c@example.com"
    line = LogFormatter(FORMAT).format(record)
    assert "ValueError: no mailbox <address>" in line
    assert "to <address>" in line
    assert "@example.com" not in line
