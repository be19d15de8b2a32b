"""The app factory. Importing this package alone loads nothing: child processes start fast by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Build the app: config, extensions, blueprints, errors, commands, in this order."""
    from app.factory import build_app

    return build_app(settings)
