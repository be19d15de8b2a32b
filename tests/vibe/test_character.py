"""Character: each word has its bounds, a figure that crosses one moves it, and no word is left over."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio.file_report import measure_file
from app.audio.result import Analysis
from app.vibe.character import BOUNDS, FEATURES_OF_FIGURE, character_words, words_of_kind
from app.vibe.sound_description import describe_by_rules
from app.vibe.vibe_schema import MAX_CHARACTER
from app.vibe.vocabulary import CHARACTERS, FEATURES, HIT_CHARACTERS, TEXTURE_CHARACTERS
from tests.measurements import SPECTRUM, loop_analysis
from tests.support import noise, silence, tone, wav

DOCS = Path(__file__).parents[2] / "docs" / "vibe.md"
BANDS_HZ = (40.0, 100.0, 400.0, 1600.0, 6400.0)


def hit(kind: str = "one-shot", bands_db: tuple[float, ...] = (0.0,) * 5, **changes: Any) -> Analysis:
    """Return a sound in the middle of every range, to which no word applies."""
    spectral = replace(SPECTRUM, bands_hz=BANDS_HZ, bands_db=bands_db)
    middle = {"attack_ms": 45.0, "brightness": 54.0, "noisiness": 10.0, "crest_db": 5.0, "duration_s": 0.9}
    plain = {"key": None, "note": None, "bpm": None, "onsets": (), "kind": kind, "spectral": spectral}
    return loop_analysis(**(plain | middle | changes))


def falling(seconds: float, length_s: float = 4.0) -> dict[str, Any]:
    """Return a level that falls 20 dB in so many seconds."""
    levels = (max(-69.0, -10.0 - 20.0 * n * length_s / 64 / seconds) for n in range(64))
    return {"duration_s": length_s, "loudness_course": tuple(levels)}


def ramp(db: float) -> dict[str, Any]:
    return {"loudness_course": tuple(-40.0 + db * n / 63 for n in range(64))}


LOW = (0.0, 0.0, -20.0, -45.0, -60.0)
THIN = (-40.0, -40.0, -5.0, 0.0, 0.0)
MUFFLED = (-10.0, -10.0, 0.0, -20.0, -50.0)
PUNCHY: dict[str, Any] = {"attack_ms": 5.0, "crest_db": 14.0, "bands_db": LOW, "duration_s": 0.5}
SNAPPY: dict[str, Any] = {"attack_ms": 3.0, "brightness": 70.0, "duration_s": 0.2}
CRISP: dict[str, Any] = {"attack_ms": 3.0, "brightness": 85.0, "noisiness": 30.0}
BOOMY: dict[str, Any] = {"bands_db": LOW, "brightness": 30.0}
RINGING: dict[str, Any] = {"attack_ms": 10.0, "noisiness": 5.0} | falling(1.0)
WAVES = tuple(-30.0 + 10.0 * (n % 2) for n in range(64))


@pytest.mark.parametrize(
    ("word", "having", "losing"),
    [
        ("punchy", PUNCHY, {"attack_ms": 16.0}),
        ("punchy", PUNCHY, {"crest_db": 6.9}),
        ("punchy", PUNCHY, {"bands_db": THIN}),
        ("punchy", PUNCHY, {"duration_s": 0.81}),
        ("punchy", PUNCHY, {"brightness": 76.0}),
        ("snappy", SNAPPY, {"attack_ms": 9.0}),
        ("snappy", SNAPPY, {"brightness": 54.0}),
        ("snappy", SNAPPY, {"duration_s": 0.31}),
        ("swelling", {"attack_ms": 80.0}, {"attack_ms": 79.0}),
        ("crisp", CRISP, {"brightness": 74.0}),
        ("crisp", CRISP, {"noisiness": 14.0}),
        ("crisp", CRISP, {"attack_ms": 16.0}),
        ("dull", {"brightness": 35.0, "bands_db": MUFFLED}, {"brightness": 36.0}),
        ("dull", {"brightness": 35.0, "bands_db": MUFFLED}, {"bands_db": (0.0,) * 5}),
        ("boomy", BOOMY, {"bands_db": THIN}),
        ("boomy", BOOMY, {"brightness": 51.0}),
        ("boomy", BOOMY, falling(0.3)),
        ("thin", {"bands_db": THIN, "brightness": 60.0}, {"bands_db": LOW}),
        ("thin", {"bands_db": THIN, "brightness": 60.0}, {"brightness": 54.0}),
        ("gritty", {"noisiness": 20.0}, {"noisiness": 19.0}),
        ("gritty", {"noisiness": 20.0}, {"brightness": 73.0}),
        ("noisy", {"noisiness": 50.0}, {"noisiness": 49.0}),
        ("clean", {"noisiness": 3.0}, {"noisiness": 4.0}),
        ("ringing", RINGING, falling(0.5)),
        ("ringing", RINGING, {"noisiness": 41.0}),
        ("ringing", RINGING, {"attack_ms": 41.0}),
        ("short", falling(0.1), falling(0.5)),
        ("short", {"duration_s": 0.25}, {"duration_s": 0.26}),
        ("long", falling(1.7), falling(1.2)),
        ("long", {"duration_s": 1.5}, {"duration_s": 1.49}),
        ("tuned", {"note": "A2"}, {"note": None}),
        ("tuned", {"key": "A minor"}, {"key": None}),
    ],
)
def test_a_hit_has_a_word_within_its_bounds_and_loses_it_beyond(
    word: str, having: dict[str, Any], losing: dict[str, Any]
) -> None:
    assert word in character_words(hit(**having))
    assert word not in character_words(hit(**(having | losing)))


@pytest.mark.parametrize(
    ("word", "having", "losing"),
    [
        ("steady", ramp(3.9), ramp(6.0)),
        ("rising", ramp(8.0), ramp(4.0)),
        ("falling", ramp(-8.0), ramp(-4.0)),
        ("moving", {"loudness_course": WAVES}, ramp(3.0)),
        ("moving", {"loudness_course": WAVES}, ramp(20.0)),
        ("bright", {"brightness": 60.0}, {"brightness": 59.0}),
        ("dull", {"brightness": 30.0, "bands_db": MUFFLED}, {"brightness": 40.0}),
        ("noisy", {"noisiness": 60.0}, {"noisiness": 40.0}),
        ("swelling", {"attack_ms": 500.0}, {"attack_ms": 20.0}),
        ("swelling", {"attack_ms": 500.0} | ramp(6.0), ramp(3.9)),
    ],
)
def test_a_texture_has_words_of_its_own(word: str, having: dict[str, Any], losing: dict[str, Any]) -> None:
    assert word in character_words(hit("texture", **having))
    assert word not in character_words(hit("texture", **(having | losing)))


def test_a_sound_in_the_middle_has_no_word() -> None:
    assert character_words(hit()) == []


@given(st.floats(0.02, 3.5), st.floats(0.02, 3.5))
def test_a_longer_decay_never_makes_a_hit_short_and_never_costs_it_long(a: float, b: float) -> None:
    quick, slow = (character_words(hit(**falling(seconds))) for seconds in sorted((a, b)))
    assert ("short" in slow) <= ("short" in quick)
    assert ("long" in quick) <= ("long" in slow)


SCORES = st.floats(0, 100)
FIGURES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["one-shot", "texture", "loop"]),
        "attack_ms": st.none() | st.floats(0, 3000),
        "crest_db": st.none() | st.floats(0, 40),
        "brightness": st.none() | SCORES,
        "noisiness": st.none() | SCORES,
        "duration_s": st.floats(0.01, 30),
        "note": st.none() | st.just("A2"),
        "bands_db": st.tuples(*[st.floats(-90, 0)] * 5),
        "loudness_course": st.lists(st.floats(-70, 0), max_size=64).map(tuple),
    }
)


@given(FIGURES)
def test_words_belong_to_the_kind_and_never_contradict_each_other(figures: dict[str, Any]) -> None:
    found = character_words(hit(**figures))
    assert set(found) <= set(words_of_kind(figures["kind"]))
    assert len(found) <= MAX_CHARACTER
    for pair in (
        {"short", "long"}, {"dull", "crisp"}, {"dull", "bright"}, {"noisy", "clean"}, {"gritty", "clean"},
        {"boomy", "thin"}, {"snappy", "swelling"}, {"punchy", "swelling"}, {"rising", "falling"},
        {"steady", "moving"}, {"steady", "swelling"}, {"short", "ringing"},
    ):  # fmt: skip
        assert not pair <= set(found)


def described_file(tmp_path: Path, content: bytes) -> dict[str, Any]:
    path = tmp_path / "sound.wav"  # a name that says nothing
    path.write_bytes(content)
    return describe_by_rules(Analysis.from_dict(measure_file(path))).to_dict()


@pytest.mark.parametrize(
    ("made", "has", "lacks"),
    [
        (0.9 * tone(52, 0.3, 12), {"clean", "dull", "punchy", "tuned"}, {"crisp", "noisy", "ringing"}),
        (0.6 * noise(0.15, 40), {"noisy", "short", "snappy", "crisp"}, {"dull", "clean", "tuned", "long"}),
        (0.7 * tone(2000, 4.0, 2.5), {"ringing", "tuned", "clean"}, {"short", "noisy", "dull", "boomy"}),
        (0.9 * tone(50, 2.0, 2), {"boomy", "dull"}, {"short", "thin", "crisp"}),
    ],
)
def test_made_hits_have_the_words_a_producer_would_use(
    tmp_path: Path, made: np.ndarray[Any, Any], has: set[str], lacks: set[str]
) -> None:
    found = described_file(tmp_path, wav(made))
    assert found["moods"] == []
    assert has <= set(found["character"])
    assert not lacks & set(found["character"])


def test_silence_has_no_mood_no_genre_and_no_character(tmp_path: Path) -> None:
    found = described_file(tmp_path, silence(4.0))
    assert [found[name] for name in ("moods", "character", "genres", "instruments", "tags")] == [[]] * 5
    assert (found["energy"], found["description"]) == (0, "Silence.")


def test_the_reasons_are_the_figures_of_the_words() -> None:
    found = describe_by_rules(hit(noisiness=60.0, duration_s=0.1))
    assert found.vibe.character == ["gritty", "noisy", "short"]
    assert found.because["character"] == "noisiness 60, brightness 54, never falls 20 dB, 0.10 s"
    assert "moods" not in found.because


def test_every_word_has_bounds_on_figures_that_are_shown() -> None:
    assert set(BOUNDS) == set(CHARACTERS) == {*HIT_CHARACTERS, *TEXTURE_CHARACTERS}
    figures = {figure for bounds in BOUNDS.values() for figure in bounds}
    assert figures == set(FEATURES_OF_FIGURE)
    assert {each for features in FEATURES_OF_FIGURE.values() for each in features} <= set(FEATURES)


def test_the_documented_bounds_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| ([a-z]+) \| `([^|]+)` \|", DOCS.read_text(), re.M)
    said = {word: text for word, text in rows if word in BOUNDS}
    assert said == {word: _bounds_text(word) for word in BOUNDS}


def _bounds_text(word: str) -> str:
    parts = [
        f"{figure} {sign} {bound:g}"
        for figure, bounds in BOUNDS[word].items()
        for sign, bound in zip(("≥", "≤"), bounds, strict=True)
        if bound is not None
    ]
    return ", ".join(parts)
