"""Corrections by the pages: in force, marked, taken back, and outliving what is found anew."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.audio.classes import KINDS, SOUNDS
from app.extensions import db
from app.library import search, vocabulary
from app.models import AudioFeatures, Sample, User
from app.models.base import transaction
from app.models.sample import OF_VIBE
from tests.support import Browser, Script, drum_loop, finished_job, kick

DESCRIBED: dict[str, Any] = {
    "moods": ["dark", "tense"],
    "energy": 40,
    "texture": "warm",
    "era": "any",
    "genres": [{"name": "house", "weight": 0.6}],
    "instruments": [{"name": "kick", "heard": True}, {"name": "bass", "heard": False}],
    "use": "drum loop to chop",
    "role": "loop",
    "description": "A dark loop.",
    "tags": ["slow", "low"],
    "confidence": 0.5,
    "because": {"moods": "energy and mode"},
    "source": "acme/words",
    "corrections": [],
}
AS_SHOWN = {
    "moods-0": "dark", "moods-1": "tense", "moods-2": "", "energy": "40", "texture": "warm", "era": "any",
    "genres-0": "house", "genres-1": "", "genres-2": "", "instruments": ["kick", "bass"],
    "use": "drum loop to chop", "role": "loop", "description": "A dark loop.", "tags": "slow, low",
}  # fmt: skip


@pytest.fixture
def loop(as_owner: Browser) -> Sample:
    sample = db.session.get_one(Sample, finished_job(as_owner, "Dusty break.wav", drum_loop(93)).sample_id)
    with transaction():
        sample.describe(DESCRIBED)
    return sample


def corrected(browser: Browser, sample: Sample, **changes: str) -> TestResponse:
    """The everyday form, sent as it is shown but for the changes."""
    form = {
        "name": sample.name,
        "tags": ", ".join(sample.tag_names),
        "bpm": f"{sample.bpm:.2f}" if sample.bpm else "",
        "key": sample.key or "",
        "kind": sample.kind,
        "sound": sample.sound or "",
    }
    return browser.post(f"/samples/{sample.id}", **(form | changes))


def described(browser: Browser, sample: Sample, changes: dict[str, Any] | None = None) -> TestResponse:
    """The vibe's form, the same way."""
    form = {f"vibe-{name}": value for name, value in (AS_SHOWN | (changes or {})).items()}
    return browser.post(f"/samples/{sample.id}/vibe", **form)


def page_of(browser: Browser, sample: Sample) -> str:
    return unescape(browser.get(f"/samples/{sample.id}").text)


def marked(page: str) -> list[str]:
    """The fields beside which a way back stands."""
    return re.findall(r'name="field" value="(\w+)"', page)


