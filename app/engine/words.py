"""Words for what was measured: the one place where the engine asks for them."""

from __future__ import annotations

from typing import Any

from app.integrations import vibe
from app.integrations.openrouter import Server
from app.integrations.vibe import Ask


def describe(
    features: dict[str, Any], ask: Ask | None, server: Server | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The description, and what was billed for it: nothing where rules describe."""
    found = vibe.describe(features, ask, server)
    return found.to_dict(), found.calls
