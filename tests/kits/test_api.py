"""The API of kits: `kit.json` out and in, pads, copies, undo and redo, and conflicts."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.extensions import db
from app.kits import history, kit_list
from app.models import Kit, Sample, User
from app.models.base import transaction
from app.sp404.kit_document import read_kit
from tests.kits.stock import held_ids, some_samples
from tests.support import ApiScript


@pytest.fixture
def samples(owner: User) -> list[Sample]:
    return some_samples(owner)


@pytest.fixture
def kit(script: ApiScript) -> dict[str, Any]:
    answer = script.call("POST", "/api/kits", json={"name": "Dusty kit", "tempo": 92.5})
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def put(script: ApiScript, kit: dict[str, Any], pad: str, sample: Sample, **more: Any) -> Any:
    return script.call("PUT", f"/api/kits/{kit['id']}/pads/{pad}", json={"sample": {"id": sample.id}} | more)


def test_a_new_kit_is_listed_and_shown(script: ApiScript, kit: dict[str, Any]) -> None:
    (listed,) = script.get("/api/kits").get_json()["kits"]
    assert (listed["name"], listed["tempo"], listed["pads"], listed["revision"]) == ("Dusty kit", 92.5, 0, 1)
    shown = script.get(f"/api/kits/{kit['id']}")
    assert shown.get_json() == kit
    assert read_kit(shown.data).name == "Dusty kit"


def test_a_sample_gets_the_settings_that_suit_it(
    script: ApiScript, kit: dict[str, Any], samples: list[Sample]
) -> None:
    pad = put(script, kit, "C5", samples[0]).get_json()["pads"]["C5"]
    assert pad["sample"] == {"id": samples[0].id, "sha256": None, "name": "Sound 1"}
    assert (pad["settings"]["loop"], pad["settings"]["bpm_sync"]) == (True, True)
    exact = put(script, kit, "C5", samples[0], settings={"level": 90}, locked=True).get_json()["pads"]["C5"]
    assert (exact["settings"]["level"], exact["settings"]["loop"], exact["locked"]) == (90, False, True)


def test_a_kit_sent_back_makes_the_same_kit(
    script: ApiScript, kit: dict[str, Any], samples: list[Sample]
) -> None:
    put(script, kit, "A1", samples[0], settings={"chops": [0, 4_000], "recipe": {"reverse": True}})
    put(script, kit, "J16", samples[1])
    script.call("PATCH", f"/api/kits/{kit['id']}", json={"banks": {"J": {"tempo": 80.25, "protect": True}}})
    document = script.get(f"/api/kits/{kit['id']}").get_json()
    again = script.call("POST", "/api/kits", json=document).get_json()
    assert again["id"] != document["id"]
    same = {"id": None, "revision": None}
    assert again | same == document | same


def test_chosen_samples_are_laid_out(script: ApiScript, samples: list[Sample]) -> None:
    with transaction():
        samples[1].filename = "C05 snare.wav"
    ids = [sample.id for sample in samples]
    made = script.call("POST", "/api/kits", json={"name": "Chosen", "samples": ids}).get_json()
    assert {pad: held["sample"]["id"] for pad, held in made["pads"].items()} == {
        "A1": ids[0], "A2": ids[2], "C5": ids[1],
    }  # fmt: skip
    values = {
        "tempo": 92.5, "tempo_source": "bank", "notes": "for the live set", "kept": "00ff",
        "banks": {"C": {"tempo": 80.25, "volume": 90, "protect": True}},
    }  # fmt: skip
    turned = {"name": "Chosen", "samples": ids[::-1]}
    whole = script.call("POST", "/api/kits", json=turned | values).get_json()
    assert [whole["pads"][pad]["sample"]["id"] for pad in ("A1", "A2")] == [ids[2], ids[0]]
    assert {name: whole[name] for name in values} == values
    assert (whole["name"], whole["pads"].keys()) == ("Chosen 2", made["pads"].keys())
    refused = script.call("POST", "/api/kits", json={"name": "a", "samples": ids, "pads": {"A1": {}}})
    assert refused.status_code == 422


def test_a_kit_too_large_to_be_changed_is_not_created_either(
    script: ApiScript, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MAX_KIT_CHARACTERS", 2_000)
    recipe = {"onsets": [number / 100 for number in range(1_000)]}
    pads = {"A1": {"sample": {"id": samples[0].id}, "settings": {"recipe": recipe}}}
    answer = script.call("POST", "/api/kits", json={"name": "Slices", "pads": pads})
    assert answer.status_code == 422
    assert "Use fewer slices" in answer.get_json()["detail"]
    assert script.get("/api/kits").get_json()["kits"] == []


def test_pads_and_banks_are_copied_and_exchanged(
    script: ApiScript, kit: dict[str, Any], samples: list[Sample]
) -> None:
    path = f"/api/kits/{kit['id']}"
    put(script, kit, "A1", samples[0])
    put(script, kit, "A2", samples[1])
    assert script.call("POST", f"{path}/pads/A1/copy", json={"to": "B3"}).status_code == 200
    assert script.call("POST", f"{path}/pads/A1/exchange", json={"to": "A2"}).status_code == 200
    answer = script.call("POST", f"{path}/banks/A/copy", json={"to": "D"}).get_json()
    first, second = samples[0].id, samples[1].id
    held = {pad: each["sample"]["id"] for pad, each in answer["pads"].items()}
    assert held == {"A1": second, "A2": first, "B3": first, "D1": second, "D2": first}
    assert script.call("DELETE", f"{path}/pads/A1").get_json()["pads"].keys() == held.keys() - {"A1"}
    copied = script.call("POST", f"{path}/copy").get_json()
    assert (copied["name"], copied["pads"].keys()) == ("Dusty kit 2", held.keys() - {"A1"})


def test_changes_are_undone_and_redone(script: ApiScript, kit: dict[str, Any], samples: list[Sample]) -> None:
    path = f"/api/kits/{kit['id']}"
    put(script, kit, "A1", samples[0])
    assert script.call("POST", f"{path}/undo").get_json()["pads"] == {}
    assert script.call("POST", f"{path}/undo").status_code == 409
    assert script.call("POST", f"{path}/redo").get_json()["pads"].keys() == {"A1"}
    assert script.call("POST", f"{path}/redo").status_code == 409


def test_a_change_for_an_older_revision_is_refused(
    script: ApiScript, kit: dict[str, Any], samples: list[Sample]
) -> None:
    put(script, kit, "A1", samples[0], revision=1)
    late = put(script, kit, "A1", samples[1], revision=1)
    assert late.status_code == 409
    assert "changed in another window" in late.get_json()["detail"]
    path = f"/api/kits/{kit['id']}"
    for method, end in (("DELETE", "/pads/A1"), ("POST", "/undo"), ("POST", "/redo")):
        assert script.call(method, f"{path}{end}?revision=1").status_code == 409
    assert script.call("PATCH", path, json={"name": "a", "revision": 1}).status_code == 409
    assert held_ids(db.session.get_one(Kit, kit["id"])) == {"A1": samples[0].id}


def test_what_the_unit_can_not_hold_is_refused(
    script: ApiScript, kit: dict[str, Any], samples: list[Sample]
) -> None:
    answer = put(script, kit, "A1", samples[0], settings={"level": 128})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "settings.level"
    answer = put(script, kit, "A1", samples[0], settings={"one_shot": True})
    assert answer.get_json()["errors"][0]["message"] == "A one-shot pad has neither gate nor loop."
    for name in ("", "x" * 33, "Größer"):
        assert script.call("PATCH", f"/api/kits/{kit['id']}", json={"name": name}).status_code == 422
    assert put(script, kit, "A17", samples[0]).status_code == 404
    copied = script.call("POST", f"/api/kits/{kit['id']}/pads/A1/copy", json={"to": "A2"})
    assert (copied.status_code, copied.get_json()["detail"]) == (
        422, "Pad A1 is empty. Place a sample on it first.",
    )  # fmt: skip


def test_a_strangers_sample_goes_on_no_pad(
    app: Flask, script: ApiScript, kit: dict[str, Any], stranger: User
) -> None:
    theirs = some_samples(stranger, 1)[0]
    with transaction():
        theirs.content_sha256 = "ab" * 32
    answer = put(script, kit, "A1", theirs)
    assert (answer.status_code, answer.get_json()["detail"]) == (
        422, "That sample is not in your library.",
    )  # fmt: skip
    reference = {"sha256": "ab" * 32}
    answer = script.call("PUT", f"/api/kits/{kit['id']}/pads/A1", json={"sample": reference})
    assert answer.status_code == 422
    assert script.call("POST", "/api/kits", json={"name": "a", "samples": [theirs.id]}).status_code == 404


def test_a_deleted_kit_is_gone(script: ApiScript, kit: dict[str, Any]) -> None:
    path = f"/api/kits/{kit['id']}"
    assert script.call("DELETE", path).status_code == 204
    assert script.call("DELETE", path).status_code == 404
    assert script.get(path).status_code == 404
    assert script.get("/api/kits").get_json()["kits"] == []


def test_there_are_at_most_two_hundred_kits(
    script: ApiScript, kit: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_list, "MAX_KITS", 1)
    for answer in (
        script.call("POST", "/api/kits", json={"name": "b"}),
        script.call("POST", f"/api/kits/{kit['id']}/copy"),
    ):
        assert answer.status_code == 409
        assert "which is the most" in answer.get_json()["detail"]


def test_reading_needs_one_permission_and_changing_another(
    app: Flask, owner: User, kit: dict[str, Any]
) -> None:
    reader, writer = ApiScript(app, owner, "kits:read"), ApiScript(app, owner, "kits:write")
    assert reader.get("/api/kits").status_code == 200
    assert writer.get("/api/kits").status_code == 403
    assert reader.call("POST", "/api/kits", json={"name": "b"}).status_code == 403
    assert writer.call("POST", "/api/kits", json={"name": "b"}).status_code == 201
