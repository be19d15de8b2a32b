"""What is said about a whole kit: its hats, gaps, patterns and size, each at its limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from app.sp404.card.card_sounds import CardSound
from app.sp404.card.pad_plans import CardPlan, plan_card
from app.sp404.kit_document import PatternDocument
from app.sp404.preflight.findings import Finding
from app.sp404.preflight.kit_checks import check_targets_room, check_whole_kit
from app.sp404.project.packed_patterns import pack_pattern
from app.sp404.project.pattern_notes import PatternNote, compose_pattern
from tests.sp404.card.made_kits import card_sound, make_kit, pad
from tests.sp404.project.made_files import padconf

HATS = {"A1": "closed hat", "A2": "closed hat", "A3": "open hat"}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> CardSound:
    return card_sound(tmp_path_factory.mktemp("sounds"), 6_000, digest="")


def kit_of(sound: CardSound, places: Iterable[str], **values: Any) -> CardPlan:
    """Return the plan of a kit with a sound on each of these pads."""
    pads = {place: pad(f"S {place}") for place in places}
    return plan_card(make_kit(pads, **values), dict.fromkeys(pads, sound))


def hats_of(sound: CardSound, groups: Mapping[str, int]) -> CardPlan:
    """Return the plan of a kit with two closed hats, an open one, and kicks on the other pads."""
    pads = {place: pad(f"S {place}", mute_group=group) for place, group in groups.items()}
    sounds = {place: replace(sound, sound_class=HATS.get(place, "kick")) for place in groups}
    return plan_card(make_kit(pads), sounds)


def the_one(findings: Iterable[Finding], code: str) -> Finding | None:
    found = [one for one in findings if one.code == code]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("groups", "fixed"),
    [
        ({"A1": 1, "A2": 2, "A3": 2}, None),
        ({"A1": 2, "A2": 0, "A3": 2}, None),
        ({"A3": 1}, None),  # no closed hat
        ({"A1": 1, "B1": 1, "A4": 3}, None),  # no open one
        ({"A1": 0, "A2": 0, "A3": 0}, {"A3": 1, "A1": 1, "A2": 1}),
        ({"A1": 0, "A3": 0, "A4": 1, "A5": 2}, {"A3": 3, "A1": 3}),
        ({"A1": 0, "A3": 4}, {"A3": 4, "A1": 4}),
        ({"A1": 5, "A2": 3, "A3": 1}, {"A3": 3}),
        ({"A1": 5, "A2": 3, "A3": 0}, {"A3": 3}),
        ({"A1": 0, "A3": 0, **{f"A{k + 3}": k for k in range(1, 10)}}, {"A3": 10, "A1": 10}),
        ({"A1": 0, "A3": 0, **{f"A{k + 3}": k for k in range(1, 11)}}, {"A3": 1, "A1": 1}),  # all are in use
    ],
)
def test_an_open_hat_gets_the_group_of_the_closed_ones(
    sound: CardSound, groups: dict[str, int], fixed: dict[str, int] | None
) -> None:
    found = the_one(check_whole_kit(hats_of(sound, groups), []), "open_hat_alone")
    changes = (
        found and found.fix and {place: each["mute_group"] for place, each in found.fix.settings.items()}
    )
    assert changes == fixed


def test_hats_of_other_banks_choke_nothing(sound: CardSound) -> None:
    """A mute group is a bank's own."""
    pads = {"B1": pad("Closed", mute_group=1), "A3": pad("Open", mute_group=2)}
    sounds = {"B1": replace(sound, sound_class="closed hat"), "A3": replace(sound, sound_class="open hat")}
    assert the_one(check_whole_kit(plan_card(make_kit(pads), sounds), []), "open_hat_alone") is None


@pytest.mark.parametrize(
    ("places", "wrong", "moves"),
    [
        (["A1", "B1"], None, None),
        (["A1", "C1"], "Bank B is empty between used ones.", {"C": "B"}),
        (["B1"], "Bank A is empty between used ones.", {"B": "A"}),
        (
            ["A1", "C1", "F1", "G1"],
            "Banks B, D, E are empty between used ones.",
            {"C": "B", "F": "C", "G": "D"},
        ),
    ],
)
def test_empty_banks_are_named_and_closed(
    sound: CardSound, places: list[str], wrong: str | None, moves: dict[str, str] | None
) -> None:
    found = the_one(check_whole_kit(kit_of(sound, places), []), "empty_bank")
    assert (found and found.wrong) == wrong
    assert (found and found.fix and found.fix.banks) == moves
    assert (
        found is None or found.done == f"{'They stay' if len(places) > 2 else 'It stays'} empty on the card."
    )


def played(*places: str) -> PatternDocument:
    notes = [PatternNote(number, place) for number, place in enumerate(places)]
    return PatternDocument(name="", ptn=pack_pattern(compose_pattern(notes, 1).to_bytes()))


def test_four_silent_pads_of_a_pattern_are_named_and_more_are_counted(sound: CardSound) -> None:
    for count, names in ((0, None), (1, "B1"), (4, "B1, B2, B3, B4"), (5, "B1, B2, B3, B4 and 1 more"),
                         (7, "B1, B2, B3, B4 and 3 more")):  # fmt: skip
        pattern = played("A1", *(f"B{number}" for number in range(1, count + 1)))
        found = the_one(
            check_whole_kit(kit_of(sound, ["A1"], patterns={"C2": pattern}), []), "pattern_unheard"
        )
        sentence = names and f"Pattern C2 plays pads without a sound: {names}."
        assert (found and found.wrong) == sentence


def test_a_card_may_be_as_large_as_the_memory_of_the_unit(sound: CardSound) -> None:
    def sized(size_bytes: int) -> CardSound:
        header = replace(sound.audio.header, size_bytes=size_bytes)
        return replace(sound, audio=replace(sound.audio, header=header))  # type: ignore[type-var]  # a WavSound

    def plan_of(more: int) -> CardPlan:
        sizes = {"A1": 7_000_000_000, "B1": 4_500_000_000, "B2": 4_500_000_000 + more}
        pads = {place: pad(place) for place in sizes}
        return plan_card(make_kit(pads), {place: sized(size) for place, size in sizes.items()})

    assert the_one(check_whole_kit(plan_of(0), []), "too_large") is None
    found = the_one(check_whole_kit(plan_of(1), []), "too_large")
    assert found is not None
    assert found.wrong == "The sounds have 16.0 GB, and the unit's memory is 16 GB. Bank B is the largest."


def test_the_head_of_a_project_that_is_kept_is_no_fault(sound: CardSound) -> None:
    head = padconf()[:160]
    for kept, is_fault in ((b"", False), (head, False), (head[:159], True), (b"RFPX" + head[4:], True)):
        kit = kit_of(sound, ["A1"], kept=kept.hex())
        assert (the_one(check_whole_kit(kit, []), "kept_unusable") is not None) == is_fault


def test_only_the_chosen_cards_need_room(sound: CardSound) -> None:
    plan = kit_of(sound, ["A12", "A13", "H4", "H16", "I1"], name="A kit with a name of 31 letters")

    def found_for(*targets: str) -> set[tuple[str, str]]:
        return {(one.code, one.place) for one in check_targets_room(plan, targets)}

    assert found_for("mk2") == found_for() == set()
    assert found_for("sx") == {("moved_on_sx", place) for place in ("A13", "H16")}
    assert found_for("wav") == {("folder_name", "Kit")}
    assert found_for("mk2", "xpm") == {("folder_name", "Kit"), ("no_room_on_mpc", "I1")}
