"""Have the engine make something of an original, and put it into the cache of renders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.audio.errors import UnreadableAudio
from app.billing import plans
from app.billing.plan_room import format_size
from app.engine import dispatch
from app.engine.contract import RENDERED_NAME, CutOrder, RenderOrder
from app.extensions import db, settings
from app.integrations.storage import ObjectMissingError, open_store
from app.jobs.measure_step import ORIGINAL_MISSING, WAV_TYPE
from app.models import Render, User
from app.models.base import utcnow
from app.shaping import renders
from app.shaping.renders import Recipe

REPORTED = ("size_bytes", "frames", "channels", "bpm", "loudness_db", "done")


class NoRoomError(UnreadableAudio):
    """What was made is larger than all the room that the plan has for it."""


def make_file(
    original_key: str, order: RenderOrder | CutOrder, folder: Path, still_wanted: Callable[[], bool]
) -> dict[str, Any]:
    """Have the engine follow an order; return its report as plain JSON, with the size of what it made.

    The file lies in `folder` as `RENDERED_NAME`. Raises as `dispatch.render_file` does, but UnreadableAudio
    when the original is gone.
    """
    db.session.commit()  # no transaction stays open while the engine works
    try:
        report = dispatch.render_file(original_key, folder, order, still_wanted)
    except ObjectMissingError as error:
        raise UnreadableAudio(ORIGINAL_MISSING) from error
    return report.to_dict() | {"size_bytes": (folder / RENDERED_NAME).stat().st_size}


def store_file(user_id: str, key: str, made: Path, content_type: str = WAV_TYPE) -> None:
    """Put what was made into the store, in place of the least recently used renders.

    Raises NoRoomError and StorageError.
    """
    size_bytes = made.stat().st_size
    plan = plans.plan_for_user(db.session.get_one(User, user_id))
    db.session.commit()  # no transaction stays open while a file is stored
    if size_bytes > plan.render_cache_bytes:
        raise NoRoomError(
            f"This makes {format_size(size_bytes)}, and the {plan.label} plan has room for "
            f"{format_size(plan.render_cache_bytes)} of shaped sounds. Use a shorter part."
        )
    renders.make_room(user_id, size_bytes)
    open_store(settings()).put(key, made, content_type)


def new_render(
    render_id: str, user_id: str, sample_id: str, recipe: Recipe, key: str, made: dict[str, Any]
) -> Render:
    """Return the row, not yet added, of what `make_file` made of a sample."""
    return Render(
        id=render_id,
        user_id=user_id,
        sample_id=sample_id,
        recipe=recipe.to_dict(),
        recipe_sha256=recipe.digest(),
        store_key=key,
        peaks=bytes(made["peaks"]),
        **{name: made[name] for name in REPORTED},
    )


def add_render(render: Render) -> None:
    """Add a row inside the caller's transaction; when an equal one was added meanwhile, that one stays.

    The file of the other one goes with the sweep of orphans.
    """
    same = Render.sample_id == render.sample_id, Render.recipe_sha256 == render.recipe_sha256
    equal = db.session.scalar(select(Render).where(*same))
    if equal is not None:
        equal.used_at = utcnow()
        return
    db.session.add(render)
    renders.evict(render.user_id)  # others may have been made at the same time
