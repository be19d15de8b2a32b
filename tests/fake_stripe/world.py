"""The state of the fake account: objects by kind and id, a clock, and events about changes."""

from __future__ import annotations

import copy
import itertools
import threading
import time
from typing import Any

Object = dict[str, Any]
API_VERSION = "2026-10-28.endive"


class Refusal(Exception):
    """An error answer (4xx) in Stripe's format."""

    def __init__(self, message: str, code: str | None = None, status: int = 400, **more: Any) -> None:
        super().__init__(message)
        kind = "card_error" if status == 402 else "invalid_request_error"
        self.status = status
        self.body = {"error": {"type": kind, "message": message, "code": code} | more}


class World:
    def __init__(self, url: str = "http://127.0.0.1") -> None:
        self.url = url
        self.lock = threading.RLock()
        self.objects: dict[str, dict[str, Object]] = {}
        self.events: list[Object] = []
        self.cards: dict[str, str] = {}  # customer id: ok, declined or needs_action
        self.is_away = False
        self.lost_answers = 0  # how many of the next POSTs are done without an answer
        self.set_time: int | None = None
        self._numbers = itertools.count(1)

    @property
    def now(self) -> int:
        return int(time.time()) if self.set_time is None else self.set_time

    def add(self, kind: str, prefix: str, **values: Any) -> Object:
        number = next(self._numbers)
        made: Object = {
            "id": f"{prefix}_{number:08d}",
            "object": kind,
            "created": self.now,
            "livemode": False,
        }
        made |= {"metadata": {}} | values
        self.objects.setdefault(kind, {})[made["id"]] = made
        return made

    def get(self, kind: str, object_id: str) -> Object:
        found = self.objects.get(kind, {}).get(object_id)
        if found is None:
            raise Refusal(f"No such {kind}: '{object_id}'", "resource_missing", 404)
        return found

    def all(self, kind: str, **wanted: Any) -> list[Object]:
        """Return all objects of a kind with these values, the newest first."""
        found = list(self.objects.get(kind, {}).values())[::-1]
        return [entry for entry in found if all(entry.get(name) == value for name, value in wanted.items())]

    def forget(self, *kinds: str) -> None:
        for kind in kinds:
            self.objects.pop(kind, None)
        self.events.clear()

    def emit(self, kind: str, about: Object) -> None:
        self.events.append(
            {
                "id": f"evt_{next(self._numbers):08d}",
                "object": "event",
                "api_version": API_VERSION,
                "created": self.now,
                "type": kind,
                "livemode": False,
                "pending_webhooks": 1,
                "request": {"id": None, "idempotency_key": None},
                "data": {"object": copy.deepcopy(about)},
            }
        )

    def take_events(self) -> list[Object]:
        taken, self.events = self.events, []
        return taken
