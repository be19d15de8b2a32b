"""Step 4 of a search: turn the address's filters and its free text into conditions on the rows."""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, or_

from app.models import Sample, Tag
from app.models.display_names import tag_name
from app.models.text_folding import fold_text, strip_accents
from app.music import musical_keys
from app.music.sound_classes import ONE_SHOT, sounds_named
from app.music.sound_words import sound_of_word
from app.search.folded_sentence import TYPOGRAPHIC_QUOTES
from app.search.sample_query import MAX_TEXT_LENGTH, SampleQuery
from app.search.text_conditions import contains_text

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


def filter_conditions(query: SampleQuery) -> list[ColumnElement[bool]]:
    """Return one condition for each filter that is set and for each word of the free text."""
    text = strip_accents(query.q[:MAX_TEXT_LENGTH]).translate(TYPOGRAPHIC_QUOTES)
    wanted = [_matches_text(term) for term in list(TEXT_TERM.finditer(text))[:MAX_TEXT_TERMS]]
    if query.kind:
        wanted.append(Sample.kind == query.kind)
    if query.sound:
        wanted.append(Sample.sound.in_(sounds_named(query.sound)))
    if query.key:
        keys = musical_keys.compatible_keys(query.key) if query.compatible else [query.key]
        wanted.append(Sample.key.in_(keys))
    low, high = query.tempo
    if low is not None:
        wanted.append(Sample.bpm >= low)
    if high is not None:
        wanted.append(Sample.bpm <= high)
    if query.tag:
        # An older version may have stored the tag in the form it was typed in.
        wanted.append(Sample.tags.any(Tag.name.in_(sorted({query.tag, tag_name(query.tag)}))))
    if query.liked:
        wanted.append(Sample.liked.is_(True))
    return wanted


def _matches_text(term: re.Match[str]) -> ColumnElement[bool]:
    """Search one word or quoted phrase in everything written about a sample; a leading minus excludes it."""
    minus, phrase, word = term.groups()
    text = fold_text(phrase or word)
    spellings = {text, TEXT_SYNONYMS.get(text, text)}
    found = or_(*(contains_text(spelling) for spelling in sorted(spellings)))
    return ~found if minus else found
