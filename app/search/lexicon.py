"""The vocabulary, ready to be found in a sentence: any spacing, the plural too, the longest entry first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.music import keys
from app.search import synonyms, vibe_words

Found = tuple[str, tuple[Any, ...]]
Entries = Iterable[tuple[Found, str]]
NAMED: dict[str, Mapping[Any, str]] = {
    "kind": synonyms.KINDS,
    "sound": synonyms.SOUNDS,
    "format": synonyms.FORMATS,
    "days": synonyms.DAYS,
    "sort": synonyms.DATES,
}
VALUED: dict[str, Mapping[Any, str]] = {
    "rank": synonyms.RANKS,
    "bpm": synonyms.TEMPI,
    "has": synonyms.HAVING,
}


class Words:
    """Spellings and the piece of a query each of them makes."""

    def __init__(self, entries: Entries) -> None:
        spelled = [(each.strip(), found) for found, all_ in entries for each in all_.split(",")]
        self._found = {squash(each): found for each, found in spelled}
        longest_first = sorted((each for each, _ in spelled), key=len, reverse=True)
        any_of = "|".join(re.sub(r"\\[ -]", r"[\\s:-]{0,2}", re.escape(each)) for each in longest_first)
        self.pattern = re.compile(rf"(?:{any_of})(?:e?s)?(?![\w#])", re.I)

    def get(self, match: re.Match[str]) -> Found | None:
        word = squash(match[0])
        spellings = (word, word.removesuffix("s"), word.removesuffix("es"))
        return next((self._found[each] for each in spellings if each in self._found), None)


def squash(text: str | None) -> str:
    """`Hi-hat`, `hi hat` and `hihat` are one word."""
    return re.sub(r"[\s:-]+", "", (text or "").casefold())


def alike(word: str) -> tuple[str, ...]:
    """The word, and what is looked for with it."""
    return (word, *sorted({*ALIKE.get(word, ())} - {word}))


def spellings(field: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """How words of a vibe's vocabulary may stand in a name."""
    return tuple(dict.fromkeys((*names, *SPELLED.get((field, names), ()))))


def _entries() -> Entries:
    """Of two with one spelling, the later one counts: what is measured goes before what is described."""
    yield from _vibe_entries()
    for word in _split(vibe_words.SOFT):
        yield ("soft", (word, 1.0)), word
    for field, names in NAMED.items():
        for name, spelled in names.items():
            yield (field, (name,)), spelled
    for field, values in VALUED.items():
        for value, spelled in values.items():
            yield (field, value), spelled
    for mode, spelled in synonyms.MODES.items():
        yield ("key", tuple(sorted(key for key in keys.ALL_KEYS if key.endswith(mode)))), spelled
    yield ("break", ("break",)), synonyms.BREAKS
    yield ("liked", (True,)), synonyms.LIKED


def _vibe_entries() -> Entries:
    for field, names in vibe_words.FIELDS.items():
        for name in names:
            if field not in vibe_words.ONLY_BY_NAME:
                yield (field, (name,)), name
            yield (field, (name,)), _by_name(field, name)
        for value, spelled in vibe_words.SPELLED[field].items():
            yield (field, value), spelled


def _decade_entries() -> Entries:
    for decade, spelled in vibe_words.DECADES.items():
        yield ("era", (decade,)), spelled
        for each in _split(spelled):
            yield ("era", (decade,)), _by_name("era", each)


def _by_name(field: str, word: str) -> str:
    """`mood: dark`, `dark mood`, `dark vibe`."""
    called = vibe_words.CALLED.get(field, (field,))
    return ", ".join([f"{field} {word}", *(f"{word} {each}" for each in called)])


def _split(spelled: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in spelled.split(","))


WORDS = Words(_entries())
DECADES = Words(_decade_entries())
SPELLED = {
    (field, value): _split(spelled)
    for field, all_ in vibe_words.SPELLED.items()
    for value, spelled in all_.items()
} | {("era", (decade,)): _split(spelled) for decade, spelled in vibe_words.DECADES.items()}
ALIKE = {word: _split(group) for group in synonyms.ALIKE for word in group.split(", ")}
