"""What an order for several sounds says, which presets there are, and which downloads are free."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.audio.render.recipe import RenderRecipe, read_recipe
from app.extensions import db
from app.models import Job, Render, Usage, User
from app.models.base import new_id, transaction, utcnow
from app.shaping import orders, presets, render_downloads, renders
from app.shaping.orders import Ordered
from app.shaping.presets import TooManyPresetsError
from app.shaping.render_making import REPORTED, new_render
from app.shaping.render_purposes import RENDER
from tests.search.test_text_conditions import shelve
from tests.shaping.test_render_cache import shaped_row
from tests.support import waiting_jobs

RECIPE: dict[str, Any] = {
    "version": 1, "start": 3, "end": 90_001, "speed": 1.5, "bpm": 120.0, "from_bpm": 90.0, "beats": 8,
    "method": "slices", "onsets": [0.0, 0.5], "reverse": True, "gain_db": -2.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("jobs", "shaped", "refused", "sentence"),
    [
        (0, 0, 0, "There was nothing to shape."),
        (1, 0, 0, "Shaping 1 sample."),
        (2, 1, 0, "Shaping 2 samples. 1 sample was already shaped like this."),
        (0, 2, 1, "2 samples were already shaped like this. One: no tempo 1"),
        (0, 0, 3, "One: no tempo 1 Two: no tempo 2 Three: no tempo 3"),
        (1, 0, 4, "Shaping 1 sample. One: no tempo 1 Two: no tempo 2 Three: no tempo 3 1 more could not be "
                  "shaped either."),
    ],
)  # fmt: skip
def test_an_order_says_what_became_of_each_sample(
    jobs: int, shaped: int, refused: int, sentence: str
) -> None:
    names = ("One", "Two", "Three", "Four")[:refused]
    reasons = {name: f"no tempo {number}" for number, name in enumerate(names, 1)}
    assert Ordered([Job() for _ in range(jobs)], shaped, reasons).sentence == sentence


def test_a_preset_has_nothing_that_belongs_to_one_sample_alone(owner: User) -> None:
    row = shaped_row(owner, size_bytes=5)
    with transaction():
        row.recipe = read_recipe(RECIPE).to_dict()
    plain = RenderRecipe()
    kept = orders.own_choices(row)
    assert (kept.speed, kept.bpm, kept.reverse, kept.gain_db) == (1.5, 120.0, True, -2.0)
    for name in ("start", "end", "from_bpm", "beats", "method", "onsets"):
        assert getattr(kept, name) == getattr(plain, name), name


def test_each_user_has_so_many_presets_listed_by_name(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presets, "MAX_PRESETS", 3)
    for user in (stranger, owner):
        for name in ("beta", "Alpha", "Gamma"):
            presets.save_preset(user, name, RenderRecipe(gain_db=-1.0))
    presets.save_preset(owner, "beta", RenderRecipe(reverse=True))
    with pytest.raises(TooManyPresetsError):
        presets.save_preset(owner, "Beta", RenderRecipe())
    mine = presets.list_presets(owner)
    assert [(each.name, presets.recipe_of(each).reverse) for each in mine] == [
        ("Alpha", False), ("beta", True), ("Gamma", False)
    ]  # fmt: skip
    presets.delete_preset(mine[0])
    presets.save_preset(owner, "Delta", RenderRecipe())
    assert [each.name for each in presets.list_presets(owner)] == ["beta", "Delta", "Gamma"]
    assert len(presets.list_presets(stranger)) == 3
    assert presets.describe(presets.list_presets(owner)[1]) == "changes nothing"
    with transaction():
        mine[1].recipe = {"version": 999}
    assert presets.describe(mine[1]) == "from an older version: save it again"


def renders_of(user: User) -> dict[str, Render]:
    """Return shaped sounds of three samples, two of which have the same audio."""
    made = shelve(user, {"One": {}, "Same audio": {}, "Other": {}})
    rows = {}
    with transaction() as session:
        for name, sample, gain_db, audio in (
            ("one", made["One"], -1.0, "a"),
            ("louder", made["One"], 1.0, "a"),
            ("same audio", made["Same audio"], -1.0, "a"),
            ("other", made["Other"], -1.0, "b"),
        ):
            sample.content_sha256 = audio * 64
            found = dict.fromkeys(REPORTED) | {"frames": 1, "channels": 1, "done": [], "peaks": []}
            values = found | {"size_bytes": 5}
            recipe = RenderRecipe(gain_db=gain_db)
            rows[name] = new_render(new_id(), user.id, sample.id, recipe, f"made/{name}", values)
            session.add(rows[name])
    return rows


def free_of_cost(user: User, rows: dict[str, Render]) -> set[str]:
    return {name for name, row in rows.items() if render_downloads.is_counted(user, row)}


def test_a_download_is_free_for_a_day_for_the_same_audio_and_recipe(owner: User) -> None:
    rows = renders_of(owner)
    assert free_of_cost(owner, rows) == set()
    left = orders.renders_left(owner)
    render_downloads.count_download(owner, rows["one"])
    render_downloads.count_download(owner, rows["same audio"])
    assert free_of_cost(owner, rows) == {"one", "same audio"}
    assert orders.renders_left(owner) == left - 1
    for minutes, free in ((24 * 60 - 1, {"one", "same audio"}), (24 * 60 + 1, set[str]())):
        with transaction() as session:
            session.execute(update(Usage).values(effective_at=utcnow() - timedelta(minutes=minutes)))
        assert free_of_cost(owner, rows) == free
    assert orders.renders_left(owner) == left


def test_what_was_ordered_for_good_is_downloaded_for_nothing(owner: User) -> None:
    rows = renders_of(owner)
    for row, digest in ((rows["louder"], rows["louder"].recipe_sha256), (rows["other"], "another")):
        choices = {"recipe_sha256": digest}
        waiting_jobs(owner, 1, purpose=RENDER, sample_id=row.sample_id, choices=choices)
    assert free_of_cost(owner, rows) == {"louder"}
    for name, row in rows.items():
        found = renders.find_render(row.sample_id, read_recipe(row.recipe))
        assert found is row, name
    assert db.session.get(Render, rows["one"].id) is rows["one"]
