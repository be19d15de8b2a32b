"""Correct the description."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from app.extensions import db
from app.models import Sample, User
from app.models.base import transaction
from app.models.corrections import VIBE_FIELDS
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from tests.library.corrections.forms import DESCRIBED, described, marked, page_of
from tests.support import ApiScript, Browser, finished_job, kick


def test_every_field_can_be_corrected(as_owner: Browser, loop: Sample) -> None:
    changes = {
        "moods-0": "sunny", "moods-1": "", "moods-2": "warm", "energy": "0", "texture": "airy",
        "era": "1970s", "genres-1": "disco", "instruments": ["kick", "organ"], "use": "transition",
        "character": ["gritty", "short"], "role": "fx",
        "description": " A  sunny\r\n transition. ", "tags": "Head Nod, #vinyl",
    }  # fmt: skip
    assert described(as_owner, loop, changes).status_code == 303
    assert loop.vibe | loop.corrections == loop.vibe
    assert loop.corrections == {
        "moods": ["sunny", "warm"],
        "character": ["gritty", "short"],
        "energy": 0,
        "texture": "airy",
        "era": "1970s",
        "genres": [{"name": "house", "weight": 0.6}, {"name": "disco", "weight": 1.0}],
        "instruments": [{"name": "kick", "heard": True}, {"name": "organ", "heard": True}],
        "use": "transition",
        "role": "fx",
        "description": "A sunny transition.",
        "tags": ["head-nod", "vinyl"],
    }
    page = page_of(as_owner, loop)
    assert sorted(marked(page)) == sorted(VIBE_FIELDS)
    assert "described: dark, tense" in page
    assert re.search(r"house <span[^>]*>60%</span>,\s+disco</dd>", page), "the user's own word has no weight"
    assert "energy and mode" not in page, "the reasons belong to the description"


def test_an_unchanged_form_corrects_nothing(as_owner: Browser, loop: Sample) -> None:
    assert described(as_owner, loop).status_code == 303
    assert loop.corrections == {}
    assert marked(page_of(as_owner, loop)) == []


def test_empty_fields_reset_and_empty_lists_mean_none(as_owner: Browser, loop: Sample) -> None:
    described(as_owner, loop, {"moods-0": "sunny", "energy": "90", "description": "Mine."})
    emptied = dict.fromkeys(("moods-0", "moods-1", "energy", "description", "genres-0", "tags"), "")
    described(as_owner, loop, emptied | {"instruments": []})
    assert loop.corrections == {"genres": [], "instruments": [], "tags": []}
    assert loop.vibe["moods"] == ["dark", "tense"]
    assert "described: kick, bass" in page_of(as_owner, loop)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"energy": "loud"}, "Enter a whole number from 0 to 100."),
        ({"energy": "101"}, "Enter a whole number from 0 to 100."),
        ({"moods-0": "purple"}, "Not a valid choice"),
        ({"genres-0": "polka"}, "Not a valid choice"),
        ({"texture": "wet"}, "Not a valid choice"),
        ({"instruments": ["gong"]}, "'gong' is not a valid choice"),
        ({"instruments": ["kick", "snare", "clap", "tom", "bass", "organ", "bells"]}, "Choose up to six"),
        ({"description": "ab"}, "Write one plain sentence"),
        ({"description": "x" * 201}, "Write one plain sentence"),
        ({"description": "<img src=x onerror=alert(1)>"}, "Write one plain sentence"),
        ({"description": "See www.example.com"}, "Write one plain sentence"),
        ({"description": "{{7*7}}"}, "Write one plain sentence"),
        ({"tags": "a, b"}, "Enter up to eight keywords"),
        ({"tags": "one1,two2,three,four,five,six,seven,eight,nine"}, "Enter up to eight keywords"),
        ({"tags": "<script>"}, "Enter up to eight keywords"),
    ],
)
def test_a_bad_value_is_explained_and_the_input_is_kept(
    as_owner: Browser, loop: Sample, change: dict[str, Any], sentence: str
) -> None:
    answer = described(as_owner, loop, {"texture": "airy", "tags": "typed", "energy": "77"} | change)
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert sentence in page
    assert '<details class="correct" open>' in page
    assert 'value="77"' in page or "energy" in change
    assert 'value="typed"' in page or "tags" in change
    assert '<option selected value="airy">' in page or "texture" in change
    assert "<img src=x" not in answer.text
    assert loop.corrections == {}


@pytest.mark.parametrize(
    "vibe", [{}, {"moods": ["dark"], "energy": 0, "texture": "warm", "use": "transition"}]
)
def test_an_incomplete_vibe_is_shown_and_can_be_corrected(
    as_owner: Browser, script: ApiScript, loop: Sample, vibe: dict[str, Any]
) -> None:
    with transaction():
        loop.describe(vibe)
    blank = {
        "moods-1": "",
        "genres-0": "",
        "instruments": [],
        "description": "",
        "tags": "",
        "role": "",
        "era": "",
    }
    shown = {"moods-0": "", "energy": "", "texture": "", "use": ""}
    shown |= {"moods-0": "dark", "energy": "0", "texture": "warm", "use": "transition"} if vibe else {}
    assert described(as_owner, loop, blank | shown).status_code == 303
    assert loop.corrections == {}
    for path in ("/samples", "/dashboard", f"/samples/{loop.id}"):
        page = as_owner.get(path)
        assert (page.status_code, "None" in page.text, "Undefined" in page.text) == (200, False, False)
    answer = script.get(f"/api/samples/{loop.id}").get_json()
    assert (answer["vibe"] or {}).get("moods") == vibe.get("moods")
    assert described(as_owner, loop, blank | shown | {"role": "fx", "genres-1": "dub"}).status_code == 303
    assert loop.corrections == {"role": "fx", "genres": [{"name": "dub", "weight": 1.0}]}
    assert sorted(marked(page_of(as_owner, loop))) == ["genres", "role"]
    assert script.get(f"/api/samples/{loop.id}").get_json()["vibe"]["role"] == "fx"


def test_corrected_energy_decides_the_order(as_owner: Browser, owner: User, loop: Sample) -> None:
    other = db.session.get_one(Sample, finished_job(as_owner, "kick.wav", kick()).sample_id)
    with transaction():
        other.describe(DESCRIBED | {"energy": 50})
    query = SampleQuery(ask="energetic")
    assert [sample.name for sample in find_samples(owner, query, "").samples] == [
        "kick",
        "Dusty break",
    ]
    described(as_owner, loop, {"energy": "60"})
    assert [sample.name for sample in find_samples(owner, query, "").samples] == [
        "Dusty break",
        "kick",
    ]