class TestTheSound:
    def test_a_correction_is_kept_and_marked_beside_what_was_measured(
        self, as_owner: Browser, loop: Sample
    ) -> None:
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

    def test_the_list_marks_and_finds_the_values_in_force(self, as_owner: Browser, loop: Sample) -> None:
        corrected(as_owner, loop, bpm="120", kind="one-shot", sound="tom", tags="mine")
        described(as_owner, loop, {"moods-0": "sunny"})
        row = as_owner.get("/samples?kind=one-shot&sound=tom&bpm_min=119&tag=mine&q=sunny").text
        assert row.count('title="your correction"') == 3
        assert "Dusty break" not in as_owner.get("/samples?kind=loop").text
        assert "Dusty break" not in as_owner.get("/samples?q=dark").text

    def test_sending_the_form_as_it_is_shown_corrects_nothing(self, as_owner: Browser, loop: Sample) -> None:
        page = page_of(as_owner, loop)
        shown = dict(re.findall(r'<input[^>]* name="(name|tags|bpm)"[^>]* value="([^"]*)"', page))
        chosen = re.findall(r'<select[^>]* name="(key|kind|sound)".*?</select>', page, re.DOTALL)
        assert (sorted(shown), sorted(chosen)) == (["bpm", "name", "tags"], ["key", "kind", "sound"])
        assert as_owner.post(f"/samples/{loop.id}", key="", kind="loop", sound="", **shown).status_code == 303
        assert (loop.name, loop.tag_names, loop.corrections) == ("Dusty break", [], {})

    def test_an_emptied_field_says_there_is_none(self, as_owner: Browser, loop: Sample) -> None:
        corrected(as_owner, loop, bpm="")
        assert (loop.bpm, loop.corrections) == (None, {"bpm": None})
        assert marked(page_of(as_owner, loop)) == ["bpm"]

    def test_half_and_double_time(self, as_owner: Browser, loop: Sample) -> None:
        measured = loop.bpm
        as_owner.post(f"/samples/{loop.id}/tempo/double")
        assert loop.bpm == pytest.approx(2 * (measured or 0))
        as_owner.post(f"/samples/{loop.id}/tempo/half")
        assert (loop.bpm, loop.corrections) == (measured, {})

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"name": ""}, "A sample needs a name."),
            ({"bpm": "5"}, "A tempo lies between 20 and 400 BPM."),
            ({"bpm": "fast"}, "Not a valid decimal value."),
            ({"bpm": "sNaN"}, "A tempo lies between 20 and 400 BPM."),
            ({"bpm": "NaN"}, "A tempo lies between 20 and 400 BPM."),
            ({"key": "H major"}, "Not a valid choice"),
            ({"kind": "song"}, "Not a valid choice"),
            ({"sound": "gong"}, "Not a valid choice"),
        ],
    )
    def test_a_bad_value_says_so_and_loses_nothing_of_what_was_typed(
        self, as_owner: Browser, loop: Sample, change: dict[str, str], sentence: str
    ) -> None:
        answer = corrected(as_owner, loop, **({"tags": "my own tag"} | change))
        assert answer.status_code == 422
        assert sentence in answer.text
        assert 'value="my own tag"' in answer.text
        assert (loop.name, loop.corrections, loop.tag_names) == ("Dusty break", {}, [])


