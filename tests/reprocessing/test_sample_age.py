"""A sample's page says what about it was made by an older version."""

from __future__ import annotations

from app.models import Sample
from app.models.base import transaction
from tests.reprocessing.support import words
from tests.support import Browser


def test_an_older_engine_is_named_on_the_page(as_owner: Browser, two: list[Sample]) -> None:
    assert "older analysis engine" not in as_owner.get(f"/samples/{two[0].id}").text
    with transaction():
        two[0].features.engine_version = "0.1"
    assert "made by an older analysis engine ( 0.1 )." in words(as_owner.get(f"/samples/{two[0].id}").text)
