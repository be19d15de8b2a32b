"""Corrections at the same time on PostgreSQL, where transactions run in parallel: each is kept."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from app.auth import accounts
from app.extensions import db
from app.library import samples
from app.models import Sample, User
from app.models.corrections import SOUND_FIELDS
from tests.library.corrections.test_kinds import check_facets
from tests.search.test_character import HITS, LEFT, RANKED, check_corrections, check_ranking
from tests.search.test_text_conditions import names, shelve
from tests.support import PASSWORD

pytestmark = pytest.mark.services
CHANGES: dict[str, Any] = {
    "bpm": 140.0,
    "key": "D minor",
    "kind": "one-shot",
    "energy": 7,
    "moods": ["sunny"],
}


def test_corrections_at_the_same_time_are_all_kept(postgres_app: Flask) -> None:
    owner = accounts.register_user("owner@example.com", PASSWORD, "UTC")
    sample_id, user_id = shelve(owner, {"One": {}})["One"].id, owner.id
    db.session.commit()
    barrier = threading.Barrier(len(CHANGES))

    def correct(change: tuple[str, Any]) -> None:
        with postgres_app.app_context():
            sample = samples.owned_by(db.session.get_one(User, user_id), sample_id)
            barrier.wait()
            samples.edit_sample(sample, corrections=dict([change]))

    with ThreadPoolExecutor(len(CHANGES)) as pool:
        list(pool.map(correct, CHANGES.items()))
    db.session.rollback()
    sample = db.session.get_one(Sample, sample_id, populate_existing=True)
    assert sample.corrections == CHANGES
    assert {name: getattr(sample, name) for name in SOUND_FIELDS} == {
        "kind": "one-shot", "sound": None, "bpm": 140.0, "key": "D minor",
    }  # fmt: skip
    assert "sunny" in sample.search_text


def test_facets_count_what_their_filters_find_on_postgresql(postgres_app: Flask) -> None:
    check_facets(accounts.register_user("owner@example.com", PASSWORD, "UTC"))


def test_words_of_a_character_rank_and_filter_on_postgresql(postgres_app: Flask) -> None:
    owner = accounts.register_user("owner@example.com", PASSWORD, "UTC")
    hits = shelve(owner, HITS)
    for sentence in RANKED:
        check_ranking(owner, sentence)
    assert {sentence: set(names(owner, sentence)) for sentence in LEFT} == LEFT
    check_corrections(owner, hits)
