"""Conditions on texts, for steps 5 and 6: a sample's words, its name, its description with corrections.

Words and names are compared folded, so that accents, case and width make no difference.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from app.models.search_row import SearchRow
from app.models.text_folding import fold_text
from app.search import index_terms
from app.search.condition import Condition, any_of
from app.search.index_terms import DESCRIPTION, NAME, TEXT, trait, trait_term
from app.search.lexicon import name_spellings, similar_words

TextColumn = InstrumentedAttribute[str]
EXCLUDED_WORD = re.compile(r"(?:^|\s)-\S")
MAX_KEPT = 256  # conditions of words; making one takes longer than most searches have
MAX_WHOLE_NAME = 3  # letters; so short a text must be whole words: `Am` does not find `Amen`


def has_trait(field: str, *values: str) -> Condition:
    """Require one of the values in a field, such as a mood or a tag, with the user's corrections."""
    wanted = [trait(field, value) for value in values]
    return any_of(
        *(
            Condition(contains(SearchRow.traits, f" {each} "), (frozenset({trait_term(each)}),))
            for each in wanted
        )
    )


@lru_cache(MAX_KEPT)
def is_described_as(field: str, *names: str) -> Condition:
    """Require one of the words in the description, the name or the tags.

    Names and tags count because the user may know better than the description.
    """
    spelled = name_spellings(field, names)
    return any_of(
        has_trait(field, *names),
        has_trait("tag", *(each.replace(" ", "-") for each in spelled)),
        *map(name_says, spelled),
    )


@lru_cache(MAX_KEPT)
def mentions_word(word: str) -> Condition:
    """Require a character, such as dusty, or a similar word in the text or the description."""
    spelled = similar_words(word)
    return any_of(*map(text_says, spelled), *map(_description_says, spelled))


def name_contains(sentence: str) -> Condition | None:
    """Require the whole sentence in the name, whatever punctuation separates the words there.

    The last word may be unfinished, as while typing. None for a sentence that can't be a name: one with a
    `-word`, or an empty one.
    """
    words = _folded_words(sentence)
    if not words or EXCLUDED_WORD.search(sentence):
        return None
    said = " ".join(words)
    if len(said) <= MAX_WHOLE_NAME:
        return name_says(said)
    whole = (frozenset({index_terms.word_term(word, NAME)}) for word in words[:-1])
    groups = (*whole, *index_terms.groups_of_part(words[-1], NAME))
    return Condition(contains(SearchRow.name_words, f" {said}"), groups)


def name_says(spelling: str) -> Condition:
    """Require whole words in the name: `pop`, but not in `popcorn`."""
    return _says(SearchRow.name_words, spelling, NAME)


def text_says(spelling: str) -> Condition:
    """Require whole words anywhere in a sample's texts but the sentence that describes it."""
    return _says(SearchRow.words, spelling, TEXT)


def name_has_part(part: str) -> Condition:
    """Require a text anywhere in the name, also inside a word."""
    folded = fold_text(part)
    return Condition(contains(SearchRow.name, folded), index_terms.groups_of_part(folded, NAME))


def contains_text(part: str) -> Condition:
    """Require a text anywhere in a sample's words."""
    folded = fold_text(part)
    return Condition(contains(SearchRow.text, folded), index_terms.groups_of_part(folded))


def contains(column: TextColumn, part: str) -> ColumnElement[bool]:
    """Require a text in a column; both are folded already."""
    return column.contains(part, autoescape=True)


def _description_says(spelling: str) -> Condition:
    return _says(SearchRow.description_words, spelling, DESCRIPTION)


def _says(column: TextColumn, spelling: str, where: str) -> Condition:
    words = _folded_words(spelling)
    groups = tuple(frozenset({index_terms.word_term(word, where)}) for word in words)
    return Condition(contains(column, f" {' '.join(words)} "), groups)


def _folded_words(text: str) -> list[str]:
    return index_terms.split_words(fold_text(text))
