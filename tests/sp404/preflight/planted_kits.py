"""Kits with one thing wrong each, by what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.sp404.card.card_sounds import CardSound, CardSounds, MissingSound
from app.sp404.card.sound_facts import SoundFacts
from app.sp404.kit_document import KitDocument, PatternDocument
from app.sp404.pads import PAD_NAMES
from app.sp404.project.packed_patterns import pack_pattern
from app.sp404.project.pattern_notes import PatternNote, compose_pattern
from tests.sp404.card.made_kits import CLEAN, FOUR_BEATS_AT_90, card_sound, make_kit, pad

Planted = tuple[KitDocument, CardSounds]


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


def plant_unheard_pattern(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    notes = [PatternNote(0, "A1"), *(PatternNote(7, f"B{number}") for number in range(1, 6))]
    ptn = pack_pattern(compose_pattern(notes, 1).to_bytes())
    return kit.model_copy(update={"patterns": {"A1": PatternDocument(name="", ptn=ptn)}}), sounds


def plant_unfit(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    return with_settings(kit, "A1", recipe={"version": 1, "length_s": 900}), sounds | {
        "A1": MissingSound("unfit")
    }


def plant_long_and_stretched(folder: Path) -> Planted:
    kit, sounds = clean(folder)
    recipe = {"version": 1, "bpm": 80.0, "from_bpm": 90.0}
    return with_settings(kit, "A1", recipe=recipe), sounds | {"A1": MissingSound("too long", rate_hz=44_100)}


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
    "too long and stretched": ("sample_too_long", "A1", plant_long_and_stretched),
    "unfit recipe": ("sample_unfit", "A1", plant_unfit),
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
    "pattern": ("pattern_unheard", "Kit", plant_unheard_pattern),
    "folder name": ("folder_name", "Kit", plant_long_name),
    "moved on SX": ("moved_on_sx", "A13", plant_bank_13),
    "no room on SX": ("no_room_on_sx", "J16", plant_full_sx),
    "no room on MPC": ("no_room_on_mpc", "I1", plant_full_sx),
}
