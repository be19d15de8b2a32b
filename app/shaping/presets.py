"""Recipes that users have saved under a name, to shape other sounds by them."""

from __future__ import annotations

from sqlalchemy import func, select

from app.audio.render.recipe import RecipeError, RenderRecipe, read_recipe
from app.audio.render.wording import describe_recipe
from app.billing import quota
from app.extensions import db
from app.models import ShapingPreset, User
from app.models.base import transaction

MAX_PRESETS = 50


class TooManyPresetsError(Exception):
    """The user has as many presets as there may be; the message is for the user."""

    def __init__(self) -> None:
        super().__init__(f"You have {MAX_PRESETS} presets, which is the most. Delete one first.")


def list_presets(user: User) -> list[ShapingPreset]:
    """Return a user's presets by name."""
    mine = select(ShapingPreset).where(ShapingPreset.user_id == user.id)
    return list(db.session.scalars(mine.order_by(func.lower(ShapingPreset.name), ShapingPreset.id)))


def save_preset(user: User, name: str, recipe: RenderRecipe) -> ShapingPreset:
    """Save a recipe under a name; it replaces the one with this name.

    Raises TooManyPresetsError.
    """
    with transaction() as session:
        quota.lock_account(user.id)
        mine = ShapingPreset.user_id == user.id
        preset = session.scalar(select(ShapingPreset).where(mine, ShapingPreset.name == name))
        if preset is None:
            if (session.scalar(select(func.count()).where(mine)) or 0) >= MAX_PRESETS:
                raise TooManyPresetsError
            preset = ShapingPreset(user_id=user.id, name=name, recipe=recipe.to_dict())
            session.add(preset)
        else:
            preset.recipe = recipe.to_dict()
    return preset


def delete_preset(preset: ShapingPreset) -> None:
    """Forget a preset; what was shaped by it stays."""
    with transaction() as session:
        session.delete(session.merge(preset))


def describe(preset: ShapingPreset) -> str:
    """Return what a preset does, in words."""
    try:
        return ", ".join(describe_recipe(recipe_of(preset))) or "changes nothing"
    except RecipeError:
        return "from an older version: save it again"


def recipe_of(preset: ShapingPreset) -> RenderRecipe:
    """Return the recipe of a preset. Raises RecipeError for one of an older version."""
    return read_recipe(preset.recipe)
