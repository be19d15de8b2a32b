"""The pages of kits, without JavaScript: list, grid, panel of a pad, and adding from the library."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.extensions import db
from app.kits import history, kit_list, pad_edits
from app.kits.kit_rows import load_state
from app.library import trash
from app.models import Kit, Sample, User
from app.models.base import transaction
from app.sp404.pad_settings import PadSettings
from tests.kits.stock import held_ids, post_pad
from tests.support import Browser


def shown_form(page: str) -> dict[str, str]:
    """Return what a browser would send of a pad's form as it is shown."""
    form = page[page.index('class="stack settings"') :].partition("</form>")[0]
    sent = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if attributes["type"] != "checkbox" or " checked" in tag:
            sent[attributes["name"]] = attributes.get("value", "")
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option selected[^>]*value="([^"]*)"', options)
        assert chosen is not None, name
        sent[name] = chosen[1]
    return sent


def test_the_list_teaches_and_then_lists(as_owner: Browser, owner: User) -> None:
    assert "No kits yet" in as_owner.get("/kits").text
    answer = as_owner.post("/kits", name="Dusty kit", tempo="92.5", tempo_source="project")
    assert answer.status_code == 303
    kit = db.session.scalars(select(Kit)).one()
    assert (kit.name, kit.tempo, answer.headers["Location"]) == ("Dusty kit", 9_250, f"/kits/{kit.id}")
    page = as_owner.get("/kits").text
    assert "Dusty kit" in page
    assert "92.50" in page
    assert "This kit is empty" in as_owner.get(f"/kits/{kit.id}").text


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"name": "", "tempo": "90"}, "Give the kit a name."),
        ({"name": "Größer Kit", "tempo": "90"}, "“Grosser Kit” works."),
        ({"name": "x" * 33, "tempo": "90"}, "The unit can&#39;t show this name."),
        ({"name": "a", "tempo": "39"}, "Enter a tempo from 40 to 200 BPM"),
        ({"name": "a", "tempo": "92.555"}, "Enter a tempo from 40 to 200 BPM"),
        ({"name": "a", "tempo": "sNaN"}, "Enter a tempo from 40 to 200 BPM"),
        ({"name": "a", "tempo": "x"}, "Not a valid decimal value"),
    ],
)
def test_a_kit_that_the_unit_can_not_hold_is_refused(
    as_owner: Browser, form: dict[str, str], sentence: str
) -> None:
    answer = as_owner.post("/kits", tempo_source="project", **form)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert db.session.scalar(select(Kit)) is None


def test_the_grid_has_pad_one_first_and_says_what_is_on_it(as_owner: Browser, kit: Kit) -> None:
    page = as_owner.get(f"/kits/{kit.id}").text
    assert re.findall(r'data-pad="(\w+)"', page) == [f"A{number}" for number in range(1, 17)]
    first = page[page.index('id="pad-A1"') : page.index('id="pad-A2"')]
    for shown in ('class="pad loop"', "Sound 1", "in sync with the tempo", "90"):
        assert shown in page[page.index('class="pad loop"') : page.index('id="pad-A2"')], shown
    assert "loop" in first
    assert re.search(
        r'aria-current="page"\s+class="filled">\s+<span class="visually-hidden">Bank</span> A', page
    )
    second = as_owner.get(f"/kits/{kit.id}?bank=B").text
    assert re.findall(r'data-pad="(\w+)"', second)[0] == "B1"
    assert as_owner.get(f"/kits/{kit.id}?bank=K").status_code == 404


def test_every_setting_is_in_the_form_and_saving_it_unchanged_changes_nothing(
    as_owner: Browser, kit: Kit
) -> None:
    page = as_owner.get(f"/kits/{kit.id}/pads/A1").text
    sent = shown_form(page)
    names = PadSettings.model_fields.keys() - {"version", "recipe", "kept"}
    assert {*re.findall(r'name="pad-(\w+)"', page)} == names
    before, revision = load_state(kit), kit.revision
    assert as_owner.post(f"/kits/{kit.id}/pads/A1", **sent).status_code == 303
    db.session.refresh(kit)
    assert (load_state(kit), kit.revision) == (before, revision)


