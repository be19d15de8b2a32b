"""Conditions on a sample's description in force, and on what it is called."""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, literal, or_

from app.models import Sample, Tag, words
from app.search.lexicon import alike, spellings

# What a field of a sentence is in the description.
KEPT_AS = {
    "mood": "moods", "texture": "texture", "genre": "genres", "era": "era", "instrument": "instruments",
    "use": "use", "role": "role",
}  # fmt: skip
Condition = ColumnElement[bool]
LEFT_OUT = re.compile(r"(?:^|\s)-\S")
WHOLE = 3  # letters: `Am` is no beginning of `Amen`


def has(field: str, *names: str) -> Condition:
    """Described as one of them, or called so: a name may know better than whoever described it."""
    said, called, spelled = in_force(KEPT_AS[field]), func.lower(Sample.name), spellings(field, names)
    return or_(
        *(_contains(said, f'"{name}"') for name in names),
        *(speaks(called, each) for each in spelled),
        Sample.tags.any(Tag.name.in_([each.replace(" ", "-") for each in spelled])),
    )


def says(word: str) -> Condition:
    """A character is named, by whatever word."""
    texts = (Sample.search_text.expression, func.lower(in_force("description")))
    return or_(*(speaks(text, each) for text in texts for each in alike(word)))


def called(sentence: str) -> Condition | None:
    """The whole sentence stands in a name, whatever marks are between its words; its last may be begun.

    None for what can't be a name: one that says `-word`, or nothing.
    """
    said = " ".join((words.bare(sentence.casefold()) or "").split())
    if not said or LEFT_OUT.search(sentence):
        return None
    name = func.substr(Sample.search_text, 1, func.length(Sample.name))  # its first words, in small letters
    framed = literal(" ") + words.Bare(name) + literal(" ")
    spaced = func.replace(func.replace(framed, "  ", " "), "  ", " ")
    ending = " " if len(said) <= WHOLE else ""
    return and_(
        _contains(Sample.search_text.expression, said.split()[0]), _contains(spaced, f" {said}{ending}")
    )


def in_force(field: str) -> ColumnElement[str]:
    """A field of the description as JSON text, the user's correction before what was said.

    A quotation mark inside a text is escaped there, so `"moods":` can only be the name of a field.
    """
    is_corrected = _contains(cast(Sample.corrections, Text), f'"{field}":')
    corrected, said = (cast(column[field], Text) for column in (Sample.corrections, Sample.described))
    return func.coalesce(case((is_corrected, corrected), else_=said), "")


def speaks(text: ColumnElement[str], spelling: str) -> Condition:
    """Whether whole words are in a text: `pop`, but not in `popcorn`. The first look is the cheap one."""
    said = words.bare(spelling) or ""
    framed = literal(" ") + words.Bare(text) + literal(" ")
    return and_(_contains(text, said.split()[0]), _contains(framed, f" {said} "))


def _contains(text: ColumnElement[str], part: str) -> Condition:
    return text.contains(part, autoescape=True)
