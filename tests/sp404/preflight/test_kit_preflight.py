"""Each thing that can be wrong with a kit is found where it was planted, and its fix removes it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.audio.render.recipe import RenderRecipe
from app.audio.render.stretch_length import stretch_length
from app.sp404.card.card_options import TARGETS
from app.sp404.card.card_sounds import CardSound, CardSounds, MissingSound
from app.sp404.card.pad_plans import plan_card
from app.sp404.kit_document import BankDocument, KitDocument, PatternDocument
from app.sp404.preflight import kit_checks
from app.sp404.preflight.findings import ERROR, NOTE, Finding, Fix, has_errors, read_finding
from app.sp404.preflight.fix_words import describe_fix
from app.sp404.preflight.fixes import apply_fixes
from app.sp404.preflight.kit_preflight import check_kit
from app.sp404.project.packed_patterns import pack_pattern, read_packed
from app.sp404.project.pad_sounds import wav_sound
from app.sp404.project.pattern_files import Pattern
from app.sp404.project.pattern_notes import PatternNote, compose_pattern, notes_of
from tests.sp404.card.made_kits import card_sound, make_kit, pad, write_wav_file
from tests.sp404.preflight.planted_kits import (
    PLANTED,
    clean,
    with_name,
    with_settings,
    with_sound,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sounds")


ERRORS = {
    "sample_gone",
    "sample_empty",
    "sample_too_long",
    "sample_unreadable",
    "sample_unfit",
    "points_past_end",
    "chops_past_end",
}
# Nothing of the kit can be changed for these: the sound or the machine is as it is.
WITHOUT_FIX = {
    "sample_analysing",
    "silence_added",
    "silent",
    "clipped",
    "same_sound",
    "tempo_folded",
    "folder_name",
    "pattern_unheard",
    "moved_on_sx",
    "no_room_on_sx",
    "no_room_on_mpc",
}


def test_a_clean_kit_has_no_finding(folder: Path) -> None:
    assert check_kit(*clean(folder), TARGETS) == []


@pytest.mark.parametrize("planted", PLANTED)
def test_each_finding_is_found_where_it_was_planted(planted: str, folder: Path) -> None:
    code, place, plant = PLANTED[planted]
    found = check_kit(*plant(folder), TARGETS)
    matching = [one for one in found if (one.code, one.place) == (code, place)]
    assert len(matching) == 1, found
    assert matching[0].degree == (ERROR if code in ERRORS else NOTE)
    assert matching[0].wrong.endswith(".")
    assert matching[0].done.endswith(".")
    if "full" not in plant.__name__:
        assert {one.code for one in found} == {code}, found


@pytest.mark.parametrize("planted", [one for one, (code, *_) in PLANTED.items() if code not in WITHOUT_FIX])
def test_its_fix_removes_it(planted: str, folder: Path) -> None:
    code, _place, plant = PLANTED[planted]
    kit, sounds = plant(folder)
    found = check_kit(kit, sounds, TARGETS)
    fixes = [one.fix for one in found if one.fix]
    assert fixes or code == "kept_unusable"
    fixed = apply_fixes(kit, found)
    if not fixes:
        return
    assert fixed != kit
    assert all(len(describe_fix(fix)) > 5 for fix in fixes)
    plain = json.loads(json.dumps([one.to_dict() for one in found]))
    assert [read_finding(one).to_dict() for one in plain] == plain
    after = check_kit(fixed, rendered_again(fixed, sounds, fixes[0].banks), TARGETS)
    assert [one for one in after if one.code == code] == []
    assert not has_errors(after)


def rendered_again(kit: KitDocument, sounds: CardSounds, moves: Any) -> dict[str, CardSound | MissingSound]:
    """Return the sounds that rendering would give for the recipes of a fixed kit."""
    back = {new: old for old, new in moves.items()}
    made: dict[str, CardSound | MissingSound] = {}
    for place, document in kit.pads.items():
        sound = sounds[f"{back.get(place[0], place[0])}{place[1:]}"]
        recipe = document.settings.recipe or RenderRecipe()
        if isinstance(sound, MissingSound):
            made[place] = cut(sound, recipe)
            continue
        facts = sound.facts
        assert facts
        facts = replace(facts, offset=0.0) if recipe.remove_dc else facts
        facts = replace(facts, sides_db=None) if recipe.mono else facts
        audio = replace(sound.audio, padding=0)  # type: ignore[type-var]  # a WavSound
        made[place] = replace(sound, audio=audio, facts=facts, bpm=recipe.bpm or sound.bpm)
        if recipe.bpm and recipe.from_bpm:
            made[place] = stretched(made[place], recipe)
    return made


def cut(sound: MissingSound, recipe: RenderRecipe) -> CardSound | MissingSound:
    """Return what is no error in place of a sound that was cut to 16 minutes, or is no longer shaped."""
    is_right = recipe.end == 960 * 44_100 or (sound.reason == "unfit" and recipe.changes_nothing)
    return replace(sound, reason="analysing") if is_right else sound


def stretched(sound: CardSound | MissingSound, recipe: RenderRecipe) -> CardSound:
    assert isinstance(sound, CardSound)
    final = stretch_length(sound.frames, 48_000, recipe).final
    header = replace(sound.audio.header, size_bytes=512 + final * 2)
    return replace(sound, audio=replace(sound.audio, header=header, padding=0))  # type: ignore[type-var]  # a WavSound


def test_a_tempo_beyond_the_range_of_a_pad_is_folded(folder: Path) -> None:
    kit, sounds = with_sound("A2", bpm=250.0)(folder)
    (found,) = check_kit(kit, sounds)
    assert "250 BPM" in found.wrong
    assert apply_fixes(kit, [found]).pads["A2"].settings.bpm == 125.0
    kit, sounds = with_sound("A2", bpm=360.0)(folder)
    assert [(one.code, one.fix) for one in check_kit(kit, sounds)] == [("tempo_folded", None)]


def test_a_loop_that_is_too_long_to_be_stretched_is_named_without_a_fix(folder: Path) -> None:
    kit, sounds = clean(folder)
    loop = sounds["A2"]
    assert isinstance(loop, CardSound)
    header = replace(loop.audio.header, size_bytes=512 + 2 * (301 * 48_000 + 9_000))
    long = replace(loop, audio=replace(loop.audio, header=header))  # type: ignore[type-var]  # a WavSound
    found = check_kit(kit, sounds | {"A2": long})
    assert [(one.code, one.fix) for one in found] == [("not_whole_beats", None)]


def test_everything_at_once_is_fixed_at_once(folder: Path) -> None:
    kit, sounds = clean(folder)
    kit = with_settings(kit, "A1", start=6_000, chops=[0, 9_999], kept="ab")
    kit = with_settings(kit, "A3", end=99_999, mute_group=0)
    kit = make_kit(kit.pads | {"C1": pad("Gone"), "E2": pad("Ünread"), "G16": pad("Good one")})
    sounds |= {"E2": MissingSound("unreadable"), "G16": card_sound(folder, 6_016)}
    found = check_kit(kit, sounds, TARGETS)
    assert has_errors(found)
    fixed = apply_fixes(kit, found)
    assert list(fixed.pads) == ["A1", "A2", "A3", "A4", "G16"]
    again = check_kit(fixed, sounds, TARGETS)
    assert [one.code for one in again if one.code != "moved_on_sx"] == ["empty_bank"]
    closed = apply_fixes(fixed, again)
    assert list(closed.pads) == ["A1", "A2", "A3", "A4", "B16"]
    assert check_kit(closed, sounds | {"B16": sounds["G16"]}, ["mk2"]) == []


def test_a_fix_is_plain_json(folder: Path) -> None:
    found = check_kit(*with_name("A kick with a name of 30 letters")(folder))
    assert [one.to_dict() for one in found] == [
        {
            "degree": "note",
            "code": "name_length",
            "place": "A1",
            "wrong": "“A kick with a name of 30 letters” is longer than the 23 characters of a pad's name.",
            "done": "The pad is called “A kick with 30 letters”.",
            "fix": {
                "fix": "shorten_name",
                "pad": "A1",
                "value": {"settings": {"A1": {"name": "A kick with 30 letters"}}},
            },
        }
    ]


def test_a_finding_is_a_line() -> None:
    found = Finding(ERROR, "sample_gone", "B2", "Its sample is gone.", "The pad stays empty on the card.")
    assert str(found) == "error: B2: Its sample is gone. The pad stays empty on the card."


def test_a_pattern_is_read_once_however_often_its_kit_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def note_reading(text: str) -> Pattern:
        read.append(text)
        return read_packed(text)

    monkeypatch.setattr(kit_checks, "read_packed", note_reading)
    notes = [PatternNote(7, "A3"), PatternNote(1234, "H9", velocity=31)]
    packed = pack_pattern(compose_pattern(notes, 3).to_bytes())
    kit = make_kit({}).model_copy(update={"patterns": {"C3": PatternDocument(ptn=packed)}})
    assert check_kit(kit, {}) == check_kit(kit, {}, ["wav"])
    assert read == [packed]


def test_a_kit_without_sounds_is_an_error() -> None:
    assert [one.code for one in check_kit(make_kit({}), {})] == ["empty_kit"]
    assert [one.code for one in check_kit(make_kit({}), {}, ["midi", "wav"])] == ["empty_kit"]
    assert check_kit(make_kit({}), {}, ["midi"]) == []


def test_a_wav_that_is_too_short_for_the_unit_is_named(tmp_path: Path) -> None:
    path = write_wav_file(tmp_path / "a.wav", 480)
    found = check_kit(make_kit({"A1": pad()}), {"A1": CardSound(wav_sound(path, 4_900))})
    assert [one.wrong for one in found] == ["Its sound is 10 ms long; the unit needs about 100 ms."]


def test_the_tempo_of_a_bank_moves_with_its_pads() -> None:
    kit = make_kit({"C1": pad()}, banks={"C": BankDocument(tempo=77.5)})
    fix = Fix("close_gaps", "Kit", banks={"C": "A"})
    moved = apply_fixes(kit, [Finding(NOTE, "empty_bank", "Kit", "", "", fix)])
    assert (list(moved.pads), moved.banks) == (["A1"], {"A": BankDocument(tempo=77.5)})


def test_patterns_follow_the_banks_that_they_play(folder: Path) -> None:
    notes = (PatternNote(0, "C1"), PatternNote(7, "J2"))
    ptn = pack_pattern(compose_pattern(notes, 1).to_bytes())
    kit = make_kit({"C1": pad()}, patterns={"C4": PatternDocument(name="x", ptn=ptn)})
    findings = check_kit(kit, {"C1": card_sound(folder)})
    moved = apply_fixes(kit, findings).patterns["A4"]
    assert [(note.tick, note.pad) for note in notes_of(read_packed(moved.ptn))] == [(0, "A1"), (7, "J2")]
    # A bank that holds a pattern is not moved onto.
    kept = kit.model_copy(update={"patterns": kit.patterns | {"B1": kit.patterns["C4"]}})
    (gap,) = [one for one in check_kit(kept, {"C1": card_sound(folder)}) if one.code == "empty_bank"]
    assert gap.fix is None


def test_made_names_differ_where_case_is_folded(folder: Path) -> None:
    kit = make_kit({"A1": pad("kick"), "A2": pad("KICK"), "B1": pad("Kick")})
    plan = plan_card(kit, dict.fromkeys(kit.pads, card_sound(folder)))
    assert [one.settings.name for one in plan.pads.values()] == ["kick", "KICK-2", "Kick"]
