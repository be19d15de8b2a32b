"""What is asked of one shaped sound, recipe or producer is not answered with another's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.audio.render.recipe import RenderRecipe
from app.billing.plans import Plan
from app.extensions import db
from app.jobs.reprocess import LIMIT_WINDOW
from app.library import trash
from app.models import Job, Render, Sample, Usage, User
from app.models.base import new_id, transaction, utcnow
from app.models.usage import RENDER
from app.shaping import orders, presets, render_downloads, render_making, renders
from tests.search.test_text_conditions import shelve

QUIETER, LOUDER, OTHER = (RenderRecipe(gain_db=gain_db) for gain_db in (-1.0, 2.0, -3.0))
LONG_AGO = timedelta(days=3)


@pytest.fixture
def shelf(owner: User, stranger: User) -> dict[str, Sample]:
    """Two sounds of the owner, and one of a stranger that is older."""
    return dict(shelve(stranger, {"Theirs": {}})) | dict(shelve(owner, {"Loop": {}, "Break": {}}))


def shape(sample: Sample, recipe: RenderRecipe, size_bytes: int = 500) -> Render:
    """Return the row of a shaped sound without a file, which was last asked for three days ago."""
    made: dict[str, Any] = dict.fromkeys(render_making.REPORTED)
    made |= {"size_bytes": size_bytes, "frames": 1, "channels": 1, "done": [], "peaks": []}
    render_id = new_id()
    key = f"made/{sample.user_id}/{render_id}"
    with transaction() as session:
        row = render_making.new_render(render_id, sample.user_id, sample.id, recipe, key, made)
        session.add(row)
        session.flush()
        row.used_at = utcnow() - LONG_AGO
    return row


def asked_today() -> set[str]:
    db.session.expire_all()
    return set(db.session.scalars(select(Render.id).where(Render.used_at > utcnow() - LONG_AGO / 2)))


def ordered(user: User, render: Render, **values: Any) -> Job:
    """Return a job whose order is the same as what a render was made by."""
    choices = {"recipe": render.recipe, "recipe_sha256": render.recipe_sha256}
    row = {"purpose": "render", "sample_id": render.sample_id, "choices": choices, "state": "completed"}
    return Job(user_id=user.id, filename="a.wav", tier="free", priority=1, **(row | values))


def test_a_render_is_found_by_its_sample_and_its_recipe(shelf: dict[str, Sample]) -> None:
    made = [
        shape(shelf[name], recipe) for name in ("Theirs", "Loop", "Break") for recipe in (QUIETER, LOUDER)
    ]
    assert [renders.find_render(shelf["Break"].id, each) for each in (QUIETER, LOUDER, OTHER)] == [
        made[4], made[5], None,
    ]  # fmt: skip
    found = renders.find_of_sample(shelf["Loop"], made[3].id)
    assert found is made[3]
    assert renders.find_of_sample(shelf["Loop"], made[5].id) is None


def test_only_what_was_asked_for_is_noted_as_asked_for(shelf: dict[str, Sample]) -> None:
    made = {name: shape(shelf[name], QUIETER) for name in ("Theirs", "Loop", "Break")}
    louder = shape(shelf["Loop"], LOUDER)
    wanted = {shelf["Loop"].id: LOUDER.digest(), shelf["Break"].id: LOUDER.digest()}
    assert renders.touch_cached(wanted) == {shelf["Loop"].id}
    assert asked_today() == {louder.id}
    renders.touch(made["Break"])
    assert asked_today() == {louder.id, made["Break"].id}


def test_a_job_finds_what_it_made_or_an_equal_one_of_its_own_sample(
    owner: User, shelf: dict[str, Sample]
) -> None:
    theirs, other, quieter, louder = (
        shape(shelf[name], recipe)
        for name, recipe in (("Theirs", LOUDER), ("Break", LOUDER), ("Loop", QUIETER), ("Loop", LOUDER))
    )
    job = ordered(owner, louder, id=new_id())
    with transaction():
        quieter.store_key = job.made_key
    assert renders.find_render_of(job) is quieter
    job = ordered(owner, louder, id=new_id())
    assert renders.find_render_of(job) is louder
    with transaction() as session:
        session.delete(louder)
    assert renders.find_render_of(job) is None
    job = ordered(owner, other, id=new_id())
    assert renders.find_render_of(job) is other
    assert theirs.sample_id != other.sample_id
    trash.delete_sample(shelf["Break"])
    assert renders.find_render_of(job) is None, "its sample is in the trash"


def test_room_is_made_of_ones_own_oldest_renders_only(
    owner: User, shelf: dict[str, Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plan, "render_cache_bytes", property(lambda _: 1200), raising=False)
    kept = [shape(shelf[name], recipe) for name in ("Theirs", "Loop") for recipe in (QUIETER, LOUDER)]
    with transaction():
        kept[2].used_at = utcnow() - 2 * LONG_AGO
    key, left = kept[2].store_key, {each.id for each in kept if each is not kept[2]}
    assert renders.cache_usage(owner) == renders.RenderCache(2, 1000, 1200)
    with transaction():
        assert renders.evict(owner.id) == []
        assert renders.evict(owner.id, 700) == [key]
    assert set(db.session.scalars(select(Render.id))) == left


def test_an_equal_render_stays_and_another_is_added(shelf: dict[str, Sample]) -> None:
    first = shape(shelf["Loop"], QUIETER)
    shape(shelf["Break"], LOUDER)
    for sample, recipe, count in (("Loop", QUIETER, 2), ("Loop", LOUDER, 3), ("Break", QUIETER, 4)):
        made: dict[str, Any] = dict.fromkeys(render_making.REPORTED)
        made |= {"size_bytes": 1, "frames": 1, "channels": 1, "done": [], "peaks": []}
        wanted = shelf[sample]
        with transaction():
            row = render_making.new_render(new_id(), wanted.user_id, wanted.id, recipe, new_id(), made)
            render_making.add_render(row)
        assert db.session.query(Render).count() == count
        assert first.id in asked_today(), "it was asked for again"


def test_only_a_download_of_the_last_day_of_the_same_is_free_again(
    owner: User, stranger: User, shelf: dict[str, Sample]
) -> None:
    loop, louder = shape(shelf["Loop"], QUIETER), shape(shelf["Loop"], LOUDER)
    with transaction():
        for number, name in enumerate(("Theirs", "Loop", "Break")):
            shelf[name].content_sha256 = str(number) * 64
    render_downloads.count_download(owner, louder)
    assert [render_downloads.is_counted(owner, each) for each in (loop, louder)] == [False, True]
    assert not render_downloads.is_counted(stranger, louder)
    for ago, is_free in ((timedelta(minutes=1), False), (-timedelta(minutes=1), True)):
        with transaction() as session:
            at = utcnow() - LIMIT_WINDOW - ago
            session.execute(update(Usage).where(Usage.kind == RENDER).values(effective_at=at))
        assert render_downloads.is_counted(owner, louder) is is_free


def test_a_preset_is_saved_beside_others(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presets, "MAX_PRESETS", 2)
    for user, name, recipe in (
        (stranger, "Loud", OTHER),
        (stranger, "Quiet", OTHER),
        (owner, "Quiet", QUIETER),
        (owner, "Loud", LOUDER),
    ):
        presets.save_preset(user, name, recipe)
    assert [(each.name, each.recipe["gain_db"]) for each in presets.list_presets(owner)] == [
        ("Loud", 2.0), ("Quiet", -1.0),
    ]  # fmt: skip
    with pytest.raises(presets.TooManyPresetsError):
        presets.save_preset(owner, "Third", OTHER)


def test_only_chosen_sounds_of_ones_own_are_shaped(owner: User, shelf: dict[str, Sample]) -> None:
    more = shelve(owner, {"Gone": {}})["Gone"]
    trash.delete_sample(more)
    chosen = [shelf["Theirs"].id, shelf["Loop"].id, more.id]
    made = orders.order_renders(owner, chosen, QUIETER)
    assert (made.already_shaped, made.refused) == (0, {})
    assert db.session.scalars(select(Job.sample_id)).all() == [shelf["Loop"].id]
