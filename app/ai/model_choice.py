"""Whom a user lets describe their samples: no model at all, or which of their plan's first."""

from __future__ import annotations

from app.billing import plans
from app.extensions import settings
from app.models import User
from app.models.base import transaction


def offered_models(user: User) -> tuple[str, ...]:
    """The models of the user's plan, in the order its setting names them."""
    named: str = getattr(settings(), plans.plan_for_user(user).models)
    return tuple(dict.fromkeys(name.strip() for name in named.split(",") if name.strip()))


def ordered_models(user: User) -> tuple[str, ...]:
    """The same with the user's own choice first. One that the plan has no longer counts for nothing."""
    return tuple(sorted(offered_models(user), key=lambda name: name != user.ai_model))


def models_to_ask(user: User) -> tuple[str, ...]:
    """Whom to ask, one after the other; nobody when the user wants no model."""
    return ordered_models(user) if user.ai_allowed else ()


def choose_model(user: User, is_allowed: bool, model: str | None) -> None:
    """Where there is nothing to choose from, an earlier choice is kept for the day there is again."""
    models = offered_models(user)
    with transaction():
        user.ai_allowed = is_allowed
        if len(models) > 1 and model in models:
            user.ai_model = model