class TestTheVibe:
    def test_every_field_can_be_corrected(self, as_owner: Browser, loop: Sample) -> None:
        changes = {
            "moods-0": "sunny", "moods-1": "", "moods-2": "warm", "energy": "0", "texture": "airy",
            "era": "1970s", "genres-1": "disco", "instruments": ["kick", "organ"], "use": "transition",
            "role": "fx", "description": " A  sunny\r\n transition. ", "tags": "Head Nod, #vinyl",
        }  # fmt: skip
        assert described(as_owner, loop, changes).status_code == 303
        assert loop.vibe | loop.corrections == loop.vibe
        assert loop.corrections == {
            "moods": ["sunny", "warm"],
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
        assert sorted(marked(page)) == sorted(OF_VIBE)
        assert "described: dark, tense" in page
        assert re.search(r"house <span[^>]*>60 %</span>, disco</dd>", page), (
            "the user's own word has no doubt"
        )
        assert "energy and mode" not in page, "the figures spoke for what was described"

    def test_sending_the_form_as_it_is_shown_corrects_nothing(self, as_owner: Browser, loop: Sample) -> None:
        assert described(as_owner, loop).status_code == 303
        assert loop.corrections == {}
        assert marked(page_of(as_owner, loop)) == []

    def test_what_is_emptied_is_as_described_and_lists_are_none(
        self, as_owner: Browser, loop: Sample
    ) -> None:
        described(as_owner, loop, {"moods-0": "sunny", "energy": "90", "description": "Mine."})
        emptied = dict.fromkeys(("moods-0", "moods-1", "energy", "description", "genres-0", "tags"), "")
        described(as_owner, loop, emptied | {"instruments": []})
        assert loop.corrections == {"genres": [], "instruments": [], "tags": []}
        assert loop.vibe["moods"] == ["dark", "tense"]
        assert "described: kick, bass" in page_of(as_owner, loop)

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"energy": "loud"}, "Energy is a whole number from 0 to 100."),
            ({"energy": "101"}, "Energy is a whole number from 0 to 100."),
            ({"moods-0": "purple"}, "Not a valid choice"),
            ({"genres-0": "polka"}, "Not a valid choice"),
            ({"texture": "wet"}, "Not a valid choice"),
            ({"instruments": ["gong"]}, "'gong' is not a valid choice"),
            ({"instruments": ["kick", "snare", "clap", "tom", "bass", "organ", "bells"]}, "Choose six"),
            ({"description": "ab"}, "Write one plain sentence"),
            ({"description": "x" * 201}, "Write one plain sentence"),
            ({"description": "<img src=x onerror=alert(1)>"}, "Write one plain sentence"),
            ({"description": "See www.example.com"}, "Write one plain sentence"),
            ({"description": "{{7*7}}"}, "Write one plain sentence"),
            ({"tags": "a, b"}, "Use up to eight words"),
            ({"tags": "one1,two2,three,four,five,six,seven,eight,nine"}, "Use up to eight words"),
            ({"tags": "<script>"}, "Use up to eight words"),
        ],
    )
    def test_a_bad_value_says_so_and_loses_nothing_of_what_was_typed(
        self, as_owner: Browser, loop: Sample, change: dict[str, Any], sentence: str
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


class TestTakingBack:
    def test_one_by_one_and_all(self, as_owner: Browser, loop: Sample) -> None:
        corrected(as_owner, loop, bpm="120", key="A minor")
        described(as_owner, loop, {"energy": "90", "texture": "airy"})
        for field in ("bpm", "energy"):
            assert as_owner.post(f"/samples/{loop.id}/revert", field=field).status_code == 303
        assert loop.corrections == {"key": "A minor", "texture": "airy"}
        assert (loop.bpm_source, loop.vibe["energy"]) == ("detected", 40)
        as_owner.post(f"/samples/{loop.id}/revert")
        assert (loop.corrections, loop.key, loop.vibe) == ({}, None, DESCRIBED)
        assert "Take back" not in page_of(as_owner, loop)

    def test_a_field_there_is_not_takes_nothing_back(self, as_owner: Browser, loop: Sample) -> None:
        corrected(as_owner, loop, bpm="120")
        as_owner.post(f"/samples/{loop.id}/revert", field="colour")
        as_owner.post(f"/samples/{loop.id}/revert", field="")
        assert loop.corrections == {"bpm": 120.0}


def test_a_correction_outlives_a_new_measurement_and_description(as_owner: Browser, loop: Sample) -> None:
    corrected(as_owner, loop, bpm="120", kind="one-shot")
    described(as_owner, loop, {"moods-0": "sunny"})
    with transaction():
        old = loop.features
        columns = {c.key: getattr(old, c.key) for c in AudioFeatures.__table__.columns}
        measured = old.measured | {"bpm": 99.0, "key": "D minor", "key_source": "detected"}
        loop.features = None  # type: ignore[assignment]  # its row goes before the new one comes
        db.session.flush()
        del columns["sample_id"]
        loop.measure(AudioFeatures(**(columns | {"measured": measured})), loop.bars)
        loop.describe(DESCRIBED | {"moods": ["bleak"], "energy": 10})
    page = page_of(as_owner, loop)
    assert marked(page) == ["bpm", "kind", "moods"]
    assert "measured: 99 BPM" in page
    assert "described: bleak" in page
    assert (loop.bpm, loop.kind, loop.key, loop.vibe["energy"]) == (120.0, "one-shot", "D minor", 10)
    as_owner.post(f"/samples/{loop.id}/revert")
    assert (loop.bpm, loop.kind, loop.vibe["moods"]) == (99.0, "loop", ["bleak"])


@pytest.mark.parametrize(
    "vibe", [{}, {"moods": ["dark"], "energy": 0, "texture": "warm", "use": "transition"}]
)
def test_a_vibe_that_is_missing_or_lacks_fields_is_shown_and_can_be_corrected(
    as_owner: Browser, script: Script, loop: Sample, vibe: dict[str, Any]
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


def test_a_strangers_forms_find_nothing(as_stranger: Browser, loop: Sample) -> None:
    assert corrected(as_stranger, loop, bpm="120").status_code == 404
    assert described(as_stranger, loop, {"energy": "1"}).status_code == 404
    assert as_stranger.post(f"/samples/{loop.id}/revert").status_code == 404
    assert loop.corrections == {}


def test_energy_ranks_by_the_correction(as_owner: Browser, owner: User, loop: Sample) -> None:
    other = db.session.get_one(Sample, finished_job(as_owner, "kick.wav", kick()).sample_id)
    with transaction():
        other.describe(DESCRIBED | {"energy": 50})
    query = search.Query(ask="energetic")
    assert [sample.name for sample in search.find(owner, query, "").samples] == ["kick", "Dusty break"]
    described(as_owner, loop, {"energy": "60"})
    assert [sample.name for sample in search.find(owner, query, "").samples] == ["Dusty break", "kick"]


def test_the_library_asks_for_the_kinds_and_sounds_there_are() -> None:
    assert set(vocabulary.KINDS) == set(search.KINDS) == set(KINDS)
    assert set(vocabulary.SOUNDS) - set(vocabulary.FAMILIES) == set(SOUNDS)


class TestAPageThatWasOpenMeanwhile:
    """What changed in the library since it was shown is no correction of whoever looks at it."""

    def test_the_everyday_form(self, as_owner: Browser, loop: Sample) -> None:
        shown = shown_by(as_owner, loop, "shown")
        bpm = f"{loop.bpm:.2f}"
        with transaction():
            loop.features.measured = loop.features.measured | {"bpm": 120.0}
            loop.revert()
        assert corrected(as_owner, loop, shown=shown, bpm=bpm, name="Renamed").status_code == 303
        assert (loop.name, loop.bpm, loop.corrections) == ("Renamed", 120.0, {})
        corrected(as_owner, loop, shown=shown, bpm="60", name="Renamed")
        assert loop.corrections == {"bpm": 60.0}

    def test_the_vibe(self, as_owner: Browser, loop: Sample) -> None:
        shown = shown_by(as_owner, loop, "vibe-shown")
        with transaction():
            loop.describe(DESCRIBED | {"moods": ["sunny"], "texture": "airy", "instruments": []})
        described(as_owner, loop, {"shown": shown, "energy": "70"})
        assert loop.corrections == {"energy": 70}

    @pytest.mark.parametrize("shown", ["{", "[]", "null", '{"bpm": {"a": []}, "instruments": 7}'])
    def test_what_cannot_be_read_changes_nothing_else(
        self, as_owner: Browser, loop: Sample, shown: str
    ) -> None:
        assert corrected(as_owner, loop, shown=shown, name="Renamed").status_code == 303
        assert described(as_owner, loop, {"shown": shown}).status_code == 303
        assert loop.name == "Renamed"


def shown_by(browser: Browser, sample: Sample, name: str) -> str:
    found = re.search(
        rf'name="{name}" type="hidden" value="([^"]*)"', browser.get(f"/samples/{sample.id}").text
    )
    assert found is not None
    return unescape(found[1])


def test_the_waveform_is_asked_for_again_and_sent_when_it_has_changed(
    as_owner: Browser, loop: Sample
) -> None:
    first = as_owner.get(f"/samples/{loop.id}/peaks")
    again = {"If-None-Match": first.headers["ETag"]}
    assert as_owner.get(f"/samples/{loop.id}/peaks", headers=again).status_code == 304
    with transaction():
        loop.features.peaks = bytes(800)
    assert as_owner.get(f"/samples/{loop.id}/peaks", headers=again).status_code == 200
