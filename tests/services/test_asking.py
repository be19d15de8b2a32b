"""Sentence searches on PostgreSQL find the same as on SQLite, and every page continues the one before."""

from __future__ import annotations

import pytest
from flask import Flask

from app.auth import accounts
from app.library import samples
from app.models.base import transaction
from app.search import facets
from app.search.indexing import follow_changes
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from tests.search.sentences import HELD_OUT, SENTENCES
from tests.search.test_text_conditions import FOUND, VIBES, names, shelve
from tests.support import PASSWORD

pytestmark = pytest.mark.services


def test_sentences_find_and_page_the_same_on_postgresql(postgres_app: Flask) -> None:
    owner = accounts.register_user("owner@example.com", PASSWORD, "UTC")
    shelf = shelve(owner, VIBES)
    assert {sentence: set(names(owner, sentence)) for sentence in FOUND} == FOUND
    assert names(owner, "dusty")[:2] == ["Take 3", "Popcorn"]
    for sentence in (*SENTENCES, *HELD_OUT, "dusty, dark, not too crunchy and calm"):
        whole = [sample.id for sample in find_samples(owner, SampleQuery(ask=sentence), "").samples]
        seen, after = list[str](), ""
        while True:
            page = find_samples(owner, SampleQuery(ask=sentence), after, limit=1)
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
    samples.edit_sample(shelf["Blue"], name="Blue (Ä) loop - 500 BPM")
    follow_changes(owner.id)
    [found] = facets.samples_named_so(owner, SampleQuery(ask="blue ä loop 500 bpm"))
    assert found.name == names(owner, "blue ä")[0] == "Blue (Ä) loop - 500 BPM"
