"""`GET /api/samples/<id>/similar`."""

from __future__ import annotations

from typing import Any

import pytest

from app.models import User
from tests.search.vectors import shelve_vectors, vector
from tests.support import ApiScript

LOOP: dict[str, Any] = {"kind": "loop", "sound": None, "bpm": 100.0}


def test_the_nearest_come_first_with_distance_match_and_reason(script: ApiScript, owner: User) -> None:
    made = shelve_vectors(owner, {"Source": vector(), "Far": vector(body=2), "Near": vector(body=0.5)})
    answer = script.get(f"/api/samples/{made['Source'].id}/similar")
    assert answer.status_code == 200
    near, far = answer.get_json()["samples"]
    assert (near["name"], near["distance"], near["reason"]) == ("Near", 0.5, "similar body")
    assert (far["name"], far["distance"]) == ("Far", 2.0)
    assert near["match"] > far["match"]
    assert near["kind"] == "one-shot"


def test_preset_and_limit(script: ApiScript, owner: User) -> None:
    vectors = {"Source": vector(), "Same rhythm": vector(body=1), "Same body": vector(rhythm=0.9)}
    path = f"/api/samples/{shelve_vectors(owner, vectors, **LOOP)['Source'].id}/similar"
    for preset, first in (("timbre", "Same body"), ("rhythm", "Same rhythm")):
        found = script.get(f"{path}?preset={preset}&limit=1").get_json()["samples"]
        assert [each["name"] for each in found] == [first]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("preset=loudness", "preset"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("kind=loop", "kind"),
    ],
)
def test_values_that_do_not_fit_are_named(script: ApiScript, owner: User, query: str, words: str) -> None:
    made = shelve_vectors(owner, {"Source": vector()})
    answer = script.get(f"/api/samples/{made['Source'].id}/similar?{query}")
    assert answer.status_code == 422
    assert words in answer.get_json()["detail"]


def test_a_sample_without_a_vector_says_what_to_do(script: ApiScript, owner: User) -> None:
    made = shelve_vectors(owner, {"Old": ()})
    answer = script.get(f"/api/samples/{made['Old'].id}/similar")
    assert answer.status_code == 409
    assert "Analyse it again first." in answer.get_json()["detail"]


def test_a_strangers_sample_answers_404(script: ApiScript, stranger: User) -> None:
    theirs = shelve_vectors(stranger, {"Theirs": vector()})
    assert script.get(f"/api/samples/{theirs['Theirs'].id}/similar").status_code == 404
