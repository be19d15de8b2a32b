"""Which of a library's sounds go on the pads of a bank: sure, fitting, various, and none twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from app.audio.similarity.layout import LENGTH
from app.music.sound_classes import LOOP, ONE_SHOT
from app.sp404.bank_fill import BankFill, Pick, fill_layout
from app.sp404.bank_layouts import BankLayout, PadRole, WantedClass
from app.sp404.pad_candidates import Aim, PadCandidate, chance_of

KICK, SNARE, CHORDS = (
    WantedClass(ONE_SHOT, "kick"),
    WantedClass(ONE_SHOT, "snare"),
    WantedClass(LOOP, "chords"),
)
CLASS_AT = 104  # the first number of a vector about the class of a sound
SEEDS = range(1, 60)


def sound(name: str, wanted: WantedClass = KICK, at: float | None = None, **values: Any) -> PadCandidate:
    """Return a candidate whose vector lies at a place on a line, or that has none."""
    vector = () if at is None else tuple(at if place == CLASS_AT else 0.0 for place in range(LENGTH))
    return PadCandidate(name, wanted.kind, wanted.sound, vector=vector, **values)


def bank(*classes: WantedClass | tuple[WantedClass, ...], chopped: bool = False, **role: Any) -> BankLayout:
    """Return a layout with these classes on the pads from 1 on."""
    wanted = [each if isinstance(each, tuple) else (each,) for each in classes]
    roles = {number: PadRole("pad", each, **role) for number, each in enumerate(wanted, 1)}
    return BankLayout("", "", (), "", roles, is_chopped=chopped)


def fill(layout: BankLayout, sounds: Iterable[PadCandidate], aim: Aim | None = None, **more: Any) -> BankFill:
    pools: dict[WantedClass, list[PadCandidate]] = {}
    for each in sounds:
        pools.setdefault(WantedClass(each.kind, each.sound), []).append(each)
    return fill_layout(layout, pools, aim or Aim(), **more)


def names(filled: BankFill) -> dict[int, str]:
    return {number: pick.candidate.sample_id for number, pick in filled.picks.items()}


def best_of(*sounds: PadCandidate, aim: Aim | None = None) -> str:
    """Return which of several sounds of one class goes on its only pad."""
    wanted = WantedClass(sounds[0].kind, sounds[0].sound)
    return names(fill(bank(wanted), sounds, aim))[1]


@pytest.mark.parametrize(("confidence", "is_taken"), [(0.49, False), (0.5, True)])
def test_only_a_sure_class_is_taken(confidence: float, is_taken: bool) -> None:
    filled = fill(bank(KICK), [sound("one", confidence=confidence)])
    assert names(filled) == ({1: "one"} if is_taken else {})
    assert list(filled.missing) == ([] if is_taken else [1])


@pytest.mark.parametrize(
    ("plain", "other", "best"),
    [
        ({"confidence": 0.9}, {"confidence": 0.91}, "other"),
        ({}, {"confidence": 0.7, "key": "A minor"}, "other"),  # the key outweighs 0.3, but not 0.4
        ({}, {"confidence": 0.6, "key": "A minor"}, "plain"),
        ({}, {"confidence": 0.6, "words": 1.0}, "other"),  # words outweigh 0.4, but not 0.5
        ({}, {"confidence": 0.5, "words": 1.0}, "plain"),
        (
            {"confidence": 0.9},
            {"confidence": 0.8, "liked": True},
            "other",
        ),  # a like outweighs 0.1, but not 0.15
        ({"confidence": 0.9}, {"confidence": 0.75, "liked": True}, "plain"),
        ({"words": 0.5}, {"words": 0.6}, "other"),
        ({"key": "E minor"}, {"key": "A minor"}, "other"),
    ],
)
def test_the_worth_of_a_sound_is_how_sure_it_is_how_it_fits_its_words_and_its_like(
    plain: dict[str, Any], other: dict[str, Any], best: str
) -> None:
    sounds = sound("plain", CHORDS, **plain), sound("other", CHORDS, **other)
    for order in (sounds, sounds[::-1]):
        assert best_of(*order, aim=Aim(key="A minor")) == best


def test_a_seed_chooses_between_sounds_of_similar_worth_only() -> None:
    equal = sound("a", confidence=0.8), sound("b", confidence=0.8)
    for seed in SEEDS:
        lucky = max(equal, key=lambda each: chance_of(each.sample_id, seed))
        assert best_of(*equal, aim=Aim(seed=seed)) == lucky.sample_id
    assert {best_of(*equal, aim=Aim(seed=seed)) for seed in SEEDS} == {"a", "b"}
    unequal = sound("a", confidence=1.0, words=1.0), sound("b", confidence=0.5)
    assert {best_of(*unequal, aim=Aim(seed=seed)) for seed in SEEDS} == {"a"}


@pytest.mark.parametrize(("confidence", "second"), [(0.8, "far"), (0.7, "near")])
def test_a_second_sound_of_a_class_is_unlike_the_first_and_almost_as_good(
    confidence: float, second: str
) -> None:
    sounds = [
        sound("best", at=0.0),
        sound("near", at=1.0, confidence=0.99),
        sound("far", at=9.0, confidence=confidence),
    ]
    assert names(fill(bank(KICK, KICK), sounds)) == {1: "best", 2: second}
    assert names(fill(bank(KICK, SNARE), [*sounds, sound("snare", SNARE)])) == {1: "best", 2: "snare"}


def test_of_one_class_only_sounds_of_that_class_count_as_alike() -> None:
    snares = [sound("good", SNARE, at=1.0), sound("far", SNARE, at=9.0, confidence=0.9)]
    assert names(fill(bank(KICK, SNARE), [sound("kick", at=0.0), *snares])) == {1: "kick", 2: "good"}


def test_a_sound_without_a_vector_is_as_like_as_can_be() -> None:
    sounds = [
        sound("best", at=0.0),
        sound("unknown", confidence=0.99),
        sound("other", at=0.5, confidence=0.9),
    ]
    assert names(fill(bank(KICK, KICK), sounds)) == {1: "best", 2: "other"}
    nothing_known = [sound("best"), sound("next", at=0.5, confidence=0.95), sound("last", confidence=0.9)]
    assert names(fill(bank(KICK, KICK, KICK), nothing_known)) == {1: "best", 2: "next", 3: "last"}


@pytest.mark.parametrize(("others", "is_taken"), [(4, True), (5, False), (7, False)])
def test_from_six_sounds_on_the_outlier_is_not_taken(others: int, is_taken: bool) -> None:
    crowd = [sound(f"crowd {number}", at=number * 0.4, confidence=0.6) for number in range(others)]
    odd = sound("odd", at=50.0, confidence=1.0)
    filled = names(fill(bank(KICK), [*crowd, odd]))
    assert (filled[1] == "odd") == is_taken
    unknown = [sound(f"unknown {number}", confidence=0.6) for number in range(3)]
    assert (names(fill(bank(KICK), [*crowd, odd, *unknown]))[1] == "odd") == is_taken


def test_three_of_four_sounds_are_typical() -> None:
    crowd = [sound(f"{number}", at=number * 0.5) for number in range(8)]
    filled = names(fill(bank(*[KICK] * 8), crowd))
    assert len(filled) == 8  # what is typical is asked again for each pad, of what is left
    better = [sound("edge", at=9.0, confidence=0.9), sound("typical", at=1.7, confidence=0.8)]
    weaker = [sound(f"{number}", at=number * 0.5, confidence=0.7) for number in range(6)]
    assert best_of(*weaker, *better) == "typical"


@pytest.mark.parametrize(
    ("key", "shift"),
    [
        ("A minor", 0),
        ("C major", 0),
        ("E minor", 0),
        ("B minor", -2),
        ("G# minor", 1),
        ("D# minor", -1),
        ("F# major", None),
        (None, None),
    ],
)
def test_a_pad_in_key_takes_what_mixes_if_need_be_moved(key: str | None, shift: int | None) -> None:
    filled = fill(bank(CHORDS, is_in_key=True), [sound("one", CHORDS, key=key)], Aim(key="A minor"))
    assert [pick.shift for pick in filled.picks.values()] == ([] if shift is None else [shift])
    free = fill(bank(CHORDS), [sound("one", CHORDS, key=key)], Aim(key="A minor"))
    assert [pick.shift for pick in free.picks.values()] == [0]


def test_without_a_key_the_pads_in_key_share_that_of_most_sounds() -> None:
    chords = [
        sound("a", CHORDS, key="A minor"),
        sound("b", CHORDS, key="A minor"),
        sound("c", CHORDS, key="F# major"),
    ]
    filled = fill(bank(CHORDS, CHORDS, CHORDS, is_in_key=True), chords)
    assert (filled.key, set(names(filled).values())) == ("A minor", {"a", "b"})
    assert fill(bank(CHORDS), chords).key is None
    assert fill(bank(CHORDS, is_in_key=True), chords, Aim(key="F# major")).key == "F# major"
    keyless = fill(bank(CHORDS, is_in_key=True), [sound("none", CHORDS)])
    assert (keyless.key, names(keyless)) == (None, {1: "none"})


def test_locked_pads_are_left_alone_and_a_chopped_bank_needs_one_sound() -> None:
    sounds = [sound("a", at=0.0), sound("b", at=1.0), sound("c", at=2.0)]
    assert list(names(fill(bank(KICK, KICK, KICK), sounds, locked=[1, 3]))) == [2]
    assert list(names(fill(bank(KICK, KICK, KICK, chopped=True), sounds, locked=[1]))) == [2]
    assert fill(bank(KICK, SNARE), sounds).missing.keys() == {2}
    assert fill(bank(KICK, SNARE), sounds, locked=[2]).missing == {}


def test_a_later_class_stands_in_for_one_that_the_library_lacks() -> None:
    layout = bank((SNARE, KICK))
    assert names(fill(layout, [sound("kick"), sound("snare", SNARE)])) == {1: "snare"}
    filled = fill(layout, [sound("kick"), sound("unsure", SNARE, confidence=0.4)])
    assert (names(filled), filled.picks[1].wanted) == ({1: "kick"}, KICK)


@pytest.mark.parametrize(
    ("other", "are_together"),
    [
        (sound("b", at=0.29), False),
        (sound("b", at=0.31), True),
        (sound("b", at=9.0, group_id="g"), False),
        (sound("b", at=9.0, group_id="h"), True),
        (sound("a", at=9.0), False),
    ],
)
def test_the_same_recording_is_never_there_twice(other: PadCandidate, are_together: bool) -> None:
    first = sound("a", at=0.0, group_id="g")
    assert (len(fill(bank(KICK, KICK), [first, other]).picks) == 2) == are_together
    assert (len(fill(bank(KICK), [other], taken=[first]).picks) == 1) == are_together


def test_ranked_pads_go_from_the_darkest_to_the_brightest() -> None:
    roles = {
        number: PadRole(f"kick {rank}", (KICK,), pitch_rank=rank)
        for number, rank in ((1, 3), (2, 1), (3, 0), (4, 2), (5, 4))
    }
    layout = BankLayout("", "", (), "", roles)
    bright = [9.0, 5.0, 1.0, 7.0, None]
    sounds = [
        sound(f"{number}", at=number * 2.0, brightness=each, confidence=1 - number / 100)
        for number, each in enumerate(bright)
    ]
    filled = fill(layout, sounds)
    unranked = filled.picks[3].candidate
    ranked = [filled.picks[number].candidate.brightness or 0.0 for number in (2, 4, 1, 5)]
    assert ranked == sorted(each or 0.0 for each in bright if each != unranked.brightness)
    assert [filled.picks[number].role for number in roles] == list(roles.values())


def test_a_pick_is_not_moved_unless_it_says_so() -> None:
    assert Pick(sound("a"), PadRole("kick", (KICK,)), KICK).shift == 0
