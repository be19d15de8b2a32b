"""Each thing that can be wrong with a kit is found where it was planted, and its fix removes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.audio.render.recipe import RenderRecipe
from app.audio.render.stretch_length import stretch_length
from app.sp404.card.card_options import TARGETS
from app.sp404.card.card_sounds import CardSound, CardSounds, MissingSound
from app.sp404.card.sound_facts import SoundFacts
from app.sp404.kit_document import KitDocument
from app.sp404.pads import PAD_NAMES
from app.sp404.preflight.findings import ERROR, NOTE, Finding, has_errors
from app.sp404.preflight.fixes import apply_fixes
from app.sp404.preflight.kit_preflight import check_kit
from app.sp404.preflight.sound_measuring import measure_wav
from app.sp404.project.pad_sounds import wav_sound
from tests.sp404.card.made_kits import CLEAN, FOUR_BEATS_AT_90, card_sound, make_kit, pad, write_wav_file

Planted = tuple[KitDocument, CardSounds]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sounds")


def clean(folder: Path) -> tuple[KitDocument, dict[str, CardSound | MissingSound]]:
    """Return a kit of a kick, a loop and two hats with which nothing is wrong."""
    kit = make_kit(
        {
            "A1": pad("Kick", gate=False),
            "A2": pad("Break", bpm=90.0, bpm_sync=True, loop=True),
            "A3": pad("Closed hat", gate=False, mute_group=1),
            "A4": pad("Open hat", gate=False, mute_group=1),
        }
    )
    loop: dict[str, Any] = {"kind": "loop", "sound_class": "drums", "bpm": 90.0, "tempo_is_sure": True}
    sounds: dict[str, CardSound | MissingSound] = {
        "A1": card_sound(folder, 6_000, kind="one-shot", sound_class="kick"),
        "A2": card_sound(folder, FOUR_BEATS_AT_90, **loop),
        "A3": card_sound(folder, 6_001, kind="one-shot", sound_class="closed hat"),
        "A4": card_sound(folder, 6_002, kind="one-shot", sound_class="open hat"),
    }
    return kit, sounds


def with_settings(kit: KitDocument, place: str, **changes: Any) -> KitDocument:
    document = kit.pads[place]
    changed = document.model_copy(update={"settings": document.settings.changed(changes)})
    return kit.model_copy(update={"pads": kit.pads | {place: changed}})


def with_sound(place: str, **changes: Any) -> Callable[[Path], Planted]:
    def plant(folder: Path) -> Planted:
        kit, sounds = clean(folder)
        sound = sounds[place]
        assert isinstance(sound, CardSound)
        return kit, sounds | {place: replace(sound, **changes)}

    return plant


def with_missing(missing: MissingSound) -> Callable[[Path], Planted]:
    def plant(folder: Path) -> Planted:
        kit, sounds = clean(folder)
        return kit, sounds | {"A1": missing}

    return plant


def with_changes(place: str, **changes: Any) -> Callable[[Path], Planted]:
    def plant(folder: Path) -> Planted:
        kit, sounds = clean(folder)
        return with_settings(kit, place, **changes), sounds

    return plant


def with_name(name: str) -> Callable[[Path], Planted]:
    def plant(folder: Path) -> Planted:
        kit, sounds = clean(folder)
        return kit.model_copy(update={"pads": kit.pads | {"A1": pad(name, gate=False)}}), sounds

    return plant


def plant_same_names(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    return with_settings(with_settings(kit, "A1", name="Hit"), "A3", name="HIT"), sounds


def plant_same_sound(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    return make_kit(kit.pads | {"A5": pad("Kick 2", gate=False)}), sounds | {"A5": sounds["A1"]}


def plant_gap(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    return make_kit(kit.pads | {"D5": pad("Far")}), sounds | {"D5": card_sound(folder, 6_005)}


def plant_short(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    short = card_sound(folder, 1_000, kind="one-shot")
    return with_settings(kit, "A1", recipe={"version": 1, "min_frames": 0}), sounds | {"A1": short}


def plant_odd_loop(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    loop: dict[str, Any] = {"kind": "loop", "bpm": 90.0, "tempo_is_sure": True}
    return kit, sounds | {"A2": card_sound(folder, FOUR_BEATS_AT_90 - 480, **loop)}


def plant_hats_apart(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    return with_settings(with_settings(kit, "A3", mute_group=0), "A4", mute_group=0), sounds


def plant_far_tempo(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    return kit.model_copy(update={"tempo": 170.0}), sounds


def plant_far_tempo_without_octave(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    kit = with_settings(kit, "A2", bpm=110.0).model_copy(update={"tempo": 50.0})
    loop: dict[str, Any] = {"kind": "loop", "bpm": 110.0, "tempo_is_sure": True}
    return kit, sounds | {"A2": card_sound(folder, round(4 * 60 * 48_000 / 110), **loop)}


def plant_long_name(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    return kit.model_copy(update={"name": "A kit with a name of 31 letters"}), sounds


def plant_bank_13(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    return make_kit(kit.pads | {"A13": pad("Low")}), sounds | {"A13": card_sound(folder, 6_013)}


def plant_full_sx(folder: Path) -> Planted:
    sound = card_sound(folder, 6_000, digest="")
    return make_kit({place: pad(f"S {place}") for place in PAD_NAMES}), dict.fromkeys(PAD_NAMES, sound)


def plant_kept(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    return kit.model_copy(update={"kept": "abcd"}), sounds


FAR_STRETCH = {"version": 1, "bpm": 40.0, "from_bpm": 90.0}
PLANTED: dict[str, tuple[str, str, Callable[[Path], Planted]]] = {
    "gone": ("sample_gone", "A1", with_missing(MissingSound("gone"))),
    "analysing": ("sample_analysing", "A1", with_missing(MissingSound("analysing"))),
    "empty": ("sample_empty", "A1", with_missing(MissingSound("empty"))),
    "too long": ("sample_too_long", "A1", with_missing(MissingSound("too long", rate_hz=44_100))),
    "unreadable": ("sample_unreadable", "A1", with_missing(MissingSound("unreadable"))),
    "start past end": ("points_past_end", "A1", with_changes("A1", start=6_000)),
    "end past end": ("points_past_end", "A1", with_changes("A1", end=6_001)),
    "loop top past end": ("points_past_end", "A1", with_changes("A1", loop_top=6_000)),
    "chops past end": ("chops_past_end", "A1", with_changes("A1", chops=[0, 50, 6_000])),
    "kept of a pad": ("kept_unusable", "A1", with_changes("A1", kept="abcd")),
    "kept of a kit": ("kept_unusable", "Kit", plant_kept),
    "short": ("too_short", "A1", plant_short),
    "silence added": ("silence_added", "A1", with_sound("A1", facts=replace(CLEAN, padding=900))),
    "silent": ("silent", "A1", with_sound("A1", facts=SoundFacts(0.0))),
    "clipped": ("clipped", "A1", with_sound("A1", facts=replace(CLEAN, clipped_runs=2))),
    "offset": ("offset", "A1", with_sound("A1", facts=replace(CLEAN, offset=-0.02))),
    "stereo that is mono": ("stereo_is_mono", "A1", with_sound("A1", facts=replace(CLEAN, sides_db=-70.0))),
    "tempo outside": ("tempo_folded", "A2", with_sound("A2", bpm=360.0)),
    "tempo differs": ("tempo_differs", "A2", with_sound("A2", bpm=97.3)),
    "sync on a hit": ("sync_on_hit", "A1", with_changes("A1", bpm_sync=True)),
    "sync unsure": ("sync_unsure", "A2", with_sound("A2", tempo_is_sure=False)),
    "tempo too far": ("tempo_too_far", "A2", plant_far_tempo),
    "tempo too far, no octave": ("tempo_too_far", "A2", plant_far_tempo_without_octave),
    "odd loop": ("not_whole_beats", "A2", plant_odd_loop),
    "stretch too far": ("stretch_too_far", "A1", with_changes("A1", recipe=FAR_STRETCH)),
    "characters": ("name_characters", "A1", with_name("Kïck")),
    "length": ("name_length", "A1", with_name("A kick with a name of 30 letters")),
    "same name": ("same_name", "A3", plant_same_names),
    "hats apart": ("open_hat_alone", "A4", plant_hats_apart),
    "hat without group": ("open_hat_alone", "A4", with_changes("A4", mute_group=0)),
    "closed hat without group": ("open_hat_alone", "A4", with_changes("A3", mute_group=0)),
    "same sound": ("same_sound", "A5", plant_same_sound),
    "gap": ("empty_bank", "Kit", plant_gap),
    "folder name": ("folder_name", "Kit", plant_long_name),
    "moved on SX": ("moved_on_sx", "A13", plant_bank_13),
    "no room on SX": ("no_room_on_sx", "J16", plant_full_sx),
    "no room on MPC": ("no_room_on_mpc", "I1", plant_full_sx),
}
ERRORS = {
    "sample_gone",
    "sample_empty",
    "sample_too_long",
    "sample_unreadable",
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
    """Return a sound of 16 minutes in place of one that was too long, if it was cut to that."""
    return sound if recipe.end != 960 * 44_100 else replace(sound, reason="analysing")


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
    found = Finding(ERROR, "sample_gone", "B2", "Its sample is gone.", "Export leaves the pad empty.")
    assert str(found) == "error: B2: Its sample is gone. Export leaves the pad empty."


def test_a_kit_without_sounds_is_an_error() -> None:
    assert [one.code for one in check_kit(make_kit({}), {})] == ["empty_kit"]


def test_a_sound_is_measured(tmp_path: Path) -> None:
    path = write_wav_file(tmp_path / "a.wav", 70_000, 2)
    pcm = np.frombuffer(path.read_bytes()[44:], dtype="<i2").reshape(-1, 2).astype(np.int32)
    changed = pcm.copy()
    changed[:, 1] = -changed[:, 0]
    # Two runs, one of them over the end of a block of 32,768 frames, and one that is too short.
    for first, last in ((32_766, 32_770), (50_000, 50_003), (60_000, 60_002)):
        changed[first:last, 0] = 32_767
    path.write_bytes(path.read_bytes()[:44] + changed.astype("<i2").tobytes())
    facts = measure_wav(path)
    assert (facts.peak, facts.clipped_runs) == (32_767 / 32_768, 2)
    assert facts.sides_db is not None
    assert facts.sides_db > 0
    assert measure_wav(write_wav_file(tmp_path / "b.wav", 6_000, 2)).sides_db == -200.0
    mono = write_wav_file(tmp_path / "c.wav", 6_000)
    data = np.frombuffer(mono.read_bytes()[44:], dtype="<i2") + 655
    mono.write_bytes(mono.read_bytes()[:44] + data.astype("<i2").tobytes())
    measured = measure_wav(mono)
    assert measured.sides_db is None
    assert measured.offset == pytest.approx(float(data.mean()) / 32_768)


def test_a_wav_that_is_too_short_for_the_unit_is_named(tmp_path: Path) -> None:
    path = write_wav_file(tmp_path / "a.wav", 480)
    found = check_kit(make_kit({"A1": pad()}), {"A1": CardSound(wav_sound(path, 4_900))})
    assert [one.wrong for one in found] == ["Its sound has 10 ms; the unit needs 0.1 s."]
