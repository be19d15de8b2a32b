"""The app factory. Importing this package alone loads nothing, so that child processes start fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Return a Flask app with these settings, or with those of the environment."""
    from app.factory import build_app

    return build_app(settings)
