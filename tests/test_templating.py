"""How values are formatted on pages, and which headers pages carry."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from io import StringIO

import pytest
from flask import Flask

from app import logs, templating
from app.models.base import utcnow
from app.music import musical_keys
from app.plurals import pluralize
from tests.support import Browser


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (93.0, "93"), (92.97, "93"), (93.46, "93.5"), (174.2, "174.2")]
)
def test_tempo(value: float | None, shown: str) -> None:
    assert templating.format_bpm(value) == shown


@pytest.mark.parametrize(
    "heights", [b"", bytes(range(256)), bytes(64), bytes([255, 0] * 400)], ids=["none", "all", "64", "800"]
)
def test_a_waveform_is_drawn_with_a_stroke_for_each_height(heights: bytes) -> None:
    """Strokes stand half a unit from the left, reach 94 % of 16 units at most, and can always be seen."""
    strokes = []
    for x, height in enumerate(heights):
        reach = max(height / 255 * 16 * 0.94, 0.35)
        strokes.append(f"M{x + 0.5:g} {16 - reach:.2f}v{2 * reach:.2f}")
    assert templating.bars_path(heights) == "".join(strokes)


def test_a_waveform_of_a_row_has_the_same_strokes_in_whole_units() -> None:
    heights = bytes([0, 255, 17, 128, 128, 0, 0, 255])
    x, y, strokes = -0.5, 16, []
    for right, down, end in re.findall(r"m(1) ?(-?\d+)V(\d+)", templating.row_bars(heights)):
        x, y = x + int(right), y + int(down)
        strokes.append((x, {y, int(end)}))
        y = int(end)
    reaches = [round(height / 17) for height in heights]
    assert strokes == [(x + 0.5, {16 - reach, 16 + reach}) for x, reach in enumerate(reaches)]
    assert templating.row_bars(b"") == "M-.5 16"


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (0.0, "0.00 s"), (0.42, "0.42 s"), (5.16, "5.2 s"), (187.2, "3:07")]
)
def test_length(value: float | None, shown: str) -> None:
    assert templating.format_length(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0 Bytes"),
        (999, "999 Bytes"),
        (1000, "1 kB"),
        (27_000, "27 kB"),
        (1_500_000, "1.5 MB"),
        (10 * 10**9, "10 GB"),
        (10**12, "1 TB"),
    ],
)
def test_size(value: int, shown: str) -> None:
    assert templating.format_size(value) == shown


@pytest.mark.parametrize(
    ("notation", "shown"), [("musical", "F♯ min"), ("camelot", "11A"), ("both", "F♯ min · 11A")]
)
def test_key_notations(notation: str, shown: str) -> None:
    assert musical_keys.format_key("F# minor", notation) == shown
    assert musical_keys.format_key(None, notation) == "–"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (3, "just now"),
        (59, "just now"),
        (61, "a minute ago"),
        (12 * 60, "12 minutes ago"),
        (7300, "2 hours ago"),
    ],
)
def test_age(seconds: int, shown: str) -> None:
    assert templating.describe_age(utcnow() - timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1234, "1,234 files")]
)
def test_count_with_its_noun(count: int, shown: str) -> None:
    assert pluralize(count, "file") == shown
    assert pluralize(count, "entry", "entries") == shown.replace("files", "entries").replace("file", "entry")


def test_pages_carry_their_guards(app: Flask) -> None:
    headers = Browser(app).get("/sign-in").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_log_lines_of_a_request_carry_its_id(app: Flask) -> None:
    handler = logging.StreamHandler(written := StringIO())
    handler.setFormatter(logging.Formatter(logs.FORMAT))
    handler.addFilter(logs._add_context)
    logging.getLogger("app").addHandler(handler)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("app.pages.routes.text", lambda _: 1 / 0)
            answer = Browser(app).get("/readyz")
    finally:
        logging.getLogger("app").removeHandler(handler)
    assert answer.status_code == 500
    assert f"[request {answer.headers['X-Request-ID']}] unhandled error" in written.getvalue()