def test_settings_are_saved_as_the_unit_keeps_them(as_owner: Browser, kit: Kit) -> None:
    sent = shown_form(as_owner.get(f"/kits/{kit.id}/pads/A1").text)
    sent |= {"pad-level": "90", "pad-speed": "74.07", "pad-mute_group": "2", "pad-chops": "0, 4000;8000"}
    sent |= {"pad-roll": "3/8", "pad-end": "48000", "pad-name": " Break "}
    sent["pad-one_shot"] = "y"  # beside gate and loop, which the unit turns off then
    assert as_owner.post(f"/kits/{kit.id}/pads/A1", **sent).status_code == 303
    found = load_state(kit).pad("A1").settings
    assert (found.level, found.speed, found.mute_group, found.chops) == (90, 74.07, 2, (0, 4_000, 8_000))
    assert (found.roll, found.end, found.name) == ("3/8", 48_000, "Break")
    assert (found.one_shot, found.gate, found.loop) == (True, False, False)
    sent = shown_form(as_owner.get(f"/kits/{kit.id}/pads/A1").text)
    assert as_owner.post(f"/kits/{kit.id}/pads/A1", **(sent | {"pad-end": ""})).status_code == 303
    assert load_state(kit).pad("A1").settings.end is None


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("level", "128", "Level is a whole number from 0 to 127."),
        ("level", "x", "Not a valid integer value."),
        ("bpm", "92.555", "BPM is 40 to 200"),
        ("bpm", "NaN", "BPM is 40 to 200"),
        ("bpm", "sNaN", "BPM is 40 to 200"),
        ("speed", "1e400", "Speed is 50 to 150 %"),
        ("chops", "5, 9", "Chops are at most 16 frames"),
        ("chops", "0, x", "Chops are at most 16 frames"),
        ("name", "Loop #1", "Name has at most 23 characters"),
        ("roll", "1/3", "Not a valid choice."),
        ("start", "99999999999", "Start is a whole number of frames"),
    ],
)
def test_what_a_pad_can_not_be_set_to_is_refused(
    as_owner: Browser, kit: Kit, name: str, value: str, sentence: str
) -> None:
    sent = shown_form(as_owner.get(f"/kits/{kit.id}/pads/A1").text)
    answer = as_owner.post(f"/kits/{kit.id}/pads/A1", **(sent | {f"pad-{name}": value}))
    assert answer.status_code == 422
    assert sentence in answer.text


def test_a_sound_is_searched_for_and_placed(as_owner: Browser, kit: Kit, samples: list[Sample]) -> None:
    page = as_owner.get(f"/kits/{kit.id}/pads/B3").text
    assert page.count(">Place<") == 3
    found = as_owner.get(f"/kits/{kit.id}/pads/B3?ask=Sound+2").text
    assert f'value="{samples[1].id}"' in found
    answer = post_pad(as_owner, kit, "/place", "B3", sample=samples[1].id)
    assert answer.headers["Location"] == f"/kits/{kit.id}/pads/B3"
    assert held_ids(kit) == {"A1": samples[0].id, "B3": samples[1].id}


def test_pads_are_exchanged_copied_locked_and_cleared(
    as_owner: Browser, kit: Kit, samples: list[Sample]
) -> None:
    sound = samples[0].id
    for end, form, expected in (
        ("/copy", {"to": "C2"}, {"A1": sound, "C2": sound}),
        ("/exchange", {"to": "A2"}, {"A2": sound, "C2": sound}),
        ("/lock", {}, {"A1": None, "A2": sound, "C2": sound}),
        ("/lock", {}, {"A2": sound, "C2": sound}),
    ):
        assert post_pad(as_owner, kit, end, **form).status_code == 303
        db.session.refresh(kit)
        assert held_ids(kit) == expected
    assert post_pad(as_owner, kit, "/clear", "A2").status_code == 303
    assert held_ids(kit) == {"C2": sound}
    db.session.refresh(kit)
    assert post_pad(as_owner, kit, "/copy", "A2", to="A3").status_code == 303
    assert "Pad A2 is empty" in as_owner.get(f"/kits/{kit.id}").text


def test_undo_and_redo_say_what_they_do(as_owner: Browser, kit: Kit, samples: list[Sample]) -> None:
    page = as_owner.get(f"/kits/{kit.id}").text
    assert 'aria-label="Undo: Place on A1"' in page
    answer = as_owner.post(f"/kits/{kit.id}/undo", revision=kit.revision, bank="B")
    assert answer.headers["Location"] == f"/kits/{kit.id}?bank=B"
    assert held_ids(kit) == {}
    page = as_owner.get(f"/kits/{kit.id}").text
    assert "Undone: Place on A1." in page
    assert 'aria-label="Redo: Place on A1"' in page
    db.session.refresh(kit)
    as_owner.post(f"/kits/{kit.id}/redo", revision=kit.revision)
    assert held_ids(kit) == {"A1": samples[0].id}


