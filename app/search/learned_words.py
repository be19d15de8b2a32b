"""Words that no rule knows: what a model has said of them is remembered and read for nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import select

from app.ai import answer_cache, budget, model_choice
from app.extensions import db, settings
from app.integrations.openrouter.chat_client import MaxPrice, configured_endpoint
from app.models import AiAnswer, User
from app.models.base import new_id
from app.search import word_meanings
from app.search.lexicon import FieldValue, strip_separators
from app.search.sentence_parser import QUOTED_TEXT, Term, build_term, parse_sentence
from app.search.text_conditions import DESCRIPTION_FIELDS
from app.vibe.vibe_prompt import sanitize_text
from app.vibe.vocabulary import AXIS_ENDS

log = logging.getLogger(__name__)

MAX_WAIT_S = word_meanings.MAX_WAIT_S + 5.0  # and the database on both sides of it
Meanings = Mapping[str, tuple[str, ...]]  # of a word; none when the model had nothing to say
NO_MODEL_NOW = "No model can be asked now. Search without, or try again later."
NO_ANSWER = "The model gave no useful answer in time. Search without it, or ask again."
RANK_ENDS = {
    end: (axis, float(sign))
    for axis, ends in AXIS_ENDS.items()
    for end, sign in zip(ends, (1, -1), strict=True)
}


class NoAnswerError(Exception):
    """Nothing was learned; the message is for the user."""


def unknown_words(sentence: str) -> tuple[str, ...]:
    """The words that no rule knows; what stands in quotation marks is nobody's to guess at."""
    return tuple(
        dict.fromkeys(
            piece.value[0] for piece in parse_sentence(sentence) if _is_unknown_word(piece, sentence)
        )
    )


def parse_with_meanings(sentence: str, learned: Meanings) -> tuple[Term, ...]:
    """What a sentence asks for, the words read as they were learned."""
    found: list[Term] = []
    for piece in parse_sentence(sentence):
        means = learned.get(piece.value[0], ()) if _is_unknown_word(piece, sentence) else ()
        guesses = [build_term(each, piece.start, piece.end, piece.negated) for each in _field_values(means)]
        found += [replace(each, guess=piece.value[0]) for each in guesses] or [piece]
    return tuple(found)


def known_meanings(user: User, sentence: str) -> Meanings:
    """What this user has learned of a sentence's words. Nothing is asked and nothing is paid."""
    asked = {word: _question_key(user, word) for word in unknown_words(sentence)}
    if not asked:
        return {}
    rows = select(AiAnswer).where(AiAnswer.user_id == user.id, AiAnswer.question.in_(asked.values()))
    means = {row.question: tuple(row.answer["means"]) for row in db.session.scalars(rows)}
    return {word: means[question] for word, question in asked.items() if question in means}


def words_to_offer(user: User, sentence: str, learned: Meanings) -> tuple[str, ...]:
    """The words to offer a question about; none when no model may be asked."""
    words = _words_to_ask(sentence, learned)
    return words if words and budget.may_ask(user, _max_cost_usd()) else ()


def learn_words(user: User, sentence: str) -> None:
    """Ask a model about the words that are left, and remember its answer for this user."""
    words = _words_to_ask(sentence, known_meanings(user, sentence))
    questions = [answer_cache.sha256_digest(user.id, _question_key(user, word)) for word in words]
    if questions:
        with answer_cache.single_flight(questions, MAX_WAIT_S) as mine:
            if mine:
                _ask_and_save(user, sentence)
            elif _words_to_ask(sentence, known_meanings(user, sentence)):
                raise NoAnswerError(NO_ANSWER)


def _ask_and_save(user: User, sentence: str) -> None:
    words = _words_to_ask(sentence, known_meanings(user, sentence))
    if not words:
        return
    user_id, questions = user.id, {word: _question_key(user, word) for word in words}
    key, usd = f"{budget.WORDS_KEY_PREFIX}{new_id()}", _max_cost_usd()
    models = budget.reserve_budget(user_id, key, usd)
    db.session.commit()  # no transaction is open while a model thinks
    if models is None:
        raise NoAnswerError(NO_MODEL_NOW)
    found = _ask_model(words, QUOTED_TEXT.sub('""', sentence), models, usd)
    if found is None:
        raise NoAnswerError(NO_ANSWER)
    budget.settle_budget(user_id, key, usd, found.calls, _answer_rows(user_id, questions, found))
    if found.means is None:
        raise NoAnswerError(NO_ANSWER)


def _words_to_ask(sentence: str, learned: Meanings) -> tuple[str, ...]:
    return tuple(word for word in unknown_words(sentence) if word not in learned)[: word_meanings.MAX_WORDS]


def _ask_model(
    words: tuple[str, ...], sentence: str, models: tuple[str, ...], usd: Decimal
) -> word_meanings.MeaningsAnswer | None:
    """None when our own code broke: what was put aside stays, as nobody knows what it has cost."""
    here = settings()
    price = MaxPrice(Decimal(str(here.vibe_max_prompt_usd)), Decimal(str(here.vibe_max_completion_usd)))
    server = configured_endpoint(here)
    try:
        return (
            word_meanings.ask_meanings(words, sentence, models, price, usd, server)
            if server is not None
            else None
        )
    except Exception:
        log.exception("asking a model about words broke")
        return None


def _answer_rows(
    user_id: str, questions: dict[str, str], found: word_meanings.MeaningsAnswer
) -> list[AiAnswer]:
    about = {"source": found.source, "reading_version": word_meanings.MEANINGS_VERSION}
    return [
        AiAnswer(user_id=user_id, question=questions[word], answer={"word": word, "means": means} | about)
        for word, means in (found.means or {}).items()
    ]


def _question_key(user: User, word: str) -> str:
    """Other models or another prompt may know a word that these don't."""
    return answer_cache.sha256_digest(
        "word",
        strip_separators(word),
        *model_choice.ordered_models(user),
        f"r{word_meanings.MEANINGS_VERSION}",
    )


def _is_unknown_word(piece: Term, sentence: str) -> bool:
    """A word of the sentence, as it could be given to a model."""
    if piece.field != "word" or QUOTED_TEXT.search(sentence[piece.start : piece.end]) is not None:
        return False
    word = piece.value[0]
    return any(mark.isalpha() for mark in word) and sanitize_text(word, word_meanings.MAX_WORD_LENGTH) == word


def _field_values(means: tuple[str, ...]) -> list[FieldValue]:
    """`mood: groovy` as a rule would have found it; of two words of one field, either will do."""
    found: dict[str, tuple[str, ...]] = {}
    single: list[FieldValue] = []
    for field, _, name in (each.partition(": ") for each in means if each in word_meanings.MEANINGS):
        if field in DESCRIPTION_FIELDS:
            found[field] = (*found.get(field, ()), name)
        else:
            single.append((field, RANK_ENDS[name] if field == "rank" else (name,)))
    return [*found.items(), *single]


def _max_cost_usd() -> Decimal:
    return Decimal(str(settings().vibe_sample_max_usd))
