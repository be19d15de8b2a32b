"""Correct the measurement (tempo, key, kind and sound) and edit name and tags."""

from __future__ import annotations

import re

import pytest

from app.models import Sample
from tests.library.corrections.forms import corrected, described, marked, page_of
from tests.support import Browser


def test_a_correction_is_saved_and_shown_beside_the_measurement(as_owner: Browser, loop: Sample) -> None:
    changes = {"bpm": "186", "key": "A minor", "kind": "one-shot", "sound": "tom"}
    answer = corrected(as_owner, loop, **changes, name="My  break", tags="Dusty, lo fi")
    assert answer.status_code == 303
    assert (loop.name, loop.bpm, loop.bpm_source) == ("My break", 186.0, "user")
    assert (loop.key, loop.key_source, loop.kind, loop.sound) == ("A minor", "user", "one-shot", "tom")
    assert loop.tag_names == ["dusty", "lo-fi"]
    assert loop.features.bpm == pytest.approx(93, abs=0.5)
    page = page_of(as_owner, loop)
    assert marked(page) == ["bpm", "key", "kind", "sound"]
    assert page.count(">yours<") == 4
    assert "measured: 93 BPM" in page
    assert "measured: loop" in page


def test_the_list_shows_and_finds_corrected_values(as_owner: Browser, loop: Sample) -> None:
    corrected(as_owner, loop, bpm="120", kind="one-shot", sound="tom", tags="mine")
    described(as_owner, loop, {"moods-0": "sunny"})
    row = as_owner.get("/samples?kind=one-shot&sound=tom&bpm_min=119&tag=mine&q=sunny").text
    assert row.count('title="your correction"') == 3
    assert "Dusty break" not in as_owner.get("/samples?kind=loop").text
    assert "Dusty break" not in as_owner.get("/samples?q=dark").text


@pytest.mark.parametrize("name", ["name", "tags", "bpm", "key", "kind", "sound"])
def test_a_value_turns_into_its_field_and_unchanged_corrects_nothing(
    as_owner: Browser, loop: Sample, name: str
) -> None:
    closed, page = page_of(as_owner, loop), page_of(as_owner, loop, edit=name)
    assert f'id="sample-{name}"' not in closed
    assert re.findall(r'id="sample-(name|tags|bpm|key|kind|sound)"', page) == [name]
    assert page.count("<h1") == 1
    form = page.partition('class="value-form"')[2].partition("</form>")[0]
    sent = dict(re.findall(r'name="(\w+)"(?: type="hidden")? value="([^"]*)"', form))
    chosen = re.findall(r'<option selected value="([^"]*)"', form)
    typed = re.findall(rf'<input[^>]* name="{name}"[^>]* value="([^"]*)"', form)
    [sent[name]] = chosen or typed
    assert as_owner.post(f"/samples/{loop.id}", **sent).status_code == 303
    assert (loop.name, loop.tag_names, loop.corrections) == ("Dusty break", [], {})


def test_an_empty_field_means_there_is_none(as_owner: Browser, loop: Sample) -> None:
    corrected(as_owner, loop, bpm="")
    assert (loop.bpm, loop.corrections) == (None, {"bpm": None})
    assert marked(page_of(as_owner, loop)) == ["bpm"]


def test_the_tempo_can_be_halved_and_doubled(as_owner: Browser, loop: Sample) -> None:
    measured = loop.bpm
    as_owner.post(f"/samples/{loop.id}/tempo/double")
    assert loop.bpm == pytest.approx(2 * (measured or 0))
    as_owner.post(f"/samples/{loop.id}/tempo/half")
    assert (loop.bpm, loop.corrections) == (measured, {})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "A sample needs a name."),
        ({"bpm": "5"}, "Enter a tempo from 20 to 400 BPM."),
        ({"bpm": "fast"}, "Not a valid decimal value."),
        ({"bpm": "sNaN"}, "Enter a tempo from 20 to 400 BPM."),
        ({"bpm": "NaN"}, "Enter a tempo from 20 to 400 BPM."),
        ({"key": "H major"}, "Not a valid choice"),
        ({"kind": "song"}, "Not a valid choice"),
        ({"sound": "gong"}, "Not a valid choice"),
    ],
)
def test_a_bad_value_is_explained_in_its_field_and_kept(
    as_owner: Browser, loop: Sample, change: dict[str, str], sentence: str
) -> None:
    answer = as_owner.post(f"/samples/{loop.id}", **change)
    assert answer.status_code == 422
    assert sentence in answer.text
    [(name, value)] = change.items()
    assert re.findall(r'id="sample-(name|tags|bpm|key|kind|sound)"', answer.text) == [name]
    assert name in ("key", "kind", "sound") or f'value="{value}"' in answer.text
    assert (loop.name, loop.corrections, loop.tag_names) == ("Dusty break", {}, [])


def test_only_a_whole_page_says_saved(as_owner: Browser, loop: Sample) -> None:
    for headers, says in (({}, True), ({"HX-Request": "true"}, False)):
        as_owner.post(f"/samples/{loop.id}", headers, key="A minor" if says else "C major")
        assert ("Saved." in page_of(as_owner, loop)) is says
