"""Swapping the sound of a pad: ten alternatives forwards and back, and brighter, darker or punchier."""

from __future__ import annotations

import pytest

from app.kits import history, pad_edits
from app.kits.kit_rows import load_state
from app.kits.pad_edits import EmptyPadError
from app.kits.pad_swaps import PREVIOUS, NothingAlikeError, change_pad, settings_after_swap, swap_pad
from app.models import Kit, Sample, User
from app.music.sound_classes import ONE_SHOT
from app.sp404.pad_settings import PadSettings, read_settings
from tests.kits.fill_stock import shelve_sound, vector_at
from tests.kits.stock import held_ids, kit_of


@pytest.fixture
def kicks(owner: User) -> list[Sample]:
    """Return thirteen kicks, each farther from the first and brighter than the one before."""
    found = [
        shelve_sound(
            owner,
            f"Kick {n}",
            ONE_SHOT,
            "kick",
            similarity=vector_at(n + 1.0),
            brightness=20.0 + 5 * n,
            crest_db=5.0 + n,
        )
        for n in range(13)
    ]
    shelve_sound(owner, "Snare", ONE_SHOT, "snare", similarity=vector_at(1.1))
    return found


@pytest.fixture
def kit(owner: User, kicks: list[Sample]) -> Kit:
    return kit_of(owner, A1=kicks[0], A2=kicks[2])


def test_ten_alternatives_are_walked_forwards_and_back(owner: User, kit: Kit, kicks: list[Sample]) -> None:
    walked = [swap_pad(owner, kit, "A1").name for _ in range(11)]
    assert walked == [f"Kick {n}" for n in (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0)]
    assert swap_pad(owner, kit, "A1", PREVIOUS).name == "Kick 11"
    assert swap_pad(owner, kit, "A1", PREVIOUS).name == "Kick 10"
    assert history.undo_change(kit) == "Swap A1 for one alike"
    assert held_ids(kit)["A1"] == kicks[11].id
    assert swap_pad(owner, kit, "A1", PREVIOUS).name == "Kick 10"


def test_another_change_ends_the_walk(owner: User, kit: Kit, kicks: list[Sample]) -> None:
    swap_pad(owner, kit, "A1")
    history.change_kit(kit, "Set A1", pad_edits.change_settings("A1", {"level": 90}))
    assert swap_pad(owner, kit, "A1").name == "Kick 0"


def test_the_pad_keeps_its_own_settings_and_drops_those_of_the_sound(owner: User, kit: Kit) -> None:
    points = {"start": 100, "end": 900, "loop_top": 200, "chops": [0, 50]}
    changes = {"level": 80, "mute_group": 3, "name": "Thump", **points}
    history.change_kit(kit, "Set A1", pad_edits.change_settings("A1", changes))
    swap_pad(owner, kit, "A1")
    settings = load_state(kit).pad("A1").settings
    assert (settings.level, settings.mute_group, settings.name) == (80, 3, "")
    assert (settings.start, settings.end, settings.loop_top, settings.chops) == (0, None, None, ())
    fresh = PadSettings(bpm=120.0, bpm_sync=True)
    assert settings_after_swap(settings, fresh).bpm == 120.0


@pytest.mark.parametrize(
    ("change", "name"), [("brighter", "Kick 7"), ("darker", "Kick 3"), ("punchier", "Kick 9")]
)
def test_a_clearly_other_sound_that_is_most_alike(
    owner: User, kicks: list[Sample], change: str, name: str
) -> None:
    kit = kit_of(owner, A1=kicks[5])
    assert change_pad(owner, kit, "A1", change).name == name
    assert history.next_steps(kit).undo == f"Make A1 {change}"


def test_what_can_not_be_swapped_says_why(owner: User, kit: Kit, kicks: list[Sample]) -> None:
    with pytest.raises(EmptyPadError):
        swap_pad(owner, kit, "B1")
    with pytest.raises(NothingAlikeError, match="clearly shorter"):
        change_pad(owner, kit, "A1", "shorter")
    history.change_kit(kit, "Lock", pad_edits.lock(["A1"], True))
    with pytest.raises(NothingAlikeError, match="locked"):
        swap_pad(owner, kit, "A1")
    lonely = shelve_sound(owner, "Clap", ONE_SHOT, "clap", similarity=vector_at(3.0))
    with pytest.raises(NothingAlikeError, match="no other sound"):
        swap_pad(owner, kit_of(owner, A1=lonely), "A1")
    old = shelve_sound(owner, "Old", ONE_SHOT, "clap", similarity=())
    with pytest.raises(NothingAlikeError, match="not been measured"):
        swap_pad(owner, kit_of(owner, A1=old), "A1")


def test_what_belongs_to_the_sound_comes_from_the_new_one_and_all_else_stays() -> None:
    of_sound = {"name", "bpm", "bpm_sync", "start", "end", "loop_top", "chops", "recipe", "kept"}
    old = read_settings(
        {
            "name": "Old",
            "bpm": 90.0,
            "bpm_sync": True,
            "start": 10,
            "end": 90,
            "loop_top": 20,
            "chops": [0, 30],
        }
        | {"recipe": {"version": 1, "start": 5}, "kept": "ab", "level": 11, "pan": 3, "loop": True}
        | {"mute_group": 2, "play_mode": "reverse", "attack": 7, "fixed_velocity": True}
    )
    for fresh in (PadSettings(), read_settings({"name": "New", "bpm": 70.0, "level": 99, "kept": "cd"})):
        swapped = settings_after_swap(old, fresh).to_dict()
        expected = {name: (fresh if name in of_sound else old).to_dict().get(name) for name in old.to_dict()}
        assert {name: swapped.get(name) for name in expected} == expected
