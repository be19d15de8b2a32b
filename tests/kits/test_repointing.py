"""Where a freed duplicate lies on pads of several kits, each pad gets the sample that is kept."""

from __future__ import annotations

from app.kits import history
from app.kits.repointing import repoint_pads
from app.models import User
from app.models.base import transaction
from tests.kits.stock import held_ids, kit_of, some_samples


def test_only_pads_with_the_freed_sample_follow_now_and_after_undo(owner: User) -> None:
    freed, kept, other = some_samples(owner)
    kits = [kit_of(owner, A1=freed, A2=other), kit_of(owner, A1=other, A2=freed)]
    with transaction():
        assert repoint_pads(owner.id, {freed.id: kept.id}) == 2
    expected = [{"A1": kept.id, "A2": other.id}, {"A1": other.id, "A2": kept.id}]
    assert [held_ids(kit) for kit in kits] == expected
    for kit, held in zip(kits, expected, strict=True):
        for step in (history.undo_change, history.undo_change, history.redo_change):
            step(kit)
        assert held_ids(kit) == {"A1": held["A1"]}
        history.redo_change(kit)
        assert held_ids(kit) == held
