"""One uploaded drum loop, measured and stored for real, cut over the pads of a bank."""

from __future__ import annotations

from itertools import pairwise

import pytest

from app.extensions import db
from app.kits import history, kit_list, pad_edits
from app.kits.bank_filling import fill_bank, shuffle_bank
from app.kits.fill_wishes import FillWishes, wishes_of_sentence
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState
from app.models import Job, Kit, Sample, User
from app.sp404.bank_layouts import CHOP_GROUP, LAYOUTS
from tests.support import Browser, drum_loop, finished_job

BREAKS = FillWishes(LAYOUTS["breaks"])


@pytest.fixture
def loop(as_owner: Browser) -> Sample:
    job: Job = finished_job(as_owner, "amen.wav", drum_loop(93.0, 16))
    assert job.sample_id is not None
    return db.session.get_one(Sample, job.sample_id)


@pytest.fixture
def kit(owner: User) -> Kit:
    return kit_list.create_kit(owner, KitState("Breaks"))


def test_a_loop_is_cut_over_sixteen_pads_in_order(owner: User, kit: Kit, loop: Sample) -> None:
    report = fill_bank(owner, kit, "A", BREAKS)
    pads = [load_state(kit).pad(f"A{n}") for n in range(1, 17)]
    assert len(report.filled) == 16
    assert {pad.sample_id for pad in pads} == {loop.id}
    recipes = [pad.settings.recipe for pad in pads]
    spans = [(recipe.start, recipe.end) for recipe in recipes if recipe is not None]
    assert len(spans) == 16
    assert spans[0][0] == 0
    assert all(one[1] == other[0] for one, other in pairwise(spans))
    assert spans[-1][1] == round(loop.duration_s * loop.features.sample_rate)
    settings = pads[3].settings
    assert (settings.gate, settings.loop, settings.bpm_sync, settings.mute_group) == (
        True,
        False,
        False,
        CHOP_GROUP,
    )


def test_locked_pads_get_no_slice_and_undo_takes_all_slices_away(owner: User, kit: Kit, loop: Sample) -> None:
    history.change_kit(kit, "Lock", pad_edits.lock(["A2"], True))
    fill_bank(owner, kit, "A", wishes_of_sentence(owner, "chopped break"))
    assert load_state(kit).pad("A2").sample_id is None
    assert sum(pad.sample_id == loop.id for pad in load_state(kit).pads.values()) == 15
    shuffle_bank(owner, kit, "A", 3)  # the library has no other loop, so nothing changes
    assert sum(pad.sample_id == loop.id for pad in load_state(kit).pads.values()) == 15
    assert history.undo_change(kit) == "Fill bank A: Breaks"
    assert list(load_state(kit).pads) == ["A2"]
