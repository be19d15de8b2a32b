"""Which words of a sentence a model may be asked about, and that two clicks ask once."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import AiCall, Usage, User
from app.search import learned_words, word_questions
from app.search.sentence_parser import parse_sentence, quote_term
from tests.fake_openrouter import KEY, FakeOpenRouter, running_openrouter
from tests.support import Browser

HEADNOD = ["mood: groovy", "mood: funky", "rank: punchiest"]


ASKED = "Ask AI what "


@pytest.fixture
def fake(at_once: None) -> Iterator[FakeOpenRouter]:
    with running_openrouter(meanings={"headnod": HEADNOD}) as made:
        yield made


@pytest.fixture
def environ(environ: dict[str, str], fake: FakeOpenRouter) -> dict[str, str]:
    return environ | {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": fake.url}


def page(browser: Browser, sentence: str) -> str:
    return unescape(browser.get("/samples", query_string={"ask": sentence}).text)


def click(browser: Browser, sentence: str) -> str:
    """Click the button beside the chips and return the page it leads to."""
    answer = browser.post("/samples/words", ask=sentence)
    assert answer.status_code == 303, answer.text
    return unescape(browser.get(answer.headers["Location"]).text)


def names(html: str) -> list[str]:
    return re.findall(r'class="col-name"[^>]*>\s*<a[^>]*>([^<]+)</a>', html)


def chips(html: str) -> list[str]:
    return re.findall(r'class="chip" href="[^"]+">([^<]+) <', html)


def cost() -> Decimal:
    rows = select(AiCall, Usage).join(Usage, Usage.id == AiCall.usage_id)
    return sum((usage.cost_usd for _, usage in db.session.execute(rows)), Decimal(0))


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("headnod loops", '"headnod" loops'),
        ("-headnod", '-"headnod"'),
        ("no more headnod.", 'no more "headnod"'),
    ],
)
def test_a_quoted_word_is_never_unknown(sentence: str, expected: str) -> None:
    term = next(term for term in parse_sentence(sentence) if term.value[0] == "headnod")
    assert quote_term(sentence, term) == expected
    assert learned_words.unknown_words(expected) == tuple(
        word for word in learned_words.unknown_words(sentence) if word != "headnod"
    )


def test_two_concurrent_clicks_pay_once(app: Flask, owner: User, fake: FakeOpenRouter) -> None:
    user_id, barrier = owner.id, threading.Barrier(2)

    def click_(_: int) -> None:
        with app.app_context():
            clicking = db.session.get_one(User, user_id)
            barrier.wait()
            word_questions.learn_words(clicking, "headnod")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(click_, range(2)))
    assert len(fake.asked) == 1
