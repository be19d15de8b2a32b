"""Answer a poll of job cards that have not changed: by one statement, without loading the user."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from flask import Response, g, request, session

from app.auth import login_sessions
from app.jobs.card_list import CardList, select_fingerprint
from app.negotiation import wants_fragment

# What changes by the clock alone, such as the time that is left, and what no job's row tells, such as that a
# sample was deleted, is looked at this often.
LOOK_AGAIN_S = 15.0
MAX_REMEMBERED = 10_000


@dataclass(frozen=True)
class SeenCards:
    """The version of the cards that a user was last sent, and what their jobs were like just before."""

    version: str
    fingerprint: tuple[Any, ...]
    until: float


_seen: OrderedDict[str, SeenCards] = OrderedDict()
_lock = threading.Lock()


def answer_unchanged_poll() -> Response | None:
    """Return 204 when the cards of a poll are still as this process knows them; None asks for a closer look.

    It checks the session of the cookie itself, by the same rules as every other request.
    """
    version = request.args.get("version")
    if request.endpoint != "jobs.cards" or request.method != "GET" or not version or not wants_fragment():
        return None
    row = login_sessions.find_live_row(session.get("_user_id", ""), select_fingerprint())
    if row is None:
        return None
    user_id, fingerprint = row
    g.jobs_fingerprint = fingerprint
    with _lock:
        seen = _seen.get(user_id)
    if (
        seen is None
        or seen.until < time.monotonic()
        or (seen.version, seen.fingerprint) != (version, fingerprint)
    ):
        return None
    return Response(status=204)


def remember_cards(user_id: str, cards: CardList) -> None:
    """Remember the version of a user's cards, if this request looked at their jobs before it loaded them.

    While new samples are compared, which no job's row tells of, every poll loads the cards.
    """
    fingerprint = g.pop("jobs_fingerprint", None)
    if fingerprint is None or cards.interval_s is None or cards.duplicates.is_comparing:
        return
    with _lock:
        _seen[user_id] = SeenCards(cards.version, fingerprint, time.monotonic() + LOOK_AGAIN_S)
        _seen.move_to_end(user_id)
        if len(_seen) > MAX_REMEMBERED:
            _seen.popitem(last=False)
