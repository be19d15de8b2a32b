"""The words that say why two sounds are alike and how they differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.audio.analyzer import analyze_sound
from app.audio.result import Analysis
from app.audio.similarity.layout import BLOCKS, LENGTH
from app.audio.similarity.reasons import MAX_WORDS, Figures, explain_match
from tests.audio.signals import RATE_HZ, column, drums, full_snare, hat, kick

HIT = Figures("one-shot", 0.4, 50.0, 30.0, 4.0, None, None)
LOOP = Figures("loop", 4.0, 50.0, 30.0, 4.0, 96.0, "A minor")


def vector(**values: float) -> tuple[float, ...]:
    found = [0.0] * LENGTH
    for name, value in values.items():
        found[BLOCKS[name].start] = value
    return tuple(found)


def test_a_like_hit_that_is_brighter_and_shorter() -> None:
    other = replace(HIT, brightness=60.0, duration_s=0.2)
    assert explain_match(HIT, other, vector(body=1.0), vector(body=1.1)) == (
        "same body",
        "brighter",
        "shorter",
    )


def test_differences_are_told_of_the_other_sound() -> None:
    other = replace(HIT, brightness=40.0, duration_s=0.9, noisiness=50.0, attack_ms=30.0)
    near = vector(body=1.0), vector(body=1.5)
    assert explain_match(HIT, other, *near) == ("similar body", "darker", "longer", "softer attack")
    assert explain_match(other, HIT, *near) == ("similar body", "brighter", "shorter", "sharper attack")


def test_small_differences_and_unknown_figures_are_not_told() -> None:
    other = Figures("one-shot", 0.42, 52.0, None, None, 120.0, "C major")
    assert explain_match(HIT, other, vector(body=1.0), vector(body=3.0)) == ()


def test_loops_tell_rhythm_harmony_and_music() -> None:
    like = vector(rhythm=1.0, harmony=1.0), vector(rhythm=1.2, harmony=1.1)
    assert explain_match(LOOP, LOOP, *like) == ("same body", "same rhythm", "same harmony", "same tempo")
    other = replace(LOOP, bpm=120.0, key="C minor")
    apart = vector(rhythm=1.0, body=2.0, harmony=1.0), vector(rhythm=1.1, harmony=3.0)
    assert explain_match(LOOP, other, *apart) == ("same rhythm", "faster", "other key")


def test_drum_loops_are_not_said_to_have_the_same_harmony() -> None:
    words = explain_match(LOOP, LOOP, vector(rhythm=1.0), vector(rhythm=1.0))
    assert "same harmony" not in words


def test_there_are_at_most_four_words() -> None:
    other = replace(LOOP, brightness=90.0, duration_s=9.0, noisiness=90.0, attack_ms=90.0, bpm=80.0)
    assert len(explain_match(LOOP, other, vector(), vector())) == MAX_WORDS


def figures(found: Analysis) -> Figures:
    return Figures(
        found.kind, found.duration_s, found.brightness, found.noisiness, found.attack_ms, found.bpm, found.key
    )


def explain(query: Analysis, other: Analysis) -> tuple[str, ...]:
    return explain_match(figures(query), figures(other), query.similarity, other.similarity)


def test_measured_sounds_are_explained() -> None:
    takes = [analyze_sound(column(0.8 * full_snare(seed)), RATE_HZ) for seed in (2, 9)]
    words = explain(*takes)
    assert words[0] == "same body"
    hits = [analyze_sound(column(0.8 * sound), RATE_HZ) for sound in (kick(), hat())]
    words = explain(*hits)
    assert "brighter" in words
    assert not {"same body", "similar body"} & set(words)
    words = explain(*(analyze_sound(drums(bpm, 8), RATE_HZ) for bpm in (93, 104)))
    assert np.isin(["same rhythm", "faster"], words).all()
