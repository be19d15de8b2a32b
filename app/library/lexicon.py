"""The vocabulary, ready to be found in a sentence: any spacing, the plural too, the longest entry first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from app.library import keys, vocabulary

Found = tuple[str, tuple[Any, ...]]
Entries = Iterable[tuple[Found, str]]


class Words:
    """Spellings and the piece of a query each of them makes."""

    def __init__(self, entries: Entries) -> None:
        spelled = [(each.strip(), found) for found, all_ in entries for each in all_.split(",")]
        self._found = {squash(each): found for each, found in spelled}
        longest_first = sorted((each for each, _ in spelled), key=len, reverse=True)
        any_of = "|".join(re.escape(each).replace(r"\ ", r"[\s-]?") for each in longest_first)
        self.pattern = re.compile(rf"(?:{any_of})(?:e?s)?(?![\w#])", re.I)

    def get(self, match: re.Match[str]) -> Found | None:
        word = squash(match[0])
        spellings = (word, word.removesuffix("s"), word.removesuffix("es"))
        return next((self._found[each] for each in spellings if each in self._found), None)


def squash(text: str | None) -> str:
    """`Hi-hat`, `hi hat` and `hihat` are one word."""
    return re.sub(r"[\s-]+", "", (text or "").casefold())


def _entries() -> Entries:
    for kind, spelled in vocabulary.KINDS.items():
        yield ("kind", (kind,)), spelled
    for sound, spelled in vocabulary.SOUNDS.items():
        yield ("sound", (sound,)), spelled
    for format_, spelled in vocabulary.FORMATS.items():
        yield ("format", (format_,)), spelled
    for rank, spelled in vocabulary.RANKS.items():
        yield ("rank", rank), spelled
    for tempi, spelled in vocabulary.TEMPI.items():
        yield ("bpm", tempi), spelled
    for days, spelled in vocabulary.DAYS.items():
        yield ("days", (days,)), spelled
    for mode, spelled in vocabulary.MODES.items():
        yield ("key", tuple(sorted(key for key in keys.ALL_KEYS if key.endswith(mode)))), spelled
    yield ("liked", (True,)), vocabulary.LIKED


WORDS = Words(_entries())
ALIKE = {
    word: tuple(each.strip() for each in group.split(","))
    for group in vocabulary.ALIKE
    for word in group.split(", ")
}
