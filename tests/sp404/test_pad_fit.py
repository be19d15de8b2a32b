"""Fitting a bank, layouts by their words, and the sentences that say why a sound is on its pad."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.audio.render.recipe import RenderRecipe
from app.music.sound_classes import LOOP, ONE_SHOT
from app.sp404.bank_layouts import LAYOUTS, layout_in_sentence
from app.sp404.pad_candidates import chance_of
from app.sp404.pad_fit import FitSound, fit_bank, key_of_bank
from app.sp404.pad_reasons import PadFacts, bank_sentence, pad_sentence
from app.sp404.pad_settings import PadSettings

CHORDS = FitSound(LOOP, "chords", 100.0, 0.9, "B minor", 1, -14.0, "LUFS", -6.0)
BASS = replace(CHORDS, sound="bass", key="A minor", bpm=46.0)
KICK = FitSound(ONE_SHOT, "kick", None, 0.0, None, 2, -10.0, "LUFS", -3.0)
FRESH = PadSettings()


def test_tempo_key_level_and_channels_become_recipes() -> None:
    pads = {
        "A1": (FRESH, CHORDS),
        "A2": (FRESH, BASS),
        "A3": (FRESH, replace(BASS, loudness_db=-20.0)),
        "A4": (FRESH, KICK),
    }
    fitted = fit_bank(pads, 90.0, "A minor")
    assert fitted["A1"].steps == ("100 → 90 BPM", "−2 semitones")
    recipe = fitted["A1"].settings.recipe
    assert recipe is not None
    assert (recipe.bpm, recipe.from_bpm, recipe.transpose) == (90.0, 100.0, -2.0)
    assert fitted["A2"].steps == ("46 → 45 BPM",)
    assert fitted["A2"].settings.bpm == 45.0
    assert fitted["A3"].steps == ("46 → 45 BPM", "+5.7 dB")  # up to the limit of the peak
    assert fitted["A4"].settings.recipe == RenderRecipe(mono="auto")


def test_a_loop_goes_to_the_multiple_of_the_tempo_that_changes_it_least() -> None:
    fitted = fit_bank({"A1": (FRESH, replace(CHORDS, bpm=130.0))}, 90.0, "B minor")
    assert fitted["A1"].steps == ("130 → 180 BPM",)


def test_fitting_twice_changes_nothing_more() -> None:
    fitted = fit_bank({"A1": (FRESH, CHORDS), "A2": (FRESH, BASS)}, 90.0)
    again = {
        name: (fitted[name].settings, sound)
        for name, sound in (("A1", CHORDS), ("A2", BASS))
        if name in fitted
    }
    assert again
    assert fit_bank(again, 90.0) == {}
    assert fit_bank(again, 95.0)["A2"].steps == ("46 → 47.5 BPM",)


def test_chops_and_unsure_tempi_keep_their_lengths() -> None:
    chop = FRESH.changed({"recipe": {"start": 100, "end": 9_000}})
    assert fit_bank({"A1": (chop, CHORDS)}, 90.0, "B minor") == {}
    assert fit_bank({"A1": (FRESH, replace(CHORDS, bpm_confidence=0.2))}, 90.0, "B minor") == {}


def test_the_key_of_a_bank_is_the_one_most_go_with() -> None:
    drums = replace(CHORDS, sound="drums", key="F# major")
    assert key_of_bank([CHORDS, BASS, BASS, drums]) == "A minor"
    assert key_of_bank([KICK, drums]) is None


@pytest.mark.parametrize(
    ("sentence", "slug", "rest"),
    [
        ("dusty boom bap kit around 90 in A minor", "boom-bap", "dusty around 90 in A minor"),
        ("BoomBap", "boom-bap", ""),
        ("MPC bank, dark", "mpc", ", dark"),
        ("general midi drums at 120", "gm-drums", "drums at 120"),
        ("chopped breaks", "breaks", ""),
        ("loops in key at 80", "loops-in-key", "at 80"),
        ("warm drum kit", None, "warm"),
    ],
)
def test_a_layout_is_found_by_its_words(sentence: str, slug: str | None, rest: str) -> None:
    layout, left = layout_in_sentence(sentence)
    assert (layout.slug if layout else None, left) == (slug, rest)


def test_every_layout_plans_sixteen_pads() -> None:
    for layout in LAYOUTS.values():
        assert sorted(layout.roles) == list(range(1, 17))


def test_chance_orders_the_same_samples_in_another_way_for_each_seed() -> None:
    ids = [f"01J{number:023d}" for number in range(40)]
    orders = {tuple(sorted(ids, key=lambda each: chance_of(each, seed))) for seed in range(1, 30)}
    assert len(orders) == 29
    first = {order[0] for order in orders}
    assert len(first) > 10
    assert chance_of(ids[0], 0) == 0.0


def test_reasons_are_sentences() -> None:
    loop = PadFacts(LOOP, "chords", 0.9, 92.0, "B minor", -2.0, mate="A9")
    assert pad_sentence(loop, 90.0, "A minor") == (
        "Surely a chord loop (90 %); its 92 BPM need a stretch of 2 %; "
        "B min, moved by −2 is the key of the bank. It goes best with A9."
    )
    assert pad_sentence(PadFacts(ONE_SHOT, "open hat", 0.6), 90.0, None) == "Probably an open hat (60 %)."
    assert pad_sentence(PadFacts(LOOP, "drums", 1.0, slice_of=(3, 16)), 90.0, None).startswith(
        "Slice 3 of 16"
    )
    assert "no tempo is known" in pad_sentence(PadFacts(LOOP, "bass", 0.4, None, None), 90.0, "A minor")
    assert "clashes with A min" in pad_sentence(
        PadFacts(LOOP, "bass", 0.9, 90.0, "F# major"), 90.0, "A minor"
    )
    assert "only one sound" in bank_sentence(None, {}, None)
    assert bank_sentence(0.7, {"key": 0.9, "tempo": 0.4}, "A minor") == (
        "The sounds fit together by 70 % around A min: best in key (90 %), least in tempo (40 %)."
    )
