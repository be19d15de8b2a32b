"""What each edit changes of a kit with several unlike pads, and what it leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.kits import bank_chops, pad_edits
from app.kits.history import KitEdit
from app.kits.kit_state import BankState, KitState, PadState, PatternState, apply_values, differing_values
from app.kits.pad_edits import EmptyPadError, KitFullError
from app.sp404.pad_settings import PadSettings, read_settings
from app.sp404.pads import PAD_NAMES


def sound(number: int, locked: bool = False, **settings: object) -> PadState:
    digest = str(number) * 64
    return PadState(f"sample {number}", f"Sound {number}", digest, locked, read_settings(settings))


ONE, TWO, THREE, FOUR = sound(1, level=11), sound(2, level=22), sound(3, True, level=33), sound(4, level=44)
GAP = PadState(None, "Gone", "9" * 64, False, read_settings({"level": 99}))
LOCKED = PadState(locked=True)
KIT = KitState(
    "Dusty", 9_000, "bank", "notes", "ab",
    banks={"A": BankState(9_100, 101, True), "B": BankState(9_200, 102, False)},
    pads={"A1": ONE, "A3": THREE, "B2": TWO, "B3": FOUR, "B16": GAP, "C4": LOCKED},
    patterns={"A1": PatternState("Beat", 1, "aa"), "B1": PatternState("Fill", 2, "bb")},
)  # fmt: skip
FREE_FROM_B = [f"B{number}" for number in (1, 4, 5)]


def changed(edit: KitEdit) -> dict[str, PadState]:
    """Return the pads that an edit changes, after checking that it changes nothing else."""
    after = edit(KIT)
    assert replace(after, pads={}, banks={}) == replace(KIT, pads={}, banks={})
    return {name: after.pad(name) for name in PAD_NAMES if after.pad(name) != KIT.pad(name)}


@pytest.mark.parametrize(
    ("edit", "pads"),
    [
        (pad_edits.place("B3", ONE), {"B3": ONE}),
        (pad_edits.place("A3", ONE), {"A3": replace(ONE, locked=True)}),
        (pad_edits.place("A1", THREE), {"A1": THREE}),
        (pad_edits.put("A3", ONE), {"A3": ONE}),
        (pad_edits.clear(["A1", "A3", "D1"]), {"A1": PadState(), "A3": PadState()}),
        (pad_edits.exchange("A1", "A3"), {"A1": THREE, "A3": ONE}),
        (pad_edits.exchange("A1", "D9"), {"A1": PadState(), "D9": ONE}),
        (pad_edits.copy_pad("A3", "A1"), {"A1": replace(THREE, locked=False)}),
        (pad_edits.copy_pad("A1", "A3"), {"A3": replace(ONE, locked=True)}),
        (pad_edits.copy_pad("B16", "D1"), {"D1": GAP}),
        (pad_edits.copy_pad("A1", "A1"), {}),
        (pad_edits.lock(["A1", "A2"], True), {"A1": replace(ONE, locked=True), "A2": LOCKED}),
        (pad_edits.lock(["A3", "C4"], False), {"A3": replace(THREE, locked=False), "C4": PadState()}),
        (
            pad_edits.change_settings("B2", {"pan": 3}),
            {"B2": replace(TWO, settings=TWO.settings.changed({"pan": 3}))},
        ),
        (
            pad_edits.change_several(["A1", "A2", "B16", "C4"], {"pan": 3}),
            {
                name: replace(pad, settings=pad.settings.changed({"pan": 3}))
                for name, pad in (("A1", ONE), ("B16", GAP))
            },
        ),
        (
            pad_edits.in_order(pad_edits.put("A1", TWO), pad_edits.exchange("A1", "A3")),
            {"A1": THREE, "A3": TWO},
        ),
    ],
)  # fmt: skip
def test_an_edit_changes_its_pads_and_nothing_else(edit: KitEdit, pads: dict[str, PadState]) -> None:
    assert changed(edit) == pads
    assert edit(KIT).banks == KIT.banks


def test_a_bank_is_copied_in_place_of_another_with_its_tempo_volume_and_protection() -> None:
    edit = pad_edits.copy_bank("A", "B")
    assert changed(edit) == {"B1": ONE, "B2": PadState(), "B3": THREE, "B16": PadState()}
    assert edit(KIT).banks == {"A": KIT.banks["A"], "B": KIT.banks["A"]}
    assert pad_edits.copy_bank("J", "A")(KIT).banks == {"B": KIT.banks["B"]}
    assert pad_edits.change_bank("B", volume=7)(KIT).banks["B"] == BankState(9_200, 7, False)
    assert pad_edits.change_values(tempo=9_999)(KIT) == replace(KIT, tempo=9_999)


def test_sounds_go_to_the_first_free_pads_of_a_bank_all_or_none() -> None:
    assert changed(pad_edits.place_on_free([TWO, ONE, THREE], "B")) == dict(
        zip(FREE_FROM_B, [TWO, ONE, THREE], strict=True)
    )
    free = pad_edits.free_pads(KIT, "B")
    assert (free[:3], free[-2:], len(free)) == (FREE_FROM_B, ["A15", "A16"], 160 - 6)
    assert changed(pad_edits.place_on_free([TWO] * 154, "J")).keys() == set(free)
    with pytest.raises(KitFullError, match="Only 154 pads are free for 155 samples"):
        pad_edits.place_on_free([TWO] * 155, "J")(KIT)
    full = KIT.with_pads(dict.fromkeys(PAD_NAMES[:-1], ONE))
    with pytest.raises(KitFullError, match="Only 1 pad is free for 2 samples"):
        pad_edits.place_on_free([TWO, TWO])(full)
    with pytest.raises(KitFullError, match="All 160 pads"):
        pad_edits.place_on_free([TWO])(full.with_pads({"J16": ONE}))


@pytest.mark.parametrize(
    "edit", [pad_edits.copy_pad("A2", "A1"), pad_edits.change_settings("C4", {"pan": 3})]
)
def test_a_pad_without_a_sound_has_nothing_to_copy_or_set(edit: KitEdit) -> None:
    with pytest.raises(EmptyPadError, match=r"Pad (A2|C4) is empty"):
        edit(KIT)


def test_what_two_kits_differ_in_turns_each_into_the_other() -> None:
    other = KitState(
        "Other", 8_000, "project", "other", "cd",
        banks={"B": BankState(9_300, 103, True), "C": BankState(7_000)},
        pads={"A1": TWO, "A3": THREE, "J16": ONE},
        patterns={"B1": PatternState("Fill", 4, "bb"), "C1": PatternState("New", 1, "cc")},
    )  # fmt: skip
    assert apply_values(KIT, differing_values(other, KIT)) == other
    assert apply_values(other, differing_values(KIT, other)) == KIT
    assert differing_values(KIT, KIT) == "{}"
    assert "A3" not in differing_values(other, KIT), "what is the same is not stored"


def test_slices_of_one_sound_are_a_chopped_bank() -> None:
    cut = PadSettings().changed({"recipe": {"version": 1, "start": 5, "end": 9}})
    one, again, other = replace(ONE, settings=cut), replace(ONE, settings=cut), replace(TWO, settings=cut)
    locked = replace(THREE, settings=PadSettings())
    assert bank_chops.is_chopped([one, again, PadState(), locked])
    assert not bank_chops.is_chopped([one])
    assert not bank_chops.is_chopped([one, other])
    assert not bank_chops.is_chopped([one, ONE])
    assert not bank_chops.is_chopped([one, replace(again, locked=True)])
