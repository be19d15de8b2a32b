"""PostgreSQL finds names however they are typed, as SQLite does."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from app.auth import accounts
from app.library.pad_file_names import assign_pad_name
from app.models import Sample, User
from app.models.base import transaction
from app.search.folded_rows import fold_changed_rows
from tests.search import test_folding as on_sqlite
from tests.search.test_text_conditions import names, shelve
from tests.support import PASSWORD

pytestmark = pytest.mark.services


def test_names_and_words_are_found_folded_on_postgresql(postgres_app: Flask) -> None:
    def new_user(name: str) -> User:
        return accounts.register_user(f"{name}@example.com", PASSWORD, "UTC")

    assert on_sqlite.found_by_each_way(new_user("languages")) == {}
    on_sqlite.test_excluded_quoted_and_unfinished_words_are_folded(new_user("words"))
    on_sqlite.test_a_sentence_finds_the_name_it_is_whole(new_user("sentences"))
    on_sqlite.test_sounds_and_moods_in_a_name_are_read_folded(new_user("sounds"))
    on_sqlite.test_tags_are_found_folded_and_stored_in_one_form(new_user("tags"))


def test_rows_of_the_previous_version_are_folded_on_postgresql(postgres_app: Flask) -> None:
    owner = accounts.register_user("owner@example.com", PASSWORD, "UTC")
    shelve(owner, {"Café": {}, "Été": {}, "Plain": {}})
    with transaction() as session:
        session.execute(update(Sample).where(Sample.name != "Été").values(folded_text=None))
        session.execute(update(Sample).where(Sample.name == "Été").values(search_text="łódź\nété.wav"))
    assert names(owner, "plain") == ["Plain"]
    fold_changed_rows()
    assert names(owner, "cafe") == ["Café"]
    assert names(owner, "lodz") == ["Été"]


def test_pad_names_are_unique_on_postgresql(postgres_app: Flask) -> None:
    owner = accounts.register_user("owner@example.com", PASSWORD, "UTC")
    with transaction():
        made = [
            assign_pad_name(each) for each in shelve(owner, {"Kick": {}, "KICK": {}, "kick": {}}).values()
        ]
    assert made == ["Kick 90 Am", "KICK 90 Am-2", "kick 90 Am-3"]
