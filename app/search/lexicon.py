"""All phrases of the vocabularies, compiled so that a sentence rule can match them.

Any spacing matches, plurals match too, and the longest phrase wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.music import musical_keys
from app.music.sound_classes import TEXTURE
from app.search import synonyms, vibe_synonyms

FieldValue = tuple[str, tuple[Any, ...]]  # the field of a term and its value
Entries = Iterable[tuple[FieldValue, str]]  # with the phrases that mean it, separated by commas
# Fields whose value is one name.
NAMED_FIELDS: dict[str, Mapping[Any, str]] = {
    "kind": synonyms.KINDS,
    "sound": synonyms.SOUNDS,
    "format": synonyms.FORMAT_PHRASES,
    "days": synonyms.DAY_PHRASES,
    "sort": synonyms.SORT_PHRASES,
}
# Fields whose value is a tuple, such as an axis with a weight or a range.
VALUED_FIELDS: dict[str, Mapping[Any, str]] = {
    "rank": synonyms.RANK_PHRASES,
    "bpm": synonyms.TEMPO_PHRASES,
    "has": synonyms.PROPERTY_PHRASES,
}


class PhraseMatcher:
    """Finds phrases in a text and knows the field and value that each of them means."""

    def __init__(self, entries: Entries) -> None:
        spelled = [(each.strip(), found) for found, all_ in entries for each in all_.split(",")]
        self._found = {strip_separators(each): found for each, found in spelled}
        longest_first = sorted((each for each, _ in spelled), key=len, reverse=True)
        any_of = "|".join(re.sub(r"\\[ -]", r"[\\s:-]{0,2}", re.escape(each)) for each in longest_first)
        self.pattern = re.compile(rf"(?:{any_of})(?:e?s)?(?![\w#])", re.I)

    def get(self, match: re.Match[str]) -> FieldValue | None:
        """Return what a matched phrase means, as it is spelled or without its plural ending."""
        word = strip_separators(match[0])
        spellings = (word, word.removesuffix("s"), word.removesuffix("es"))
        return next((self._found[each] for each in spellings if each in self._found), None)


def strip_separators(text: str | None) -> str:
    """Return a text in lower case without spaces, hyphens and colons: `Hi-hat` and `hi hat` are `hihat`."""
    return re.sub(r"[\s:-]+", "", (text or "").casefold())


def similar_words(word: str) -> tuple[str, ...]:
    """Return the word, followed by the words that are searched together with it."""
    return (word, *sorted({*SIMILAR_WORDS.get(word, ())} - {word}))


def name_spellings(field: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return how words of the vibe's vocabulary may be spelled in the name of a sample."""
    return tuple(dict.fromkeys((*names, *SPELLINGS.get((field, names), ()))))


def _phrase_entries() -> Entries:
    """Yield all entries but decades. Of two with one spelling the later counts: a measure beats a vibe."""
    yield from _vibe_entries()
    for word in _split_list(vibe_synonyms.CHARACTER_WORDS):
        yield ("boost", (word, 1.0)), word
    for field, names in NAMED_FIELDS.items():
        for name, spelled in names.items():
            yield (field, (name,)), spelled
    # The word is kept: a name that says "drone" may be right where the analysis is wrong.
    for word in _split_list(synonyms.KINDS[TEXTURE]):
        yield ("kind", (TEXTURE, word)), word
    for word in _split_list(synonyms.RISER_PHRASES):
        yield ("riser", (word,)), word
    for field, values in VALUED_FIELDS.items():
        for value, spelled in values.items():
            yield (field, value), spelled
    for mode, spelled in synonyms.MODE_PHRASES.items():
        yield ("key", tuple(sorted(musical_keys.keys_of_mode(mode)))), spelled
    yield ("break", ("break",)), synonyms.BREAK_PHRASES
    yield ("liked", (True,)), synonyms.LIKED_PHRASES


def _vibe_entries() -> Entries:
    """Yield the words of a vibe, alone and with the name of their field, and their synonyms."""
    for field, names in vibe_synonyms.VIBE_FIELDS.items():
        for name in names:
            if field not in vibe_synonyms.NEED_FIELD_NAME:
                yield (field, (name,)), name
            yield (field, (name,)), _phrases_with_field(field, name)
        for value, spelled in vibe_synonyms.SYNONYMS[field].items():
            yield (field, value), spelled


def _decade_entries() -> Entries:
    """Yield the spellings of decades; their rule is tried before those of figures, as in `90s`."""
    for decade, spelled in vibe_synonyms.DECADE_SPELLINGS.items():
        yield ("era", (decade,)), spelled
        for each in _split_list(spelled):
            yield ("era", (decade,)), _phrases_with_field("era", each)


def _phrases_with_field(field: str, word: str) -> str:
    """Return a word with the names of its field: `mood dark, dark mood, dark vibe`."""
    aliases = vibe_synonyms.FIELD_ALIASES.get(field, (field,))
    return ", ".join([f"{field} {word}", *(f"{word} {each}" for each in aliases)])


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
