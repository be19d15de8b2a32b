"""Choose the models that describe a user's samples: none at all, or those of their plan in an order."""

from __future__ import annotations

from app.billing import plans
from app.extensions import settings
from app.models import User
from app.models.base import transaction


def offered_models(user: User) -> tuple[str, ...]:
    """Return the models of the user's plan, in the order of the plan's setting."""
    named: str = getattr(settings(), plans.plan_for_user(user).models)
    return tuple(dict.fromkeys(name.strip() for name in named.split(",") if name.strip()))


def ordered_models(user: User) -> tuple[str, ...]:
    """Return the models of the user's plan with their own choice first, if the plan still has it."""
    return tuple(sorted(offered_models(user), key=lambda name: name != user.ai_model))


def models_to_ask(user: User) -> tuple[str, ...]:
    """Return the models to ask, one after another; none when the user has switched models off."""
    return ordered_models(user) if user.ai_allowed else ()


def choose_model(user: User, is_allowed: bool, model: str | None) -> None:
    """Save whether models may be asked, and which one first.

    When the plan leaves no choice, the earlier one stays saved for when it does again.
    """
    models = offered_models(user)
    with transaction():
        user.ai_allowed = is_allowed
        if len(models) > 1 and model in models:
            user.ai_model = model
