"""Words for what was measured: the one place where the engine asks for them."""

from __future__ import annotations

from typing import Any

from app.integrations import vibe


def describe(features: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The description, and what was billed for it. The local describer costs nothing."""
    return vibe.describe(features).to_dict(), []
