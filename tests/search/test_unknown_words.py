"""Which words of a sentence a model may be asked about, and that two clicks ask once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from app.extensions import db
from app.models import User
from app.search import learned_words, word_questions
from app.search.sentence_parser import parse_sentence, quote_term
from tests.fake_openrouter import KEY, FakeOpenRouter, running_openrouter

HEADNOD = ["mood: groovy", "mood: funky", "rank: punchiest"]


@pytest.fixture
def fake(at_once: None) -> Iterator[FakeOpenRouter]:
    with running_openrouter(meanings={"headnod": HEADNOD}) as made:
        yield made


@pytest.fixture
def environ(environ: dict[str, str], fake: FakeOpenRouter) -> dict[str, str]:
    return environ | {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": fake.url}


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
