"""The check for lines that must not be committed finds them, and nothing in this repository."""

from __future__ import annotations

import pytest

from scripts.forbidden_lines import find, tracked_files


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("url = https://files.python" + "hosted.org/packages/x.whl", "a package registry's host"),
        ('      "resol' + 'ved": "https://example.com/x.tgz",', "where npm found a package"),
        ("path = /ho" + "me/ada/code", "a path of one developer's machine"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "a private key"),
        ("KEY=sk_" + "live_0123456789abcdef", "a live key of a vendor"),
        ("<<<<" + "<<< HEAD", "a merge marker"),
    ],
)
def test_a_forbidden_line_is_found_with_its_number(line: str, what: str) -> None:
    assert list(find(f"first\n{line}\nlast\n")) == [(2, what)]


def test_ordinary_lines_pass() -> None:
    text = "https://example.com\nHeading\n=======\n/usr/share/sounds\nhome/page\n"
    text = text.replace("=======", "========")
    assert list(find(text)) == []


def test_the_repository_has_none() -> None:
    for path in tracked_files():
        data = path.read_bytes() if path.is_file() else b"\0"
        assert b"\0" in data or list(find(data.decode(errors="replace"))) == [], path
