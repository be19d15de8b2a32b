"""Change the kind of a sample: what the new kind can't have goes, and comes back with the old kind."""

from __future__ import annotations

from typing import Any

import pytest

from app.models import Sample, User
from app.models.base import transaction
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from tests.library.corrections.forms import corrected, page_of
from tests.search.test_text_conditions import shelve
from tests.support import Browser

MONO = "Left and right cancel out: in mono this sound vanishes."


def test_a_texture_loses_its_tempo_and_gets_it_back(as_owner: Browser, loop: Sample) -> None:
    measured = loop.bpm
    assert corrected(as_owner, loop, kind="texture").status_code == 303
    assert (loop.kind, loop.bpm, loop.bpm_source, loop.corrections) == (
        "texture",
        None,
        None,
        {"kind": "texture"},
    )
    page = page_of(as_owner, loop)
    assert "BPM was removed, because a texture has none." in page
    assert "A texture has no sound type." in page
    assert "<dt>Beats</dt>" not in page
    assert ">Use<" not in page
    as_owner.post(f"/samples/{loop.id}/revert", field="kind")
    assert (loop.kind, loop.bpm, loop.corrections) == ("loop", measured, {})


def test_a_users_own_tempo_goes_with_the_new_kind(as_owner: Browser, loop: Sample) -> None:
    corrected(as_owner, loop, bpm="120")
    corrected(as_owner, loop, kind="texture")
    assert (loop.bpm, loop.corrections) == (None, {"kind": "texture"})
    assert "The tempo of 120 BPM was removed" in page_of(as_owner, loop)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"kind": "texture", "bpm": "120"},
            "A texture has no tempo. Leave it empty, or change the kind to loop.",
        ),
        ({"kind": "texture", "sound": "bass"}, "A texture has no sound type."),
        ({"sound": "kick"}, "A loop can't be of the type “kick”."),
        ({"kind": "one-shot", "sound": "chords"}, "A one-shot can't be of the type “chords”."),
    ],
)
def test_what_does_not_fit_is_refused(
    as_owner: Browser, loop: Sample, change: dict[str, str], sentence: str
) -> None:
    answer = corrected(as_owner, loop, **change)
    assert answer.status_code == 422
    assert sentence in answer.text.replace("&#39;", "'")
    assert loop.corrections == {}


def test_a_sound_goes_with_a_new_kind_and_a_reset_brings_back_both(as_owner: Browser, loop: Sample) -> None:
    corrected(as_owner, loop, kind="one-shot", sound="kick")
    corrected(as_owner, loop, kind="loop")
    assert (loop.kind, loop.sound, loop.corrections) == ("loop", "drums", {})
    assert "The sound type “kick” was removed. A loop can't be of the type “kick”." in page_of(as_owner, loop)
    corrected(as_owner, loop, kind="one-shot", sound="kick")
    as_owner.post(f"/samples/{loop.id}/revert", field="kind")
    assert (loop.kind, loop.sound, loop.corrections) == ("loop", "drums", {})
    as_owner.post(f"/samples/{loop.id}/corrections")
    assert (loop.kind, loop.sound) == ("one-shot", "kick")


def test_the_form_offers_the_sounds_of_the_kind(as_owner: Browser, loop: Sample) -> None:
    def offered() -> str:
        return (
            page_of(as_owner, loop, edit="sound").partition('id="sample-sound"')[2].partition("</select>")[0]
        )

    assert 'value="full mix"' in offered()
    assert 'value="kick"' not in offered()
    corrected(as_owner, loop, kind="one-shot")
    assert 'value="open hat"' in offered()
    assert 'value="full mix"' not in offered()


def test_a_warning_is_shown_in_the_row_and_on_the_page(as_owner: Browser, loop: Sample) -> None:
    assert 'class="warned"' not in as_owner.get("/samples").text
    with transaction():
        loop.features.measured = loop.features.measured | {"warnings": [MONO]}
    for path in ("/samples", "/dashboard"):
        row = as_owner.get(path).text
        assert f'title="{MONO}"' in row
        assert f"Warning: {MONO}" in row
    assert MONO in page_of(as_owner, loop)


def test_facets_count_what_their_filters_find(as_owner: Browser, owner: User) -> None:
    check_facets(owner)
    page = as_owner.get("/samples").text
    assert "all hats" in page
    assert "all drums" in page


def check_facets(owner: User) -> None:
    """Shelve sounds of all kinds and compare each count with its filter; used on both databases."""
    sounds = {
        "A": ("one-shot", "closed hat"),
        "B": ("one-shot", "open hat"),
        "C": ("one-shot", "hi-hat"),
        "D": ("one-shot", "kick"),
        "E": ("loop", "drums"),
        "F": ("loop", "percussion"),
        "G": ("loop", "bass"),
        "H": ("texture", None),
        "Cold drone": ("one-shot", "pad"),
        "I": ("one-shot", "fx"),
    }
    with transaction():
        for name, sample in shelve(owner, {name: {} for name in sounds}).items():
            kind, sound = sounds[name]
            sample.correct(kind=kind, sound=sound)

    def found(**query: Any) -> str:
        names = (sample.name for sample in find_samples(owner, SampleQuery(**query), "").samples)
        return " ".join(sorted(names))

    for query in (SampleQuery(), SampleQuery(kind="one-shot"), SampleQuery(kind="loop")):
        counts = find_samples(owner, query, "").counts.sounds
        for sound, count in counts:
            assert find_samples(owner, SampleQuery(kind=query.kind, sound=sound), "").total == count
    assert dict(find_samples(owner, SampleQuery(), "").counts.sounds)["drums"] == 6
    assert found(sound="hi-hat") == found(ask="hats") == "A B C"
    assert found(sound="drums", kind="one-shot") == "A B C D"
    assert found(sound="drums", kind="loop") == found(ask="drum loops") == "E F"
    assert found(ask="open hats") == "B"
    assert found(ask="top loops") == "F"
    assert found(kind="texture") == found(ask="textures") == found(ask="atmos") == found(ask="foley") == "H"
    assert found(ask="drones") == "Cold drone H"
    assert found(ask="risers") == "H I"
    assert found(ask="no textures, no hats, no drums") == "Cold drone G I"
    assert found(ask="textures without drones") == "H"
    assert found(q="hi-hat") == "A B C"
