"""The routes of the fake Stripe; each resource registers its own functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fake_stripe.world import Object, World

Handler = Callable[..., Object]


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    params: type | None
    answer: Handler


ROUTES: list[Route] = []


def route(method: str, path: str, params: type | None = None) -> Callable[[Handler], Handler]:
    """Register `answer(world, given, **path_parts)`. Parameters that the SDK's types lack are refused."""

    def register(answer: Handler) -> Handler:
        pattern = re.compile(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", path) + "$")
        ROUTES.append(Route(method, pattern, params, answer))
        return answer

    return register


def page(world: World, found: list[Object], given: dict[str, Any], url: str) -> Object:
    """Return one page of a list in Stripe's format, newest first, after `starting_after`."""
    ids, limit = [entry["id"] for entry in found], int(given.get("limit", 10))
    start = ids.index(given["starting_after"]) + 1 if "starting_after" in given else 0
    shown = found[start : start + limit]
    return {"object": "list", "url": url, "has_more": len(found) > start + limit, "data": shown}
