"""Several pads are changed at once, and each time one step undoes it."""

from __future__ import annotations

from typing import Any

import pytest

from app.extensions import db
from app.kits import history, pad_edits
from app.kits.kit_rows import load_state
from app.models import Kit, Sample, User
from tests.kits.stock import kit_of
from tests.support import Browser


@pytest.fixture
def kit(owner: User, samples: list[Sample]) -> Kit:
    return kit_of(owner, A1=samples[0], A3=samples[1], A5=samples[2])


def change(browser: Browser, kit: Kit, do: str, *pads: str, **form: Any) -> Any:
    db.session.refresh(kit)
    answer = browser.post(f"/kits/{kit.id}/banks/A/pads", revision=kit.revision, do=do, pad=[*pads], **form)
    db.session.refresh(kit)
    return answer


@pytest.mark.parametrize(
    ("do", "form", "expected", "said"),
    [
        ("level", {"level": "80"}, {"level": 80}, "A1, A3 are now set to level 80."),
        ("mute_group", {"mute_group": "3"}, {"mute_group": 3}, "Set the mute group of A1, A3."),
        (
            "play",
            {"play": "one-shot"},
            {"one_shot": True, "gate": False, "loop": False},
            "A1, A3 are now set to one-shot.",
        ),
        (
            "play",
            {"play": "loop"},
            {"one_shot": False, "gate": False, "loop": True},
            "A1, A3 are now set to loop.",
        ),
    ],
)
def test_settings_of_those_that_hold_a_sound(
    as_owner: Browser, kit: Kit, do: str, form: dict[str, str], expected: dict[str, Any], said: str
) -> None:
    before = load_state(kit)
    assert change(as_owner, kit, do, "A1", "A2", "A3", **form).headers["Location"] == f"/kits/{kit.id}"
    page = as_owner.get(f"/kits/{kit.id}").text
    assert said in page
    after = load_state(kit)
    for pad in ("A1", "A3"):
        assert {name: getattr(after.pad(pad).settings, name) for name in expected} == expected
    assert (after.pad("A2"), after.pad("A5")) == (before.pad("A2"), before.pad("A5"))
    history.undo_change(kit)
    assert load_state(kit) == before


def test_lock_unlock_clear_and_fit(as_owner: Browser, kit: Kit) -> None:
    history.change_kit(kit, "Faster", pad_edits.change_values(tempo=10_000))
    before = load_state(kit)
    change(as_owner, kit, "lock", "A1", "A2")
    assert [name for name, pad in load_state(kit).pads.items() if pad.locked] == ["A1", "A2"]
    change(as_owner, kit, "unlock", "A1", "A2")
    assert load_state(kit) == before
    change(as_owner, kit, "fit", "A3")
    fitted = load_state(kit)
    assert fitted.pad("A3").settings.bpm == 100
    assert fitted.pad("A1") == before.pad("A1"), "only the selected pads are fitted"
    change(as_owner, kit, "clear", "A1", "A5", "B1")
    assert set(load_state(kit).pads) == {"A3"}
    assert history.undo_change(kit) == "Clear A1, A5"
    assert load_state(kit) == fitted


def test_what_can_not_be_done_is_said(as_owner: Browser, kit: Kit) -> None:
    before = load_state(kit)
    change(as_owner, kit, "clear")
    assert "Select some pads first." in as_owner.get(f"/kits/{kit.id}").text
    change(as_owner, kit, "level", "A1", level="128")
    assert "Level is a whole number from 0 to 127." in as_owner.get(f"/kits/{kit.id}").text
    assert change(as_owner, kit, "dance", "A1").status_code == 400
    assert change(as_owner, kit, "play", "A1", play="dance").status_code == 400
    change(as_owner, kit, "play", "A2", play="loop")
    assert "These pads are empty. Place samples on them first." in as_owner.get(f"/kits/{kit.id}").text
    late = as_owner.post(f"/kits/{kit.id}/banks/A/pads", revision=0, do="clear", pad="A1")
    assert late.status_code == 409
    assert load_state(kit) == before
