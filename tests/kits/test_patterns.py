"""Patterns of a kit: kept from the 16 steps and from MIDI files, by the page and by the API."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any

import mido
import pytest

from app.kits import history, kit_list, pattern_edits
from app.kits.documents import kit_document
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState
from app.models import Kit, User
from app.sp404.project.packed_patterns import pack_pattern, read_packed
from app.sp404.project.pattern_files import Pattern
from app.sp404.project.pattern_notes import PatternNote, compose_pattern, notes_of
from app.sp404.project.step_beats import StepBeat, pattern_of_beat
from tests.support import ApiScript, Browser

BEAT = StepBeat(steps={"A1": (127, *[0] * 7, 100, *[0] * 7), "A2": (0, 60) * 8}, late=0.25)


def midi_file(*notes: tuple[int, int], ticks: int = 96, midi_type: int = 0, channel: int = 9) -> bytes:
    """Return a MIDI file of sixteenths: each note with its time in ticks."""
    track, now = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(92))]), 0
    for tick, note in notes:
        track.append(mido.Message("note_on", channel=channel, note=note, velocity=99, time=tick - now))
        track.append(mido.Message("note_off", channel=channel, note=note, time=12))
        now = tick + 12
    written = BytesIO()
    tracks = [track] if midi_type == 0 else [mido.MidiTrack(), track]
    mido.MidiFile(type=midi_type, ticks_per_beat=ticks, tracks=tracks).save(file=written)
    return written.getvalue()


SWUNG = midi_file((0, 36), (31, 42), (48, 38), (79, 42), midi_type=1)


def pattern(kit: Kit, place: str) -> Pattern:
    return read_packed(load_state(kit).patterns[place].ptn)


def keep(browser: Browser, kit: Kit, **form: Any) -> Any:
    sent = {"revision": kit.revision, "place": "A1", "bars": 1, "beat": BEAT.model_dump_json()} | form
    return browser.post(f"/kits/{kit.id}/patterns", **sent)


def keep_midi(browser: Browser, kit: Kit, data: bytes, name: str = "Dusty.mid", **form: Any) -> str:
    sent = {"revision": kit.revision, "place": "B3", "bank": "B"} | form
    answer = browser.post(f"/kits/{kit.id}/patterns/midi", midi=(BytesIO(data), name), **sent)
    assert answer.status_code == 303
    return browser.get(answer.headers["Location"]).text


def test_a_beat_is_kept_shown_deleted_and_brought_back(as_owner: Browser, kit: Kit) -> None:
    assert keep(as_owner, kit, bars=2, name="  Boom \u202e bap ").status_code == 303
    kept = load_state(kit).patterns["A1"]
    assert (kept.name, kept.bars, pattern(kit, "A1")) == ("Boom bap", 2, pattern_of_beat(BEAT, 2))
    page = as_owner.get(f"/kits/{kit.id}").text
    assert "Saved as pattern A1, 2 bars." in page
    assert 'data-pattern-beat="{&#34;steps&#34;' in page
    assert "<option selected>A2</option>" in page  # the next free place
    assert "data-pattern-beat" not in as_owner.get(f"/kits/{kit.id}?bank=B").text
    as_owner.post(f"/kits/{kit.id}/patterns/A1/delete", revision=kit.revision)
    assert load_state(kit).patterns == {}
    assert history.undo_change(kit) == "Delete pattern A1"
    assert load_state(kit).patterns == {"A1": kept}
    assert as_owner.post(f"/kits/{kit.id}/patterns/A2/delete", revision=kit.revision).status_code == 404


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"beat": '{"steps": {}}'}, "The beat has no step yet."),
        ({"beat": "x"}, "A beat has 16 steps"),
        ({"bars": "65"}, "A pattern has 1 to 64 bars, not 65."),
        ({"bars": "many", "bank": "B"}, "A pattern has 1 to 64 bars, not 0."),
    ],
)
def test_wrong_beats_are_refused_in_words(as_owner: Browser, kit: Kit, form: Any, words: str) -> None:
    answer = keep(as_owner, kit, **form)
    assert words in as_owner.get(answer.headers["Location"]).text
    assert answer.headers["Location"].endswith("?bank=B" if "bank" in form else kit.id)
    assert load_state(kit).patterns == {}


def test_places_and_revisions_are_checked(as_owner: Browser, kit: Kit) -> None:
    assert keep(as_owner, kit, place="A17").status_code == 404
    assert keep(as_owner, kit, revision=kit.revision - 1).status_code == 409
    answer = as_owner.post(f"/kits/{kit.id}/patterns", midi=(BytesIO(b"x"), "x.mid"), revision=kit.revision)
    assert answer.status_code == 400  # the form of the beat takes no file


def test_a_midi_file_plays_the_open_bank_and_keeps_its_swing(as_owner: Browser, kit: Kit) -> None:
    page = keep_midi(as_owner, kit, SWUNG, plays="bank")
    assert "Saved as pattern B3, 1 bar. The file&#39;s tempo is 92 BPM." in page
    assert load_state(kit).patterns["B3"].name == "Dusty"
    hits = [(note.tick, note.pad) for note in notes_of(pattern(kit, "B3"))]
    assert hits == [(0, "B13"), (155, "B11"), (240, "B15"), (395, "B11")]
    assert "data-pattern-beat" in page  # both late hats are 35 ticks late
    keep_midi(as_owner, kit, SWUNG, plays="channel", bars="4")
    assert {note.pad[0] for note in notes_of(pattern(kit, "B3"))} == {"J"}
    assert pattern(kit, "B3").bars == 4


@pytest.mark.parametrize(
    ("data", "name", "form", "words"),
    [
        (b"RIFF", "x.mid", {}, "The MIDI file is damaged, or it is no MIDI file."),
        (midi_file((0, 60)), "x.mid", {}, "The MIDI file has no note of a pad: 36 to 51"),
        (SWUNG, "x.mid", {"bars": "0"}, "A pattern has 1 to 64 bars, not 0."),
        (SWUNG, "", {}, "Choose a MIDI file first."),
        (b"MThd" + bytes(300_000), "x.mid", {}, "The MIDI file has more than 256 KB."),
    ],
)
def test_midi_files_without_a_pattern_are_refused(
    as_owner: Browser, kit: Kit, data: bytes, name: str, form: Any, words: str
) -> None:
    assert words in keep_midi(as_owner, kit, data, name, **form)
    assert load_state(kit).patterns == {}


def test_what_a_midi_file_has_beyond_a_pattern_is_said(as_owner: Browser, kit: Kit) -> None:
    page = keep_midi(as_owner, kit, midi_file((0, 36), (24, 60)))
    assert "Left out: 1 note with a number or channel that no pad of the unit has." in page


def test_patterns_go_along_with_a_copy_and_with_kit_json(owner: User, script: ApiScript, kit: Kit) -> None:
    made = pattern_edits.make_pattern(compose_pattern([PatternNote(7, "C3", semitones=2)], 3, "3/4"), "Odd")
    history.change_kit(kit, "Keep", pattern_edits.keep_pattern("J16", made))
    assert load_state(kit_list.copy_kit(owner, kit)).patterns == {"J16": made}
    document = script.get(f"/api/kits/{kit.id}").get_json()
    assert document["patterns"] == {"J16": {"name": "Odd", "ptn": made.ptn}}
    again = script.call("POST", "/api/kits", json=document)
    assert again.get_json()["patterns"] == document["patterns"]


def test_the_api_takes_midi_files_and_beats(script: ApiScript, kit: Kit) -> None:
    path = f"/api/kits/{kit.id}/patterns/C4"
    sent = {"midi": base64.b64encode(SWUNG).decode(), "bank": "C", "name": "Dusty", "revision": kit.revision}
    answer = script.call("PUT", path, json=sent)
    told = answer.get_json()
    assert (answer.status_code, told["bars"], told["bpm"], told["left_out"]) == (200, 1, 92.0, [])
    assert told["kit"]["patterns"]["C4"]["name"] == "Dusty"
    assert script.call("PUT", path, json=sent).status_code == 409
    beat = script.call("PUT", path, json={"beat": json.loads(BEAT.model_dump_json()), "bars": 8}).get_json()
    assert beat["kit"]["patterns"]["C4"]["ptn"] == pack_pattern(pattern_of_beat(BEAT, 8).to_bytes())
    assert script.call("DELETE", path).get_json().get("patterns") is None
    assert script.call("DELETE", path).status_code == 404
    assert "patterns" not in kit_document(kit).model_dump()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "Send `midi` or `beat`, and not both."),
        ({"midi": "AA==", "beat": {"steps": {}}}, "Send `midi` or `beat`, and not both."),
        ({"midi": "no!"}, "`midi` is no Base64."),
        ({"midi": "TVRoZA=="}, "The MIDI file is damaged"),
        ({"beat": {"steps": {}}}, "The beat has no step yet."),
    ],
)
def test_the_api_says_what_is_wrong_with_a_pattern(
    script: ApiScript, kit: Kit, body: Any, words: str
) -> None:
    answer = script.call("PUT", f"/api/kits/{kit.id}/patterns/A1", json=body)
    assert answer.status_code == 422
    assert words in answer.get_json()["detail"]


def test_as_many_patterns_as_places_fit_a_kit_and_not_more_bytes(owner: User) -> None:
    longest = compose_pattern([PatternNote(tick % 1_920, "A1") for tick in range(32_000)], 1)
    made = pattern_edits.make_pattern(longest)
    state = KitState("Dense").with_patterns({f"A{number}": made for number in range(1, 16)})
    kit = kit_list.create_kit(owner, state)
    assert history.change_kit(kit, "Keep", pattern_edits.keep_pattern("A16", made))
    with pytest.raises(Exception, match="at most 4 MB together"):
        history.change_kit(kit, "Keep", pattern_edits.keep_pattern("B1", made))
