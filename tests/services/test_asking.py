"""Sentences about sounds on PostgreSQL: the same is found, and every page continues the one before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade

from app import create_app
from app.auth import accounts
from app.config import Settings
from app.extensions import db
from app.library import search
from app.models.base import transaction
from tests.library.sentences import HELD_OUT, SENTENCES
from tests.library.test_described import FOUND, VIBES, names, shelve
from tests.support import PASSWORD

pytestmark = pytest.mark.services


@pytest.fixture
def postgres_app(tmp_path: Path, postgres_url: str) -> Iterator[Flask]:
    values = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": postgres_url,
        "SECRET_KEY": "a secret for tests, long enough to be taken",
    }
    app = create_app(Settings.from_env(values))
    with app.app_context():
        upgrade()
        yield app
        db.session.remove()
        db.engine.dispose()


def test_sentences_find_the_same_and_page_on_postgresql(postgres_app: Flask) -> None:
    owner = accounts.register("owner@example.com", PASSWORD, "UTC")
    shelf = shelve(owner, VIBES)
    assert {sentence: set(names(owner, sentence)) for sentence in FOUND} == FOUND
    assert names(owner, "dusty")[:2] == ["Take 3", "Popcorn"]
    for sentence in (*SENTENCES, *HELD_OUT, "dusty, dark, not too crunchy and calm"):
        whole = [sample.id for sample in search.find(owner, search.Query(ask=sentence), "").samples]
        seen, after = list[str](), ""
        while True:
            page = search.find(owner, search.Query(ask=sentence), after, limit=1)
            seen += [sample.id for sample in page.samples]
            if page.next_after is None:
                break
            after = page.next_after
        assert seen == whole, sentence
    with transaction():
        shelf["Popcorn"].correct(moods=["joyful"], era=None)
    assert names(owner, "sad") == ["Blue"]
    assert names(owner, "joyful") == ["Popcorn"]
    assert names(owner, "90s") == []
