"""A loop is cut in the first way that gives a slice for each pad, or else in the one that gives most."""

from __future__ import annotations

import pytest

from app.audio.render.recipe import RecipeError
from app.kits import bank_chops
from app.models import Sample, User
from app.shaping.chops import Chops
from tests.search.test_text_conditions import shelve

PADS = ["B1", "B2", "B3", "B5"]


@pytest.fixture
def sample(owner: User) -> Sample:
    return shelve(owner, {"Break": {}})["Break"]


@pytest.mark.parametrize(
    ("found", "slices", "asked"),
    [
        ([4], 4, 1),
        ([2, 4], 4, 2),
        ([None, 3, 4], 4, 3),
        ([2, 3, None, 1], 3, 4),
        ([1, 2, 2, 3], 3, 4),
        ([None, None, None, 2], 2, 4),
    ],
)
def test_the_way_that_fills_the_pads_is_taken(
    sample: Sample, found: list[int | None], slices: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[tuple[str, float]] = []

    def cut(_: Sample, way: str, count: int, sensitivity: float) -> Chops:
        assert count == len(PADS)
        tried.append((way, sensitivity))
        number = found[len(tried) - 1]
        if number is None:
            raise RecipeError("no tempo")
        return Chops(tuple(100 * len(tried) * place for place in range(number)), 48_000, 24_000)

    monkeypatch.setattr(bank_chops, "find_chops", cut)
    held = bank_chops.chop_over(sample, PADS, {"level": 77})
    assert list(held) == PADS[:slices]
    assert tried == list(bank_chops.WAYS[:asked])
    assert {pad.settings.level for pad in held.values()} == {77}
    recipes = [pad.settings.recipe for pad in held.values()]
    starts = [recipe.start for recipe in recipes if recipe is not None]
    way = found.index(slices) + 1
    assert starts == [50 * way * place for place in range(slices)], "in frames of the original"


def test_a_sound_that_no_way_can_cut_is_refused(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Chops:
        raise RecipeError("no tempo")

    monkeypatch.setattr(bank_chops, "find_chops", refuse)
    with pytest.raises(RecipeError, match="can't be cut"):
        bank_chops.chop_over(sample, PADS, {})
