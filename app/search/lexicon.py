"""The vocabulary, ready to be found in a sentence: any spacing, the plural too, the longest entry first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.music import musical_keys
from app.search import synonyms, vibe_synonyms

FieldValue = tuple[str, tuple[Any, ...]]
Entries = Iterable[tuple[FieldValue, str]]
NAMED_FIELDS: dict[str, Mapping[Any, str]] = {
    "kind": synonyms.KINDS,
    "sound": synonyms.SOUNDS,
    "format": synonyms.FORMAT_PHRASES,
    "days": synonyms.DAY_PHRASES,
    "sort": synonyms.SORT_PHRASES,
}
VALUED_FIELDS: dict[str, Mapping[Any, str]] = {
    "rank": synonyms.RANK_PHRASES,
    "bpm": synonyms.TEMPO_PHRASES,
    "has": synonyms.PROPERTY_PHRASES,
}


class PhraseMatcher:
    """Spellings and the piece of a query each of them makes."""

    def __init__(self, entries: Entries) -> None:
        spelled = [(each.strip(), found) for found, all_ in entries for each in all_.split(",")]
        self._found = {strip_separators(each): found for each, found in spelled}
        longest_first = sorted((each for each, _ in spelled), key=len, reverse=True)
        any_of = "|".join(re.sub(r"\\[ -]", r"[\\s:-]{0,2}", re.escape(each)) for each in longest_first)
        self.pattern = re.compile(rf"(?:{any_of})(?:e?s)?(?![\w#])", re.I)

    def get(self, match: re.Match[str]) -> FieldValue | None:
        word = strip_separators(match[0])
        spellings = (word, word.removesuffix("s"), word.removesuffix("es"))
        return next((self._found[each] for each in spellings if each in self._found), None)


def strip_separators(text: str | None) -> str:
    """`Hi-hat`, `hi hat` and `hihat` are one word."""
    return re.sub(r"[\s:-]+", "", (text or "").casefold())


def similar_words(word: str) -> tuple[str, ...]:
    """The word, and what is looked for with it."""
    return (word, *sorted({*SIMILAR_WORDS.get(word, ())} - {word}))


def name_spellings(field: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """How words of a vibe's vocabulary may stand in a name."""
    return tuple(dict.fromkeys((*names, *SPELLINGS.get((field, names), ()))))


def _phrase_entries() -> Entries:
    """Of two with one spelling, the later one counts: what is measured goes before what is described."""
    yield from _vibe_entries()
    for word in _split_list(vibe_synonyms.CHARACTER_WORDS):
        yield ("soft", (word, 1.0)), word
    for field, names in NAMED_FIELDS.items():
        for name, spelled in names.items():
            yield (field, (name,)), spelled
    for field, values in VALUED_FIELDS.items():
        for value, spelled in values.items():
            yield (field, value), spelled
    for mode, spelled in synonyms.MODE_PHRASES.items():
        yield ("key", tuple(sorted(musical_keys.keys_of_mode(mode)))), spelled
    yield ("break", ("break",)), synonyms.BREAK_PHRASES
    yield ("liked", (True,)), synonyms.LIKED_PHRASES


def _vibe_entries() -> Entries:
    for field, names in vibe_synonyms.VIBE_FIELDS.items():
        for name in names:
            if field not in vibe_synonyms.NEED_FIELD_NAME:
                yield (field, (name,)), name
            yield (field, (name,)), _phrases_with_field(field, name)
        for value, spelled in vibe_synonyms.SYNONYMS[field].items():
            yield (field, value), spelled


def _decade_entries() -> Entries:
    for decade, spelled in vibe_synonyms.DECADE_SPELLINGS.items():
        yield ("era", (decade,)), spelled
        for each in _split_list(spelled):
            yield ("era", (decade,)), _phrases_with_field("era", each)


def _phrases_with_field(field: str, word: str) -> str:
    """`mood: dark`, `dark mood`, `dark vibe`."""
    called = vibe_synonyms.FIELD_ALIASES.get(field, (field,))
    return ", ".join([f"{field} {word}", *(f"{word} {each}" for each in called)])


def _split_list(spelled: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in spelled.split(","))


PHRASES = PhraseMatcher(_phrase_entries())
DECADE_PHRASES = PhraseMatcher(_decade_entries())
SPELLINGS = {
    (field, value): _split_list(spelled)
    for field, all_ in vibe_synonyms.SYNONYMS.items()
    for value, spelled in all_.items()
} | {("era", (decade,)): _split_list(spelled) for decade, spelled in vibe_synonyms.DECADE_SPELLINGS.items()}
SIMILAR_WORDS = {word: _split_list(group) for group in synonyms.SIMILAR_WORDS for word in group.split(", ")}
