"""Step 4 of a search: turn the address's filters and its free text into conditions on the rows."""

from __future__ import annotations

import re

from app.models.display_names import tag_name
from app.models.text_folding import fold_text, strip_accents
from app.music import musical_keys
from app.music.sound_classes import ONE_SHOT, sounds_named
from app.music.sound_words import sound_of_word
from app.search import conditions, index_terms, text_conditions
from app.search.condition import Condition, any_of
from app.search.folded_sentence import TYPOGRAPHIC_QUOTES
from app.search.sample_query import MAX_TEXT_LENGTH, SampleQuery

TEXT_TERM = re.compile(r'(-?)(?:"([^"]+)"|(\S+))')
MAX_TEXT_TERMS = 12
# Short spellings in a text search, and the word to look for as well.
TEXT_SYNONYMS = {
    **{
        word: str(sound_of_word(word))
        for word in ["bd", "bassdrum", "sd", "hh", "hat", "hihat", "cym", "perc"]
    },
    "vox": "vocal",
    "oneshot": ONE_SHOT,
    "min": "minor",
    "maj": "major",
}


def filter_conditions(query: SampleQuery) -> list[Condition]:
    """Return one condition for each filter that is set and for each word of the free text."""
    return [*count_filters(query), *other_filters(query)]


def count_filters(query: SampleQuery) -> list[Condition]:
    """Return the conditions on kind, sound and key, by which the page counts samples."""
    wanted = []
    if query.kind:
        wanted.append(conditions.one_of("kind", query.kind))
    if query.sound:
        wanted.append(conditions.one_of("sound", *sounds_named(query.sound)))
    if query.key:
        wanted.append(conditions.one_of("key", *wanted_keys(query)))
    return wanted


def wanted_keys(query: SampleQuery) -> list[str]:
    """Return the keys that the filter lets through."""
    return sorted(musical_keys.compatible_keys(query.key)) if query.compatible else [query.key]


def other_filters(query: SampleQuery) -> list[Condition]:
    """Return the other conditions: free text, tempo, tag, collection and folder, like."""
    return [*_words_and_figures(query), *([conditions.is_liked()] if query.liked else [])]


def is_counted(query: SampleQuery) -> bool:
    """Say whether its filters are only kind, sound, key and like, by which a library is counted already."""
    return not _words_and_figures(query)


def _words_and_figures(query: SampleQuery) -> list[Condition]:
    text = strip_accents(query.q[:MAX_TEXT_LENGTH]).translate(TYPOGRAPHIC_QUOTES)
    wanted = [_matches_text(term) for term in list(TEXT_TERM.finditer(text))[:MAX_TEXT_TERMS]]
    if query.tempo != (None, None):
        wanted.append(any_of(*(conditions.bpm_between(*each) for each in _tempo_ranges(query))))
    if (query.seconds_min, query.seconds_max) != (None, None):
        wanted.append(conditions.length_between(query.seconds_min, query.seconds_max))
    if query.tag:
        # An older version may have stored the tag in the form it was typed in.
        wanted.append(text_conditions.has_trait("tag", *sorted({query.tag, tag_name(query.tag)})))
    if query.collection:
        wanted.append(text_conditions.has_trait(*index_terms.place_trait(query.collection, query.folder)))
    return wanted


def _tempo_ranges(query: SampleQuery) -> list[tuple[float | None, float | None]]:
    """Return the wanted range of tempi, and with it half and double of it if these are wanted too."""
    low, high = query.tempo
    factors = (1.0, 0.5, 2.0) if query.half_double else (1.0,)
    return [(low and low * factor, high and high * factor) for factor in factors]


def _matches_text(term: re.Match[str]) -> Condition:
    """Search one word or quoted phrase in everything written about a sample; a leading minus excludes it."""
    minus, phrase, word = term.groups()
    text = fold_text(phrase or word)
    spellings = {text, TEXT_SYNONYMS.get(text, text)}
    found = any_of(*map(text_conditions.contains_text, sorted(spellings)))
    return ~found if minus else found
