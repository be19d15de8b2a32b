"""How a pad is set for the sound that is put on it."""

from __future__ import annotations

import pytest

from app.sp404.fresh_pad import settings_for_sound, tempo_for_pad
from app.sp404.pad_settings import PadSettings


def test_a_hit_plays_to_its_end_and_is_never_stretched() -> None:
    assert settings_for_sound("one-shot", "kick", None) == PadSettings().changed({"gate": False})
    assert not settings_for_sound("one-shot", "kick", 120.0).bpm_sync


def test_a_loop_with_a_tempo_repeats_in_sync() -> None:
    assert settings_for_sound("loop", "drums", 93.004).to_dict() == {
        "version": 1, "loop": True, "bpm": 93.0, "bpm_sync": True,
    }  # fmt: skip


def test_a_loop_without_a_tempo_repeats_as_it_is() -> None:
    found = settings_for_sound("loop", "drums", None)
    assert (found.loop, found.bpm, found.bpm_sync) == (True, 90.0, False)


@pytest.mark.parametrize("sound", ["closed hat", "open hat", "hi-hat"])
def test_hats_choke_one_another(sound: str) -> None:
    assert settings_for_sound("one-shot", sound, None).mute_group == 1
    assert settings_for_sound("one-shot", "snare", None).mute_group == 0


@pytest.mark.parametrize(("bpm", "pad"), [(20, 40), (39.99, 79.98), (200, 200), (200.01, 100.0), (400, 200)])
def test_a_tempo_is_halved_or_doubled_into_the_units_range(bpm: float, pad: float) -> None:
    assert tempo_for_pad(bpm) == pytest.approx(pad, abs=0.011)
