"""The checkboxes of the library select samples to describe or analyse again."""

from __future__ import annotations

from app.models import Sample
from tests.reprocessing.support import chosen_ids, words
from tests.support import Browser


def test_each_row_has_a_checkbox_and_the_page_says_how_many_match(
    as_owner: Browser, two: list[Sample]
) -> None:
    page = as_owner.get("/samples?q=deep").text
    assert chosen_ids(page) == [two[1].id]
    assert "all 1 that match" in words(page)
    assert chosen_ids(as_owner.get("/dashboard").text) == []


def test_a_restored_row_has_its_checkbox_again(as_owner: Browser, two: list[Sample]) -> None:
    as_owner.post(f"/samples/{two[0].id}/delete")
    address = {"HX-Request": "true", "HX-Current-URL": "http://localhost/samples?q=dusty"}
    row = as_owner.post(f"/samples/{two[0].id}/restore", address).text
    assert chosen_ids(row) == [two[0].id]
