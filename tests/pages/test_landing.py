"""The landing page: what other sites show of it, its pictures and its loop, prices, and the wait on Free."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from app.billing.plans import PLANS
from tests.support import Browser

MAX_PICTURE_BYTES = 150_000


@pytest.fixture
def landing(app: Flask) -> str:
    return Browser(app).get("/").text


def test_other_sites_find_a_description_and_a_picture(app: Flask, landing: str) -> None:
    told = dict(re.findall(r'<meta (?:name|property)="([\w:]+)" content="([^"]+)"', landing))
    assert 50 < len(told["description"]) <= 160
    assert told["og:description"] == told["description"]
    assert told["twitter:card"] == "summary_large_image"
    base_url = app.config["SETTINGS"].base_url
    assert told["og:url"] == f"{base_url}/"
    assert re.fullmatch(re.escape(base_url) + r"/s/\w+/img/social-card\.png", told["og:image"])
    assert Browser(app).get(told["og:image"].removeprefix(base_url)).status_code == 200


def test_the_loop_and_the_pictures_are_there_and_small(app: Flask, landing: str) -> None:
    for address in re.findall(r'(?:src|data-loop)="(/s/\w+/(?:img|audio)/[\w.-]+)"', landing):
        answer = Browser(app).get(address)
        assert answer.status_code == 200, address
        assert len(answer.data) < MAX_PICTURE_BYTES, address
    assert {Path(found).name for found in re.findall(r"/(?:img|audio)/[\w.-]+", landing)} >= {
        "landing.mp3",
        "kit.webp",
        "library.webp",
    }


def test_prices_come_from_the_table_of_plans(landing: str) -> None:
    for plan in PLANS.values():
        assert f"${plan.price_cents / 100:.2f}" in landing or not plan.price_cents
        assert f"{plan.uploads:,}</span> uploads a {plan.period}" in landing


@pytest.mark.parametrize(
    ("delay_s", "first", "sentence"),
    [
        (
            43200,
            10,
            "On the Free plan, your first 10 files are analysed right away. "
            "After that, a file waits 12 hours: uploaded at 10:00, it is analysed at 22:00. "
            "It plays right away.",
        ),
        (
            86400,
            0,
            "On the Free plan, a file waits a day: uploaded at 10:00, it is analysed at 10:00 the next day. "
            "It plays right away.",
        ),
        (0, 10, "On the Free plan, files are analysed right away, after paid uploads."),
    ],
)
def test_the_wait_on_free_is_told_with_the_hour(app: Flask, delay_s: int, first: int, sentence: str) -> None:
    changed = {"free_tier_delay_s": delay_s, "free_immediate_files": first}
    app.config["SETTINGS"] = app.config["SETTINGS"].model_copy(update=changed)
    assert sentence in Browser(app).get("/").text
