"""Step 3 of a search: replace words that no rule knows by what a model has said they mean.

Only saved answers are read here, which costs nothing. `word_questions` asks a model, when the user clicks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import select

from app.ai import answer_cache, model_choice
from app.extensions import db
from app.models import AiAnswer, User
from app.models.text_folding import fold_text
from app.search import word_meanings
from app.search.lexicon import FieldValue, strip_separators
from app.search.search_rows import DESCRIPTION_FIELDS
from app.search.sentence_parser import QUOTED_TEXT, Term, build_term, parse_sentence
from app.vibe.vibe_prompt import sanitize_text
from app.vibe.vocabulary import AXIS_ENDS

# What words mean, as `mood: groovy`; an empty tuple where the model had no meaning for the word.
Meanings = Mapping[str, tuple[str, ...]]
RANK_ENDS = {
    end: (axis, float(sign))
    for axis, ends in AXIS_ENDS.items()
    for end, sign in zip(ends, (1, -1), strict=True)
}


def parse_with_meanings(sentence: str, learned: Meanings) -> tuple[Term, ...]:
    """Return the terms of a sentence; a learned word becomes the terms of its meaning."""
    found: list[Term] = []
    for term in parse_sentence(sentence):
        means = learned.get(term.value[0], ()) if _is_unknown_word(term, sentence) else ()
        guesses = [build_term(each, term.start, term.end, term.negated) for each in _field_values(means)]
        found += [replace(each, guess=term.value[0]) for each in guesses] or [term]
    return tuple(found)


def unknown_words(sentence: str) -> tuple[str, ...]:
    """Return the words that no rule knows. Words in quotation marks are meant literally and left out."""
    unknown = (term.value[0] for term in parse_sentence(sentence) if _is_unknown_word(term, sentence))
    return tuple(dict.fromkeys(unknown))


def known_meanings(user: User, sentence: str) -> Meanings:
    """Return what this user's saved answers say about the words of a sentence. Asks no model."""
    keys = {word: question_key(user, word) for word in unknown_words(sentence)}
    if not keys:
        return {}
    rows = select(AiAnswer).where(AiAnswer.user_id == user.id, AiAnswer.question.in_(keys.values()))
    means = {row.question: tuple(row.answer["means"]) for row in db.session.scalars(rows)}
    return {word: means[key] for word, key in keys.items() if key in means}


def question_key(user: User, word: str) -> str:
    """Return the key an answer is saved under. Other models or another prompt may know the word."""
    models = model_choice.ordered_models(user)
    version = f"r{word_meanings.MEANINGS_VERSION}"
    return answer_cache.sha256_digest("word", fold_text(strip_separators(word)), *models, version)


def _is_unknown_word(term: Term, sentence: str) -> bool:
    """Say whether a term is a plain word that could be given to a model."""
    if term.field != "word" or QUOTED_TEXT.search(sentence[term.start : term.end]) is not None:
        return False
    word = term.value[0]
    return any(mark.isalpha() for mark in word) and sanitize_text(word, word_meanings.MAX_WORD_LENGTH) == word


def _field_values(means: tuple[str, ...]) -> list[FieldValue]:
    """Return meanings such as `mood: groovy` in the form in which the rules find terms.

    Words of one description field become one term, of which any word may match. Meanings that an older
    version knew and this one does not are dropped.
    """
    described: dict[str, tuple[str, ...]] = {}
    single: list[FieldValue] = []
    for field, _, name in (each.partition(": ") for each in means if each in word_meanings.MEANINGS):
        if field in DESCRIPTION_FIELDS:
            described[field] = (*described.get(field, ()), name)
        else:
            single.append((field, RANK_ENDS[name] if field == "rank" else (name,)))
    return [*described.items(), *single]
