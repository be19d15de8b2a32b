"""The sound of a pad is shaped by the form of its panel, and the sample stays as it is."""

from __future__ import annotations

from typing import Any

import pytest

from app.audio.render.recipe import RenderRecipe
from app.extensions import db
from app.kits import history, pad_edits
from app.kits.kit_rows import load_state
from app.kits.kit_state import PadState
from app.models import Kit, Sample, User
from tests.kits.stock import kit_of
from tests.search.test_text_conditions import shelve
from tests.support import Browser

SHAPE = {"level_unit": "dBTP", "fade_curve": "linear", "mono": ""}


@pytest.fixture
def kit(owner: User) -> Kit:
    return kit_of(owner, A1=shelve(owner, {"Break": {"kind": "loop", "bpm": 93.0}})["Break"])


def held(kit: Kit) -> PadState:
    return load_state(kit).pad("A1")


def shape(browser: Browser, kit: Kit, **sent: Any) -> tuple[int, str]:
    form = SHAPE | {"revision": str(kit.revision)} | sent
    answer = browser.post(f"/kits/{kit.id}/pads/A1/shape", **form)
    return answer.status_code, answer.get_data(as_text=True)


def test_a_pad_is_shaped_told_and_shaped_back(as_owner: Browser, kit: Kit) -> None:
    measured_bpm = held(kit).settings.bpm
    assert shape(as_owner, kit, bpm="100", transpose="-2", reverse="1")[0] == 303
    recipe = held(kit).settings.recipe
    assert recipe is not None
    assert (recipe.bpm, recipe.transpose, recipe.reverse) == (100, -2, True)
    assert held(kit).settings.bpm == 100
    page = as_owner.get(f"/kits/{kit.id}/pads/A1").get_data(as_text=True)
    assert "Shaping: to 100 BPM" in page
    assert 'value="100"' in page
    assert shape(as_owner, kit, remove="1")[0] == 303
    assert (held(kit).settings.recipe, held(kit).settings.bpm) == (None, measured_bpm)
    as_owner.post(f"/kits/{kit.id}/undo", revision=str(kit.revision), bank="A")
    assert held(kit).settings.recipe == recipe


def test_a_saved_form_keeps_what_it_does_not_show_and_speed_moves_the_tempo(
    as_owner: Browser, kit: Kit
) -> None:
    fitted = RenderRecipe(bpm=90.0, beats=8, trim_db=-40.0)
    history.change_kit(kit, "Fit", pad_edits.change_settings("A1", {"recipe": fitted.to_dict()}))
    assert shape(as_owner, kit, bpm="90", trim="1", speed="1.25")[0] == 303
    recipe = held(kit).settings.recipe
    assert recipe is not None
    assert (recipe.beats, recipe.trim_db, recipe.speed) == (8, -40.0, 1.25)
    assert held(kit).settings.bpm == 112.5


def test_a_pad_of_half_the_length_has_twice_the_tempo(as_owner: Browser, kit: Kit) -> None:
    sample = db.session.get_one(Sample, held(kit).sample_id)
    assert shape(as_owner, kit, length_s=str(sample.duration_s / 2))[0] == 303
    assert held(kit).settings.bpm == 2 * (sample.bpm or 0)


def test_a_form_that_changes_nothing_is_no_shaping(as_owner: Browser, kit: Kit) -> None:
    shape(as_owner, kit, gain_db="-3")
    assert held(kit).settings.recipe is not None
    shape(as_owner, kit, gain_db="0", speed="1")
    assert held(kit).settings.recipe is None


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"bpm": "1"}, "Enter a number from"),
        ({"bpm": "100", "length_s": "2"}, 'role="alert"'),
        ({"transpose": "x"}, "Not a valid decimal value"),
    ],
)
def test_what_can_not_be_done_is_said_at_the_pad(
    as_owner: Browser, kit: Kit, sent: dict[str, str], sentence: str
) -> None:
    status, page = shape(as_owner, kit, **sent)
    assert (status, sentence in page, '<details class="pad-shape" open>' in page) == (422, True, True)
    assert held(kit).settings.recipe is None


def test_a_pad_without_a_sound_has_nothing_to_shape(as_owner: Browser, kit: Kit) -> None:
    answer = as_owner.post(f"/kits/{kit.id}/pads/B2/shape", revision=str(kit.revision), **SHAPE)
    assert answer.status_code == 404
