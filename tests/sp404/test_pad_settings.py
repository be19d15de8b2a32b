"""The settings of a pad: defaults and limits of the unit, and a sentence for everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from app.audio.render.recipe import RenderRecipe
from app.sp404 import unit_limits
from app.sp404.pad_settings import PadSettings, PadSettingsError, explain_setting, read_settings
from app.sp404.setting_words import SETTING_WORDS
from tests.sp404.any_settings import any_settings


def test_a_fresh_pad_is_set_as_the_unit_sets_it() -> None:
    """Words 3 to 23 of a pad that the unit has just loaded, in files made by it."""
    fresh = PadSettings()
    assert (fresh.level, fresh.gate, fresh.loop, fresh.mute_group, fresh.bpm_sync) == (127, True, False, 0, 0)
    assert (fresh.bpm, fresh.speed, fresh.vinyl, fresh.pan, fresh.bus) == (90.0, 100.0, True, 64, 1)
    assert (fresh.attack, fresh.hold, fresh.release, fresh.start) == (0, 100, 0, 0)
    assert (fresh.pad_link, fresh.pitch, fresh.fine, fresh.poly_mode) == (0, 0, 0, "mono")
    assert (fresh.one_shot, fresh.fixed_velocity) == (False, False)
    assert fresh.to_dict() == {"version": 1}
    assert unit_limits.ROLLS.index(fresh.roll) == 2
    assert unit_limits.PLAY_MODES.index(fresh.play_mode) == 0


def test_rolls_stand_where_the_unit_stores_them() -> None:
    places = {roll: unit_limits.ROLLS.index(roll) for roll in ("off", "1/4", "1/16", "3/8")}
    assert places == {"off": 0, "1/4": 2, "1/16": 4, "3/8": 7}


def test_every_setting_has_its_words() -> None:
    assert SETTING_WORDS.keys() == PadSettings.model_fields.keys()


@given(any_settings())
def test_settings_come_back_from_json(settings: PadSettings) -> None:
    assert read_settings(json.loads(json.dumps(settings.to_dict()))) == settings


LIMITS = {
    "level": unit_limits.LEVEL, "pan": unit_limits.PAN, "mute_group": unit_limits.GROUP,
    "pad_link": unit_limits.GROUP, "bus": unit_limits.BUS, "bpm": unit_limits.TEMPO_BPM,
    "pitch": unit_limits.PITCH_SEMITONES, "fine": unit_limits.FINE_CENTS, "speed": unit_limits.SPEED_PERCENT,
    "attack": unit_limits.ATTACK, "hold": unit_limits.HOLD_PERCENT, "release": unit_limits.RELEASE,
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_a_value_past_its_limit_is_refused_with_the_range(name: str) -> None:
    least, most = LIMITS[name]
    for fits in (least, most):
        assert getattr(PadSettings().changed({name: fits}), name) == fits
    for past in (least - 1, most + 1):
        with pytest.raises(PadSettingsError, match=SETTING_WORDS[name].label) as refused:
            PadSettings().changed({name: past})
        assert str(most) in str(refused.value)


REFUSED = [
    ({"level": 1.5}, "Level is a whole number from 0 to 127."),
    ({"level": True}, "Level is a whole number from 0 to 127."),
    ({"gate": "yes"}, "Gate is true (on) or false (off)."),
    ({"bpm": 92.333}, "BPM is 40 to 200, with at most two decimals."),
    ({"bpm": float("nan")}, "BPM is 40 to 200, with at most two decimals."),
    ({"speed": "100"}, "Speed is 50 to 150 %, with at most two decimals."),
    ({"name": "Café"}, "Name has at most 23 characters"),
    ({"name": "Loop #1"}, "Name has at most 23 characters"),
    ({"name": "a\n"}, "Name has at most 23 characters"),
    ({"name": "a" * 24}, "Name has at most 23 characters"),
    ({"roll": "1/3"}, "Roll is one of off, 1/2"),
    ({"swing": 1}, "A pad has no setting “swing”."),
    ({"s" * 41: 1}, f"A pad has no setting “{'s' * 40}”."),
    ({"one_shot": True, "gate": True}, "A one-shot pad has neither gate nor loop."),
    ({"one_shot": True, "loop": True}, "A one-shot pad has neither gate nor loop."),
    ({"start": 9, "end": 9}, "The end must come after the start."),
    ({"start": 9, "loop_top": 8}, "The loop top can't come before the start."),
    ({"end": 9, "loop_top": 9}, "The loop top must come before the end."),
    ({"chops": [1, 2]}, "Chops are at most 16 frames"),
    ({"chops": [0, 2, 2]}, "Chops are at most 16 frames"),
    ({"chops": list(range(17))}, "Chops are at most 16 frames"),
    ({"start": -1}, "Start is a whole number of frames from 0 to 46,080,000"),
    ({"end": 46_080_001}, "End is a whole number of frames from 0 to 46,080,000"),
    ({"recipe": {"speed": 9}}, "Recipe: speed"),
    ({"recipe": "fast"}, "Recipe is how the sound is shaped"),
    ({"kept": "0"}, "Kept is at most 1,024 bytes"),
    ({"kept": "GG"}, "Kept is at most 1,024 bytes"),
    ({"kept": "00" * 1025}, "Kept is at most 1,024 bytes"),
    ({"version": 2}, "Version is 1."),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED)
def test_what_the_unit_can_not_hold_is_refused_with_a_sentence(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(PadSettingsError) as refused:
        PadSettings().changed(changes)
    assert str(refused.value).startswith(sentence)


def test_one_shot_turns_gate_and_loop_off_and_they_turn_it_off() -> None:
    looped = PadSettings().changed({"loop": True})
    once = looped.changed({"one_shot": True})
    assert (once.one_shot, once.gate, once.loop) == (True, False, False)
    again = once.changed({"loop": True})
    assert (again.one_shot, again.gate, again.loop) == (False, False, True)
    assert once.changed({"gate": True}) == PadSettings()
    assert once.changed({"gate": False, "loop": False}) == once


def test_a_recipe_is_kept_as_a_recipe() -> None:
    shaped = PadSettings().changed({"recipe": {"bpm": 92.5, "from_bpm": 90}})
    assert shaped.recipe == RenderRecipe(bpm=92.5, from_bpm=90)
    assert shaped.to_dict()["recipe"] == {"version": 1, "bpm": 92.5, "from_bpm": 90.0}
    assert shaped.changed({"recipe": None}) == PadSettings()


def test_positions_and_kept_bytes_reach_their_limits() -> None:
    widest = PadSettings(start=46_079_999, end=46_080_000, kept="ff" * 1024, name="a" * 23)
    assert read_settings(widest.to_dict()) == widest
    whole = PadSettings(start=0, loop_top=0, end=1, chops=tuple(range(16)))
    assert read_settings(whole.to_dict()) == whole


def test_what_is_no_object_at_all_is_said() -> None:
    sentence = "The settings of a pad are a JSON object."
    assert explain_setting({"type": "model_type"}, ()) == sentence
