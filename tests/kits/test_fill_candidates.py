"""Which sounds may fill a bank in a large library: the user's own, from a place that chance chooses."""

from __future__ import annotations

import pytest

from app.kits import fill_candidates
from app.kits.fill_wishes import FillWishes
from app.models import User
from app.models.base import transaction
from app.music.sound_classes import ONE_SHOT
from app.search.indexing import follow_changes
from app.sp404.bank_layouts import LAYOUTS, WantedClass
from app.sp404.pad_candidates import Aim
from tests.kits import fill_stock
from tests.kits.fill_stock import shelve_sound, vector_at

KICK = WantedClass(ONE_SHOT, "kick")
LAST = "7" + "Z" * 25


@pytest.fixture
def ids(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids that samples get, one after another."""
    found: list[str] = []
    monkeypatch.setattr(fill_stock, "new_id", lambda: found.pop(0))
    return found


def test_chance_comes_to_every_part_of_a_library_whatever_others_have(
    owner: User, stranger: User, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fill_candidates, "SCANNED", 1)
    kicks = [f"0{place}{'0' * 24}" for place in range(1, 7)]
    ids += [*kicks, LAST, LAST.replace("7", "6")]
    for number in range(len(kicks)):
        shelve_sound(owner, f"Kick {number}", ONE_SHOT, "kick")
    shelve_sound(stranger, "Kick of a stranger", ONE_SHOT, "kick")
    deleted = shelve_sound(owner, "Deleted", ONE_SHOT, "kick")
    with transaction():
        deleted.deleted_at = deleted.created_at
    follow_changes(stranger.id)
    found = set()
    for seed in range(30):
        pools = fill_candidates.read_pools(owner, [KICK], FillWishes(LAYOUTS["mpc"]), Aim(seed=seed), ())
        found |= {each.sample_id for each in pools[KICK]}
    assert found == set(kicks)


def test_a_vector_of_an_earlier_engine_is_not_compared(owner: User) -> None:
    sample = shelve_sound(owner, "Kick", ONE_SHOT, "kick", similarity=vector_at(1.0))
    assert fill_candidates.load_candidates(owner, [sample.id])[sample.id].vector
    with transaction():
        assert sample.vector is not None
        sample.vector.version -= 1
    assert fill_candidates.load_candidates(owner, [sample.id])[sample.id].vector == ()
