"""Conditions on a sample's description in force, and on what it is called."""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, literal, or_

from app.models import Sample, Tag, punctuation
from app.search.lexicon import name_spellings, similar_words

# What a field of a sentence is in the description.
DESCRIPTION_FIELDS = {
    "mood": "moods", "texture": "texture", "genre": "genres", "era": "era", "instrument": "instruments",
    "use": "use", "role": "role",
}  # fmt: skip
Condition = ColumnElement[bool]
EXCLUDED_WORD = re.compile(r"(?:^|\s)-\S")
MAX_WHOLE_NAME = 3  # letters: `Am` is no beginning of `Amen`


def is_described_as(field: str, *names: str) -> Condition:
    """Described as one of them, or called so: a name may know better than whoever described it."""
    said, called, spelled = (
        current_text(DESCRIPTION_FIELDS[field]),
        func.lower(Sample.name),
        name_spellings(field, names),
    )
    return or_(
        *(_contains_text(said, f'"{name}"') for name in names),
        *(contains_words(called, each) for each in spelled),
        Sample.tags.any(Tag.name.in_([each.replace(" ", "-") for each in spelled])),
    )


def mentions_word(word: str) -> Condition:
    """A character is named, by whatever word."""
    texts = (Sample.search_text.expression, func.lower(current_text("description")))
    return or_(*(contains_words(text, each) for text in texts for each in similar_words(word)))


def name_contains(sentence: str) -> Condition | None:
    """The whole sentence stands in a name, whatever marks are between its words; its last may be begun.

    None for what can't be a name: one that says `-word`, or nothing.
    """
    said = " ".join((punctuation.blank_punctuation(sentence.casefold()) or "").split())
    if not said or EXCLUDED_WORD.search(sentence):
        return None
    name = func.substr(Sample.search_text, 1, func.length(Sample.name))  # its first words, in small letters
    framed = literal(" ") + punctuation.BlankPunctuation(name) + literal(" ")
    spaced = func.replace(func.replace(framed, "  ", " "), "  ", " ")
    ending = " " if len(said) <= MAX_WHOLE_NAME else ""
    return and_(
        _contains_text(Sample.search_text.expression, said.split()[0]),
        _contains_text(spaced, f" {said}{ending}"),
    )


def current_text(field: str) -> ColumnElement[str]:
    """A field of the description as JSON text, the user's correction before what was said.

    A quotation mark inside a text is escaped there, so `"moods":` can only be the name of a field.
    """
    is_corrected = _contains_text(cast(Sample.corrections, Text), f'"{field}":')
    corrected, said = (cast(column[field], Text) for column in (Sample.corrections, Sample.described))
    return func.coalesce(case((is_corrected, corrected), else_=said), "")


def contains_words(text: ColumnElement[str], spelling: str) -> Condition:
    """Whether whole words are in a text: `pop`, but not in `popcorn`. The first look is the cheap one."""
    said = punctuation.blank_punctuation(spelling) or ""
    framed = literal(" ") + punctuation.BlankPunctuation(text) + literal(" ")
    return and_(_contains_text(text, said.split()[0]), _contains_text(framed, f" {said} "))


def _contains_text(text: ColumnElement[str], part: str) -> Condition:
    return text.contains(part, autoescape=True)
