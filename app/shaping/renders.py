"""The cache of an account's renders: found again, and the least recently used evicted for new ones."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import delete, func, select, update

from app.billing import plans
from app.download_names import ZIP_TYPE
from app.extensions import db, settings
from app.integrations.storage import StorageError, open_store
from app.jobs.measure_step import WAV_TYPE
from app.models import Job, Render, Sample, User
from app.models.base import transaction, utcnow
from app.shaping.sound_names import download_name

EVICT_AT_ONCE = 200


class Recipe(Protocol):
    """How a render is made of its original: a `RenderRecipe` or a `SliceSet`."""

    def to_dict(self) -> dict[str, Any]: ...

    def digest(self) -> str: ...


@dataclass(frozen=True)
class RenderCache:
    """How many renders are cached, their size, and the room that the plan has for them."""

    count: int
    size_bytes: int
    room_bytes: int


def find_render(sample_id: str, recipe: Recipe) -> Render | None:
    """Return what was made of a sample by a recipe, if it is still cached."""
    return db.session.scalar(
        select(Render).where(Render.sample_id == sample_id, Render.recipe_sha256 == recipe.digest())
    )


def find_render_of(job: Job) -> Render | None:
    """Return what a job made, or an equal one made since, if it is still cached."""
    return db.session.scalar(select(Render).where(Render.store_key == job.made_key)) or (
        _find_equal(job) if job.choices and "recipe_sha256" in job.choices else None
    )


def find_of_sample(sample: Sample, render_id: str) -> Render | None:
    """Return the shaped sound of a sample with this id, if it is still cached."""
    found = db.session.scalar(select(Render).where(Render.id == render_id, Render.sample_id == sample.id))
    return None if found is None or found.is_archive else found


def equal_gains(sample: Sample, made: Render) -> tuple[float, float]:
    """Return the factors that make a sample and what was made of it equally loud; the quieter one has 1."""
    before, after = sample.features.loudness_db, made.loudness_db
    if before is None or after is None:
        return 1.0, 1.0
    louder = before - after
    return (10 ** (-louder / 20), 1.0) if louder > 0 else (1.0, 10 ** (louder / 20))


def touch(render: Render) -> None:
    """Note that a render was asked for again, so that others are evicted first."""
    with transaction() as session:
        session.execute(update(Render).where(Render.id == render.id).values(used_at=utcnow()))


def touch_cached(digests: Mapping[str, str]) -> set[str]:
    """Return those samples whose render with their digest is cached, and note that it was asked for."""
    with transaction() as session:
        rows = session.execute(
            select(Render.id, Render.sample_id, Render.recipe_sha256).where(Render.sample_id.in_(digests))
        ).all()
        found = [row for row in rows if digests[row.sample_id] == row.recipe_sha256]
        touched = update(Render).where(Render.id.in_([row.id for row in found]))
        session.execute(touched.values(used_at=utcnow()))
    return {row.sample_id for row in found}


def cache_usage(user: User) -> RenderCache:
    """Return how full a user's cache of renders is."""
    total = select(func.count(), func.coalesce(func.sum(Render.size_bytes), 0))
    count, size_bytes = db.session.execute(total.where(Render.user_id == user.id)).one()
    return RenderCache(count, size_bytes, plans.plan_for_user(user).render_cache_bytes)


def make_room(user_id: str, size_bytes: int) -> None:
    """Evict the least recently used renders, until one of this size fits beside the rest.

    A crash between the rows and their files leaves files that `cleanup.remove_orphans` removes.
    """
    with transaction():
        evicted = evict(user_id, size_bytes)
    remove_files(evicted)


def evict(user_id: str, size_bytes: int = 0) -> list[str]:
    """Evict the rows of the least recently used renders, in the caller's transaction; return their files.

    Room is made for one of this size; without one, the newest stays in any case.
    """
    db.session.flush()
    room = plans.plan_for_user(db.session.get_one(User, user_id)).render_cache_bytes
    total = select(func.coalesce(func.sum(Render.size_bytes), 0)).where(Render.user_id == user_id)
    excess = int(db.session.scalar(total) or 0) + size_bytes - room
    evicted: list[str] = []
    oldest = select(Render.id, Render.size_bytes, Render.store_key).where(Render.user_id == user_id)
    while excess > 0:
        rows = db.session.execute(oldest.order_by(Render.used_at, Render.id).limit(EVICT_AT_ONCE)).all()
        gone = []
        for row in rows if size_bytes else rows[:-1]:
            if excess <= 0:
                break
            gone.append(row.id)
            evicted.append(row.store_key)
            excess -= row.size_bytes
        if not gone:
            break
        db.session.execute(delete(Render).where(Render.id.in_(gone)))
    return evicted


def remove_files(keys: list[str]) -> None:
    """Remove files of evicted renders."""
    store = open_store(settings())
    for key in keys:
        with suppress(StorageError):  # the sweep of orphans removes what is left
            store.delete(key)


def audio_url(render: Render) -> str:
    """Return a link to a shaped sound, to hear it."""
    return open_store(settings()).url(render.store_key, content_type=WAV_TYPE)


def download_url(render: Render, sample: Sample) -> str:
    """Return a link that downloads a shaped sound or a ZIP of slices under a name of its own."""
    content_type, name = ZIP_TYPE if render.is_archive else WAV_TYPE, download_name(sample, render)
    return open_store(settings()).url(render.store_key, content_type=content_type, download_name=name)


def _find_equal(job: Job) -> Render | None:
    own = Render.sample_id == job.sample_id, Sample.deleted_at.is_(None)
    same = Render.recipe_sha256 == (job.choices or {})["recipe_sha256"]
    return db.session.scalar(select(Render).join(Sample).where(*own, same))
