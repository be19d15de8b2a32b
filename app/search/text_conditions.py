"""Conditions on texts, for steps 5 and 6: a sample's words, its name, its description with corrections.

Words and names are compared folded, so that accents, case and width make no difference.
"""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, literal, or_

from app.models import Sample, Tag, punctuation
from app.models.text_folding import fold_text
from app.search.lexicon import name_spellings, similar_words

# The name of a term's field in the description.
DESCRIPTION_FIELDS = {
    "mood": "moods", "character": "character", "texture": "texture", "genre": "genres", "era": "era",
    "instrument": "instruments", "use": "use", "role": "role",
}  # fmt: skip
Condition = ColumnElement[bool]
EXCLUDED_WORD = re.compile(r"(?:^|\s)-\S")
# A row written by the previous version has no folded text at first; until then its own text is searched.
SEARCHED_TEXT = func.coalesce(Sample.folded_text, Sample.search_text)
FOLDED_NAME = punctuation.FirstLine(SEARCHED_TEXT)
MAX_WHOLE_NAME = 3  # letters; so short a text must be whole words: `Am` does not find `Amen`


def is_described_as(field: str, *names: str) -> Condition:
    """Require one of the words in the description, the name or the tags.

    Names and tags count because the user may know better than the description.
    """
    described, spelled = current_text(DESCRIPTION_FIELDS[field]), name_spellings(field, names)
    return or_(
        *(names_word(described, word) for word in names),
        *(contains_words(FOLDED_NAME, each) for each in spelled),
        Sample.tags.any(Tag.name.in_([each.replace(" ", "-") for each in spelled])),
    )


def mentions_word(word: str) -> Condition:
    """Require a character, such as dusty, or a similar word in the text or the description."""
    texts = (SEARCHED_TEXT, func.lower(current_text("description")))
    return or_(*(contains_words(text, each) for text in texts for each in similar_words(word)))


def name_contains(sentence: str) -> Condition | None:
    """Require the whole sentence in the name, whatever punctuation separates the words there.

    The last word may be unfinished, as while typing. None for a sentence that can't be a name: one with a
    `-word`, or an empty one.
    """
    said = _folded_words(sentence)
    if not said or EXCLUDED_WORD.search(sentence):
        return None
    ending = " " if len(said) <= MAX_WHOLE_NAME else ""
    return and_(contains_text(said.split()[0]), _contains_text(_framed(FOLDED_NAME), f" {said}{ending}"))


def current_text(field: str) -> ColumnElement[str]:
    """Return a field of the description as JSON text, or the user's correction of it.

    JSON escapes quotation marks inside a text, so `"moods":` can only be the name of a field.
    """
    is_corrected = _contains_text(cast(Sample.corrections, Text), f'"{field}":')
    corrected, described = (cast(column[field], Text) for column in (Sample.corrections, Sample.described))
    return func.coalesce(case((is_corrected, corrected), else_=described), "")


def names_word(listed: ColumnElement[str], word: str) -> Condition:
    """Require a word of a vocabulary in a list of the description, as JSON text."""
    return _contains_text(listed, f'"{word}"')


def contains_words(text: ColumnElement[str], spelling: str) -> Condition:
    """Require whole words in a text: `pop`, but not in `popcorn`.

    The plain search for the first word comes first because it is cheap.
    """
    said = _folded_words(spelling)
    return and_(_contains_text(text, said.split()[0]), _contains_text(_framed(text), f" {said} "))


def contains_text(part: str) -> Condition:
    """Require a text anywhere in a sample's words; both are folded."""
    return _contains_text(SEARCHED_TEXT, fold_text(part))


def _folded_words(text: str) -> str:
    """Return the words of a text as they are compared, with single blanks between them."""
    return (punctuation.blank_punctuation(fold_text(text)) or "").strip()


def _framed(text: ColumnElement[str]) -> ColumnElement[str]:
    """Return the words of a text with a blank before and after each."""
    return punctuation.BlankPunctuation(literal(" ") + text + literal(" "))


def _contains_text(text: ColumnElement[str], part: str) -> Condition:
    return text.contains(part, autoescape=True)
