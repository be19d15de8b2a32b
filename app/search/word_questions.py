"""Ask a model about words of a search that no rule knows, and save its answer for the user who asked.

This runs when the user clicks, never during a search. A word costs money once: later searches read the
saved answer in `learned_words`.
"""

from __future__ import annotations

import logging
from decimal import Decimal

from app.ai import answer_cache, budget
from app.extensions import db, settings
from app.integrations.openrouter.chat_client import MaxPrice, configured_endpoint
from app.models import AiAnswer, User
from app.models.base import new_id
from app.search import word_meanings
from app.search.learned_words import Meanings, known_meanings, question_key, unknown_words
from app.search.sentence_parser import QUOTED_TEXT

log = logging.getLogger(__name__)

MAX_LOCK_S = word_meanings.MAX_WAIT_S + 5.0  # the model's time, and the database before and after it
NO_MODEL_NOW = "AI is not available right now. Search without it, or try again later."
NO_ANSWER = "AI gave no useful answer in time. Search without it, or try again."


class NoAnswerError(Exception):
    """Nothing was learned; the message is for the user."""


def words_to_offer(user: User, sentence: str, learned: Meanings) -> tuple[str, ...]:
    """Return the words the page offers to ask a model about; none when the user may not ask."""
    words = _words_to_ask(sentence, learned)
    return words if words and budget.may_ask(user, _max_cost_usd()) else ()


def learn_words(user: User, sentence: str) -> None:
    """Ask a model about the unknown words of a sentence and save its answer for this user.

    Of two requests for the same words, one asks and the other waits for its answer. Raises NoAnswerError.
    """
    words = _words_to_ask(sentence, known_meanings(user, sentence))
    questions = [answer_cache.sha256_digest(user.id, question_key(user, word)) for word in words]
    if questions:
        with answer_cache.single_flight(questions, MAX_LOCK_S) as may_ask:
            if may_ask:
                _ask_and_save(user, sentence)
            elif _words_to_ask(sentence, known_meanings(user, sentence)):
                raise NoAnswerError(NO_ANSWER)


def _ask_and_save(user: User, sentence: str) -> None:
    words = _words_to_ask(sentence, known_meanings(user, sentence))
    if not words:
        return
    user_id, questions = user.id, {word: question_key(user, word) for word in words}
    key, usd = f"{budget.WORDS_KEY_PREFIX}{new_id()}", _max_cost_usd()
    models = budget.reserve_budget(user_id, key, usd)
    db.session.commit()  # no transaction is open while a model thinks
    if models is None:
        raise NoAnswerError(NO_MODEL_NOW)
    answer = _ask_model(words, QUOTED_TEXT.sub('""', sentence), models, usd)
    if answer is None:
        raise NoAnswerError(NO_ANSWER)
    budget.settle_budget(user_id, key, usd, answer.calls, _answer_rows(user_id, questions, answer))
    if answer.means is None:
        raise NoAnswerError(NO_ANSWER)


def _words_to_ask(sentence: str, learned: Meanings) -> tuple[str, ...]:
    return tuple(word for word in unknown_words(sentence) if word not in learned)[: word_meanings.MAX_WORDS]


def _ask_model(
    words: tuple[str, ...], sentence: str, models: tuple[str, ...], usd: Decimal
) -> word_meanings.MeaningsAnswer | None:
    """Return the model's answer, or None when our own code failed.

    The reservation then stays as it is, because nobody knows what the calls have cost.
    """
    here = settings()
    price = MaxPrice(Decimal(str(here.vibe_max_prompt_usd)), Decimal(str(here.vibe_max_completion_usd)))
    endpoint = configured_endpoint(here)
    if endpoint is None:
        return None
    try:
        return word_meanings.ask_meanings(words, sentence, models, price, usd, endpoint)
    except Exception:
        log.exception("asking a model about words failed")
        return None


def _answer_rows(
    user_id: str, questions: dict[str, str], answer: word_meanings.MeaningsAnswer
) -> list[AiAnswer]:
    about = {"source": answer.source, "reading_version": word_meanings.MEANINGS_VERSION}
    return [
        AiAnswer(user_id=user_id, question=questions[word], answer={"word": word, "means": means} | about)
        for word, means in (answer.means or {}).items()
    ]


def _max_cost_usd() -> Decimal:
    return Decimal(str(settings().vibe_sample_max_usd))