def test_the_bank_stays_open_after_saving_undo_and_refusals(as_owner: Browser, kit: Kit) -> None:
    page = as_owner.get(f"/kits/{kit.id}?bank=C").text
    for end in ("", "/undo"):
        form = page[page.index(f'action="/kits/{kit.id}{end}"') :].partition("</form>")[0]
        assert 'name="bank" value="C"' in form, end
        values = {"name": "Other", "tempo": "90", "tempo_source": "project"}
        db.session.refresh(kit)
        sent = values | {"bank": "C", "revision": kit.revision}
        answer = as_owner.post(f"/kits/{kit.id}{end}", **sent)
        assert answer.headers["Location"] == f"/kits/{kit.id}?bank=C", end
        late = as_owner.post(f"/kits/{kit.id}{end}", **(sent | {"revision": 0}))
        assert (late.status_code, 'data-bank="C"' in late.text) == (409, True), end
    refused = as_owner.post(f"/kits/{kit.id}", name="", tempo="90", tempo_source="project", bank="C")
    assert (refused.status_code, 'data-bank="C"' in refused.text) == (422, True)
    assert as_owner.post(f"/kits/{kit.id}/undo", revision=kit.revision, bank="K").status_code == 404


def test_a_deleted_sample_is_a_gap_on_the_page(as_owner: Browser, kit: Kit, samples: list[Sample]) -> None:
    trash.delete_sample(samples[0])
    page = as_owner.get(f"/kits/{kit.id}/pads/A1").text
    assert 'class="pad gap"' in page
    assert "is not in your library any more" in page
    db.session.refresh(samples[0])
    trash.restore_sample(samples[0])
    assert 'class="pad loop"' in as_owner.get(f"/kits/{kit.id}").text


def test_a_new_tempo_of_the_sample_is_offered_not_taken(
    as_owner: Browser, kit: Kit, samples: list[Sample]
) -> None:
    with transaction():
        samples[0].correct(bpm=101.5)
    page = as_owner.get(f"/kits/{kit.id}/pads/A1").text
    assert "Use the new tempo" in page
    assert load_state(kit).pad("A1").settings.bpm == 90.0
    assert post_pad(as_owner, kit, "/tempo").status_code == 303
    assert load_state(kit).pad("A1").settings.bpm == 101.5
    assert "Use the new tempo" not in as_owner.get(f"/kits/{kit.id}/pads/A1").text
    fitted = {"bpm": 90.0, "recipe": {"bpm": 90.0, "from_bpm": 101.5}}
    history.change_kit(kit, "Fit", pad_edits.change_settings("A1", fitted))
    assert "Use the new tempo" not in as_owner.get(f"/kits/{kit.id}/pads/A1").text


def test_banks_are_set_and_copied(as_owner: Browser, kit: Kit, samples: list[Sample]) -> None:
    form = {"bank-tempo": "80.25", "bank-volume": "100", "bank-protect": "y", "revision": kit.revision}
    assert as_owner.post(f"/kits/{kit.id}/banks/A", **form).status_code == 303
    db.session.refresh(kit)
    answer = as_owner.post(f"/kits/{kit.id}/banks/A/copy", revision=kit.revision, to="J")
    assert answer.headers["Location"] == f"/kits/{kit.id}?bank=J"
    state = load_state(kit)
    assert (state.bank("J").tempo, state.bank("J").volume, state.bank("J").protect) == (8_025, 100, True)
    assert state.pad("J1").sample_id == samples[0].id
    form |= {"bank-volume": "128"}
    assert as_owner.post(f"/kits/{kit.id}/banks/A", **form).status_code == 422


def test_a_deleted_kit_can_be_brought_back(as_owner: Browser, kit: Kit, samples: list[Sample]) -> None:
    as_owner.post(f"/kits/{kit.id}/delete")
    page = as_owner.get("/kits").text
    assert f"/kits/{kit.id}/restore" in page
    assert as_owner.get(f"/kits/{kit.id}").status_code == 404
    as_owner.post(f"/kits/{kit.id}/restore")
    assert held_ids(kit) == {"A1": samples[0].id}
    assert as_owner.get(f"/kits/{kit.id}").status_code == 200


def test_deleted_kits_are_removed_after_the_time_to_undo(owner: User, kit: Kit) -> None:
    kit_list.delete_kit(kit)
    kit_list.purge_deleted_kits()
    assert db.session.get(Kit, kit.id) is not None
    with transaction():
        assert kit.deleted_at is not None
        kit.deleted_at -= kit_list.UNDO_PERIOD
    kit_list.purge_deleted_kits()
    assert db.session.scalar(select(Kit)) is None
