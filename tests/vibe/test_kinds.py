"""Use, sentence and keywords that the rules give to loops, one-shots and textures."""

from __future__ import annotations

from typing import Any

import pytest

from app.vibe import grounding, rules_describer
from tests.measurements import loop_analysis


@pytest.mark.parametrize(
    ("changes", "use"),
    [
        ({"kind": "loop", "sound": "drums", "key": "A minor"}, "drum loop to chop"),
        ({"kind": "loop", "sound": "percussion", "key": None}, "drum loop to chop"),
        ({"kind": "loop", "sound": None, "key": None}, "drum loop to chop"),
        ({"kind": "loop", "sound": "bass", "key": None}, "melodic loop to layer"),
        ({"kind": "loop", "sound": "full mix", "key": "A minor"}, "melodic loop to layer"),
        ({"kind": "texture", "bpm": None, "loudness_course": (-20.0,) * 16}, "bed to hold"),
        (
            {"kind": "texture", "bpm": None, "loudness_course": tuple(float(n) for n in range(-36, -20))},
            "transition",
        ),
        (
            {"kind": "texture", "bpm": None, "loudness_course": tuple(float(-n) for n in range(20, 36))},
            "transition",
        ),
    ],
)
def test_the_use_follows_from_the_class_of_a_loop_and_the_course_of_a_texture(
    changes: dict[str, Any], use: str
) -> None:
    measured = loop_analysis(**changes)
    by_rules = rules_describer.vibe_by_rules(measured)
    assert by_rules.use == use
    assert grounding.correct_vibe(by_rules, by_rules, measured) == (by_rules, [])


def test_a_hit_without_a_tempo_is_neither_slow_nor_fast() -> None:
    hit = loop_analysis(kind="one-shot", sound="kick", bpm=None)
    assert not {"slow", "fast"} & set(rules_describer.vibe_by_rules(hit).tags)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "loop", "sound": "drums"}, "drum loop at 100 BPM in A minor."),
        ({"kind": "loop", "sound": "full mix", "key": None}, "full mix loop at 100 BPM."),
        ({"kind": "loop", "sound": None}, "loop at 100 BPM in A minor."),
        ({"kind": "one-shot", "sound": "open hat", "bpm": None, "key": None}, "open hat."),
        ({"kind": "one-shot", "sound": None, "bpm": None, "key": None}, "sound."),
        ({"kind": "texture", "sound": None, "bpm": None, "key": None}, "texture."),
    ],
)
def test_the_sentence_names_the_class_and_contradicts_nothing(changes: dict[str, Any], said: str) -> None:
    measured = loop_analysis(**changes)
    sentence = rules_describer.vibe_by_rules(measured).description
    assert sentence.endswith(f" {said}")
    assert grounding.find_contradictions(sentence, measured) == []


def test_a_loop_is_neither_short_nor_ringing() -> None:
    falling = tuple(-20.0 - 3 * n for n in range(16))
    hit, loop = (
        rules_describer.plain_tags(
            loop_analysis(kind=kind, bpm=None, duration_s=seconds, loudness_course=falling)
        )
        for kind, seconds in (("one-shot", 0.4), ("loop", 0.4))
    )
    assert ("short" in hit, "short" in loop) == (True, False)
