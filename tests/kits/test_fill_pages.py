"""The forms and the API that fill, shuffle, fit, swap and explain; each also for a stranger."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.kits import kit_list
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState
from app.models import Kit, User
from app.music.sound_classes import LOOP, ONE_SHOT
from tests.kits.fill_stock import shelve_library, shelve_sound, vector_at
from tests.kits.stock import held_ids, kit_of
from tests.support import ApiScript, Browser

SENTENCE = "dusty boom bap kit around 93 in A minor"


@pytest.fixture
def kit(owner: User) -> Kit:
    shelve_library(owner, 3)
    return kit_list.create_kit(owner, KitState("Dusty kit"))


def post(browser: Browser, kit: Kit, end: str, **form: Any) -> Any:
    return browser.post(f"/kits/{kit.id}/{end}", revision=kit.revision, **form)


def test_the_page_fills_shuffles_fits_and_explains(as_owner: Browser, kit: Kit) -> None:
    shown = as_owner.get(f"/kits/{kit.id}?bank=B").text
    assert "Fill bank B" in shown
    assert "Loops in key" in shown
    answer = post(as_owner, kit, "banks/B/fill", sentence=SENTENCE)
    assert answer.headers["Location"].endswith("bank=B")
    assert "16 pads filled at 93 BPM" in as_owner.get(f"/kits/{kit.id}?bank=B").text
    first = held_ids(kit)
    post(as_owner, kit, "banks/B/shuffle")
    assert "16 pads shuffled" in as_owner.get(f"/kits/{kit.id}?bank=B").text
    assert set(held_ids(kit)) == set(first)
    post(as_owner, kit, "banks/B/fit")
    assert "100 → 93 BPM" in as_owner.get(f"/kits/{kit.id}?bank=B").text
    why = as_owner.get(f"/kits/{kit.id}/banks/B/why").text
    assert "The sounds fit together by" in why
    assert "Surely a kick (90 %)" in why


def test_a_form_that_asks_for_nothing_is_told_so(as_owner: Browser, kit: Kit) -> None:
    post(as_owner, kit, "banks/A/fill", recipe="polka")
    assert "Choose a recipe" in as_owner.get(f"/kits/{kit.id}").text
    post(as_owner, kit, "banks/A/shuffle")
    assert "no pad to fill" in as_owner.get(f"/kits/{kit.id}").text
    assert "holds no sounds" in as_owner.get(f"/kits/{kit.id}/banks/A/why").text


def test_where_the_library_lacks_sounds_the_demo_sounds_are_offered(as_owner: Browser, owner: User) -> None:
    kit = kit_list.create_kit(owner, KitState("Dusty kit"))
    sent = {"revision": kit.revision, "recipe": "mpc"}
    refused = as_owner.post(f"/kits/{kit.id}/banks/A/fill", {"HX-Request": "true"}, **sent)
    assert refused.status_code == 422
    assert "no other sound" in refused.text
    assert "/upload/demo-sounds" in refused.text
    shelve_sound(owner, "Kick", ONE_SHOT, "kick", similarity=vector_at(1.0))
    post(as_owner, kit, "banks/A/fill", recipe="mpc")
    page = as_owner.get(f"/kits/{kit.id}").text
    assert "Your library has nothing more for" in page
    assert "Add the demo sounds" in page
    assert "Add the demo sounds" not in as_owner.get(f"/kits/{kit.id}").text


def test_an_outdated_page_is_refused(as_owner: Browser, kit: Kit) -> None:
    answer = as_owner.post(f"/kits/{kit.id}/banks/A/fill", revision=kit.revision + 1, recipe="mpc")
    assert answer.status_code == 409
    assert held_ids(kit) == {}


def test_the_panel_of_a_pad_swaps_its_sound(as_owner: Browser, owner: User, kit: Kit) -> None:
    post(as_owner, kit, "banks/A/fill", recipe="boom-bap")
    before = held_ids(kit)["A1"]
    assert "Next alike" in as_owner.get(f"/kits/{kit.id}/pads/A1").text
    assert post(as_owner, kit, "pads/A1/swap", to="next").status_code == 303
    assert held_ids(kit)["A1"] != before
    post(as_owner, kit, "pads/A1/swap", to="previous")
    assert held_ids(kit)["A1"] == before
    post(as_owner, kit, "pads/A1/swap", to="brighter")
    assert "clearly brighter" in as_owner.get(f"/kits/{kit.id}/pads/A1").text


def test_the_api_fills_and_explains_and_swaps(script: ApiScript, kit: Kit) -> None:
    path = f"/api/kits/{kit.id}"
    answer = script.call("POST", f"{path}/fill", json={"bank": "C", "recipe": "mpc", "seed": 4})
    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    assert (body["recipe"], body["filled"]["C13"], body["missing"]) == ("mpc", "kick", {})
    assert len(body["kit"]["pads"]) == 16
    again = script.call("POST", f"{path}/fill", json={"bank": "C", "recipe": "mpc", "seed": 4}).get_json()
    assert again["kit"]["pads"] == body["kit"]["pads"]
    why = script.get(f"{path}/why?bank=C").get_json()
    assert (len(why["pads"]), why["pads"][0]["pad"]) == (16, "C1")
    assert 0 <= why["fit"] <= 100
    assert why["weakest"] in body["filled"]
    swapped = script.call("POST", f"{path}/pads/C13/swap", json={}).get_json()
    assert swapped["pads"]["C13"]["sample"] != body["kit"]["pads"]["C13"]["sample"]
    shuffled = script.call("POST", f"{path}/shuffle", json={"bank": "C", "seed": 9}).get_json()
    assert (shuffled["recipe"], len(shuffled["filled"])) == ("", 16)
    fitted = script.call("POST", f"{path}/fit", json={"bank": "C"}).get_json()
    assert any("→ 90 BPM" in step for steps in fitted["done"].values() for step in steps)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "one of them"),
        ({"recipe": "mpc", "sentence": "dusty"}, "one of them"),
        ({"recipe": "polka"}, "boom-bap"),
        ({"recipe": "mpc", "bank": "K"}, "bank"),
        ({"recipe": "mpc", "seed": -1}, "seed"),
    ],
)
def test_the_api_refuses_what_makes_no_sense(
    script: ApiScript, kit: Kit, body: dict[str, Any], words: str
) -> None:
    answer = script.call("POST", f"/api/kits/{kit.id}/fill", json=body)
    assert answer.status_code == 422
    assert words in answer.text


def test_the_api_says_why_nothing_was_done(script: ApiScript, owner: User, kit: Kit) -> None:
    empty = script.call("POST", f"/api/kits/{kit.id}/pads/A1/swap", json={"to": "darker"})
    assert (empty.status_code, "empty" in empty.get_json()["detail"]) == (422, True)
    assert script.call("POST", f"/api/kits/{kit.id}/pads/K1/swap", json={}).status_code == 404
    old = script.call("POST", f"/api/kits/{kit.id}/fill", json={"recipe": "mpc", "revision": 99})
    assert old.status_code == 409


def test_a_stranger_gets_404(as_stranger: Browser, app: Flask, stranger: User, kit: Kit) -> None:
    script = ApiScript(app, stranger)
    for end, body in (
        ("fill", {"recipe": "mpc"}),
        ("shuffle", {"seed": 1}),
        ("fit", {}),
        ("pads/A1/swap", {}),
    ):
        assert script.call("POST", f"/api/kits/{kit.id}/{end}", json=body).status_code == 404
    assert script.get(f"/api/kits/{kit.id}/why").status_code == 404
    for end in ("banks/A/fill", "banks/A/shuffle", "banks/A/fit", "pads/A1/swap"):
        assert post(as_stranger, kit, end, recipe="mpc").status_code == 404
    assert as_stranger.get(f"/kits/{kit.id}/banks/A/why").status_code == 404


def test_the_weakest_pad_is_offered_a_better_sound(as_owner: Browser, owner: User, script: ApiScript) -> None:
    same = {"key": "A minor", "bpm": 100.0}
    drums = shelve_sound(owner, "Drums", LOOP, "drums", bpm=100.0, similarity=vector_at(1.0, 1))
    bass = shelve_sound(owner, "Bass", LOOP, "bass", similarity=vector_at(1.0, 2), **same)
    off = shelve_sound(owner, "Off", LOOP, "chords", key="D# major", bpm=142.0, similarity=vector_at(1.0, 3))
    on = shelve_sound(owner, "On", LOOP, "chords", similarity=vector_at(5.0, 3), **same)
    kick = shelve_sound(owner, "Kick", ONE_SHOT, "kick", similarity=vector_at(1.0, 4))
    kit = kit_of(owner, A1=drums, A2=bass, A3=off, A4=kick)
    why = script.get(f"/api/kits/{kit.id}/why").get_json()
    assert (why["weakest"], why["better"]["name"], why["better"]["sample_id"]) == ("A3", "On", on.id)
    page = as_owner.get(f"/kits/{kit.id}/banks/A/why").text
    assert "Place it on A3" in page
    post(as_owner, kit, "pads/A3/place", sample=on.id)
    assert load_state(kit).pad("A3").sample_id == on.id
    assert script.get(f"/api/kits/{kit.id}/why").get_json()["fit"] > why["fit"]
