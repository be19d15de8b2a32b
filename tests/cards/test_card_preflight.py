"""What is wrong with a kit is shown before a card is made, fixed by a button, and undone like any change."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from markupsafe import escape

from app.cards import card_orders, card_preflight
from app.cards.card_preflight import CardCheck
from app.extensions import db
from app.jobs import run
from app.kits import history, kit_list, pad_edits, pattern_edits
from app.kits.kit_rows import load_state
from app.kits.kit_state import BankState, KitState
from app.models import CardExport, Job, Kit, Sample, User
from app.models.base import IS_WRITING, new_id, transaction, utcnow
from app.sp404.pad_settings import read_settings
from app.sp404.pads import PAD_NAMES
from app.sp404.preflight.findings import Finding
from app.sp404.preflight.kit_preflight import check_kit
from app.sp404.project.packed_patterns import read_packed
from app.sp404.project.pattern_notes import notes_of
from app.sp404.project.step_beats import StepBeat, pattern_of_beat
from app.upload.upload_purpose import build_sample
from tests.kits.stock import kit_of
from tests.measurements import loop_measurement
from tests.support import ApiScript, Browser, finished_job, noise, silence, wav

TARGETS = ["mk2", "import", "sx", "xpm"]
HIT: dict[str, Any] = {"kind": "one-shot", "sound": "kick", "bpm": None}
PLAIN: dict[str, Any] = {"kind": "texture", "sound": None, "bpm": None, "key": None}
# Each pad with what is wrong with it: its name, its measurement, its settings, and the code of the finding.
PADS: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "A1": ("Gone", PLAIN, {}, "sample_gone"),
    "A2": ("Long", PLAIN | {"duration_s": 1_000.0}, {}, "sample_too_long"),
    "A3": ("Unfit", PLAIN, {"recipe": {"length_s": 60.0}}, "sample_unfit"),
    "A4": ("Start", PLAIN, {"start": 200_000}, "points_past_end"),
    "A5": ("Chops", PLAIN, {"chops": [0, 50, 200_000]}, "chops_past_end"),
    "A6": ("Kept", PLAIN, {"kept": "abcd"}, "kept_unusable"),
    "A7": ("Short", HIT | {"duration_s": 0.05}, {"recipe": {"min_frames": 0}}, "too_short"),
    "A8": ("Fast", {"bpm": 250.0}, {}, "tempo_folded"),
    "A9": ("Other tempo", {"bpm": 97.3}, {}, "tempo_differs"),
    "A10": ("Stretched hit", HIT, {"bpm_sync": True}, "sync_on_hit"),
    "A11": ("Unsure", {"bpm_confidence": 0.2}, {"bpm_sync": True}, "sync_unsure"),
    "A12": ("Odd loop", {"duration_s": 2.01}, {"bpm_sync": True, "loop": True}, "not_whole_beats"),
    "B1": ("Far", {}, {"recipe": {"bpm": 40.0, "from_bpm": 90.0}, "bpm": 40.0}, "stretch_too_far"),
    "B2": ("Kïck", PLAIN, {}, "name_characters"),
    "B3": ("A kick with a name of 30 letters", PLAIN, {}, "name_length"),
    "B4": ("One", PLAIN, {"name": "Hit"}, ""),
    "B5": ("Two", PLAIN, {"name": "HIT"}, "same_name"),
    "B6": ("Three", PLAIN, {"name": "hit"}, "same_name"),
    "B7": ("Closed", HIT | {"sound": "closed hat"}, {}, ""),
    "B8": ("Open", HIT | {"sound": "open hat"}, {}, "open_hat_alone"),
    "B9": ("Kept short", HIT | {"padded_frames": 900}, {}, "silence_added"),
    "B10": ("Silence", PLAIN | {"peak_db": -120.0}, {}, "silent"),
    "B13": ("Low", PLAIN, {}, "moved_on_sx"),
    "B14": ("Trimmed", PLAIN, {"recipe": {"trim_db": -60.0}, "loop": True}, "moved_on_sx"),
    "C1": ("Slow", {}, {"bpm_sync": True}, "tempo_too_far"),
    "J1": ("Last", PLAIN, {}, "no_room_on_mpc"),
    "J2": ("Last", PLAIN, {}, "no_room_on_mpc"),
}
OTHERS = {("J2", "same_sound"), ("Kit", "kept_unusable"), ("Kit", "empty_bank"), ("Kit", "folder_name")}


def add_sample(owner: User, name: str, content: str, **measured: Any) -> Sample:
    padded_frames = measured.pop("padded_frames", 0)
    measurement = loop_measurement(**{"duration_s": 2.0, "bpm": 90.0, "key": None} | measured)
    job = Job(id=new_id(), user_id=owner.id, filename=f"{name}.wav", format="WAV", size_bytes=1)
    job.content_sha256, job.incoming_key = content, f"incoming/{job.id}"
    sample = build_sample(job, measurement, {})
    if padded_frames:
        written = {"frames": 4_900, "channels": 1, "padded_frames": padded_frames}
        sample.features.measured = sample.features.measured | {"sp404": written}
    db.session.add(sample)
    return sample


@pytest.fixture
def kit(owner: User) -> Kit:
    with transaction():
        samples = {
            pad: add_sample(owner, name, f"{number:064}", **measured)
            for number, (pad, (name, measured, *_)) in enumerate(PADS.items())
        }
        samples["J1"].content_sha256 = samples["J2"].content_sha256
    pads = {
        pad: pad_edits.pad_for_sample(samples[pad], read_settings({"version": 1} | settings))
        for pad, (_, _, settings, _) in PADS.items()
    }
    state = KitState("A kit with a name of 31 letters", tempo_source="bank").with_pads(pads)
    state = state.with_banks({"C": BankState(tempo=17_000), "J": BankState(tempo=8_000, volume=90)})
    made = kit_list.create_kit(owner, state)
    with transaction():
        samples["A1"].deleted_at = utcnow()
        made.kept = "abcd"
    return made


def checked(kit: Kit) -> CardCheck:
    return card_preflight.check_card(kit, TARGETS)


def named(check: CardCheck) -> set[tuple[str, str]]:
    return {(each.place, each.code) for each in check.findings}


def post_fix(browser: Browser, kit: Kit, wanted: str, revision: int | None = None) -> Any:
    sent = {"revision": kit.revision if revision is None else revision, "target": TARGETS, "fix": wanted}
    return browser.post(f"/kits/{kit.id}/fixes", **sent)


def test_each_finding_is_shown_and_fixed(as_owner: Browser, script: ApiScript, kit: Kit) -> None:
    check = checked(kit)
    planted = {(pad, code) for pad, (*_, code) in PADS.items() if code}
    assert named(check) == planted | OTHERS
    page = as_owner.get(f"/kits/{kit.id}/card?" + "&".join(f"target={each}" for each in TARGETS)).text
    for each in check.findings:
        assert str(escape(each.wrong)) in page, each
        assert str(escape(each.done)) in page, each
        assert each.place == "Kit" or f'href="/kits/{kit.id}/pads/{each.place}"' in page, each
    fixable = [each for each in check.findings if each.fix]
    assert len(re.findall(r'name="fix" value="(?!all)', page)) == len(fixable) >= 20
    answer = script.get(f"/api/kits/{kit.id}/preflight?targets={',%20'.join(TARGETS)}").get_json()
    assert answer == {"revision": kit.revision, "findings": [each.to_dict() for each in check.findings]}
    before = load_state(kit)
    for each in fixable:
        assert post_fix(as_owner, kit, f"{each.place} {each.code}").status_code == 303
        left = CardCheck(tuple(one for one in checked(kit).findings if one.fix))
        assert (each.place, each.code) not in named(left), each
        assert history.undo_change(kit) == "Fix for a card"
        assert load_state(kit) == before, each


def test_fix_all_leaves_no_error_and_is_undone_as_one_change(as_owner: Browser, kit: Kit) -> None:
    beat = pattern_edits.make_pattern(pattern_of_beat(StepBeat(steps={"J1": (90,) * 16}), 1), "Beat")
    history.change_kit(kit, "Keep a pattern", pattern_edits.keep_pattern("J2", beat))
    before = load_state(kit)
    told = as_owner.get(post_fix(as_owner, kit, "all").headers["Location"]).text
    assert "Fixed. A1: Clear the pad, " in told
    after = checked(kit)
    assert (after.errors, after.has_fixes) == ([], False)
    left = {"folder_name", "kept_unusable", "moved_on_sx", "same_sound", "silence_added", "silent"}
    left |= {"tempo_folded"}
    assert {each.code for each in after.findings} <= left
    state = load_state(kit)
    assert "A1" not in state.pads
    assert state.pad("D1").sample_id == before.pad("J1").sample_id
    assert {note.pad for note in notes_of(read_packed(state.patterns["D2"].ptn))} == {"D1"}
    assert (state.bank("C").tempo, state.bank("J")) == (17_000, BankState())
    assert state.bank("D") == BankState(tempo=8_000, volume=90)  # it moved with its pads
    assert post_fix(as_owner, kit, "all", revision=kit.revision - 1).status_code == 409
    assert (
        "There was nothing left to fix."
        in as_owner.get(post_fix(as_owner, kit, "all").headers["Location"]).text
    )
    history.undo_change(kit)
    assert load_state(kit) == before


def test_what_only_the_job_hears_is_shown_with_its_card_and_can_be_fixed_then(
    as_owner: Browser, owner: User
) -> None:
    off_zero = wav(0.3 * noise(0.5, 12) + 0.1)
    sample = db.session.get_one(Sample, finished_job(as_owner, "Off zero.wav", off_zero).id)
    kit = kit_of(owner, A1=sample)
    assert ("A1", "offset") not in named(checked(kit))
    card = card_orders.order_card(owner, kit, ["import"])
    run.run_next()
    found = db.session.get_one(CardExport, card.id).findings
    assert ("A1", "offset", "note") in {(each["place"], each["code"], each["degree"]) for each in found}
    page = as_owner.get(f"/kits/{kit.id}/card").text
    assert page.count("a DC offset of") == 2  # below the finished card, and before the next one
    assert post_fix(as_owner, kit, "A1 offset").status_code == 303
    assert load_state(kit).pad("A1").settings.recipe.remove_dc  # type: ignore[union-attr]  # it was fixed
    assert ("A1", "offset") not in named(checked(kit))


def test_only_what_nothing_can_fix_refuses_a_card(
    as_owner: Browser, owner: User, script: ApiScript, kit: Kit
) -> None:
    gone = kit_of(owner, A1=db.session.get_one(Sample, finished_job(as_owner, "a.wav", silence(0.5)).id))
    with transaction():
        db.session.get_one(Sample, load_state(gone).pad("A1").sample_id).deleted_at = utcnow()
    answer = as_owner.post(f"/kits/{gone.id}/exports", target="mk2")
    assert (answer.status_code, "The kit has no sounds." in answer.text) == (422, True)
    assert "disabled>Make card" in answer.text
    assert as_owner.post(f"/kits/{kit.id}/exports", target="mk2", project_number="3").status_code == 303
    refused = script.call("POST", f"/api/kits/{gone.id}/exports", json={"targets": ["mk2"]})
    assert (refused.status_code, refused.get_json()["detail"][:22]) == (
        422,
        "The kit has no sounds.",
    )


def test_choices_are_kept_and_wrong_ones_are_told(as_owner: Browser, script: ApiScript, kit: Kit) -> None:
    sent = as_owner.post(f"/kits/{kit.id}/card", target=["mk2", "sx"], project_number="7")
    page = as_owner.get(sent.headers["Location"]).text
    assert re.findall(r'id="target-(\w+)"[^>]*checked', page) == ["mk2", "sx"]
    assert "<option selected>7</option>" in page
    part = as_owner.get(f"/kits/{kit.id}/card?chosen=1", headers={"HX-Request": "true"}).text
    assert part.startswith('<section class="panel stack" id="preflight"')
    assert "Choose at least one card." in part
    assert post_fix(as_owner, kit, "A1 nonsense").status_code == 303
    assert as_owner.post(f"/kits/{kit.id}/fixes", fix="all", target="mk2").status_code == 400
    wrong = as_owner.post(f"/kits/{kit.id}/fixes", fix="all", target="floppy", revision=kit.revision)
    assert (wrong.status_code, "There is no card “floppy”" in wrong.text) == (422, True)
    answer = script.get(f"/api/kits/{kit.id}/preflight?targets=mk2,floppy")
    assert (answer.status_code, answer.get_json()["detail"]) == (
        422,
        "There is no card “floppy”. Choose from mk2, import, sx, wav, sfz, xpm, midi.",
    )


def test_fix_all_leaves_no_error_in_kits_made_by_chance(owner: User) -> None:
    """Fixes of one pad meet: what shaping makes impossible is cut or no longer shaped, and stays so."""
    chance = random.Random(404)
    lengths = (0.05, 2.0, 2.01, 400.0, 1_000.0)
    with transaction():
        samples = [
            add_sample(owner, "Loop", f"{number:064}", bpm=bpm, duration_s=chance.choice(lengths))
            for number, bpm in enumerate((None, 30.0, 90.0, 97.3, 250.0, 390.0) * 5)
        ]
    recipes: list[dict[str, Any]] = [
        {}, {"bpm": 40.0}, {"bpm": 300.0}, {"bpm": 90.0, "from_bpm": 390.0}, {"length_s": 60.0},
        {"speed": 4.0}, {"transpose": -12.0}, {"whole_beats": True}, {"start": 60_000_000},
        {"trim_db": -60.0, "bpm": 80.0},
    ]  # fmt: skip
    for _ in range(12):
        pads = {}
        for pad in PAD_NAMES[:20]:
            values: dict[str, Any] = {
                "bpm": chance.choice([40.0, 97.3, 200.0]),
                "bpm_sync": True,
                "loop": chance.random() < 0.7,
            }
            values |= chance.choice([{}, {"start": 200_000}, {"chops": [0, 100, 300_000]}])
            settings = read_settings({"version": 1, "recipe": chance.choice(recipes)} | values)
            pads[pad] = pad_edits.pad_for_sample(chance.choice(samples), settings)
        kit = kit_list.create_kit(
            owner, KitState("Chance", tempo=chance.choice([4_000, 20_000])).with_pads(pads)
        )
        assert checked(kit).errors
        card_preflight.fix_everything(kit, TARGETS, kit.revision)
        assert checked(kit).errors == []


def test_fixes_are_found_without_a_lock_and_not_made_in_a_kit_that_changes_meanwhile(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[bool] = []

    def check_while_another_changes(*values: Any) -> list[Finding]:
        checks.append(bool(db.session.info.get(IS_WRITING)))
        with db.engine.begin() as other:
            other.execute(db.update(Kit).where(Kit.id == kit.id).values(revision=Kit.revision + 1))
        return check_kit(*values)

    before, revision = load_state(kit), kit.revision
    monkeypatch.setattr(card_preflight, "check_kit", check_while_another_changes)
    with pytest.raises(history.KitConflictError):
        card_preflight.fix_everything(kit, TARGETS, revision)
    assert set(checks) == {False}
    with pytest.raises(history.KitConflictError):
        card_preflight.fix_everything(kit, TARGETS, revision)
    assert len(checks) <= card_preflight.MAX_ROUNDS  # an old page is refused before anything is checked
    assert load_state(kit) == before
