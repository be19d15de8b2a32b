"""Words that no rule knows: what a model has said of them is remembered and read for nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import select

from app.ai import answers, budget, model_choice
from app.extensions import db, settings
from app.integrations.openrouter.client import Price, server_of
from app.models import AiAnswer, User
from app.models.base import new_id
from app.search import word_meanings
from app.search.lexicon import Found, squash
from app.search.sentence_parser import QUOTED, Piece, piece_of, read
from app.search.text_conditions import KEPT_AS
from app.vibe.prompt import tame
from app.vibe.vocabulary import ENDS

log = logging.getLogger(__name__)

LONGEST_S = word_meanings.LONGEST_S + 5.0  # and the database on both sides of it
Meanings = Mapping[str, tuple[str, ...]]  # of a word; none when the model had nothing to say
NOT_NOW = "No model can be asked now. Search without, or try again later."
NO_ANSWER = "The model gave no useful answer in time. Search without it, or ask again."
AXES = {
    end: (axis, float(sign)) for axis, ends in ENDS.items() for end, sign in zip(ends, (1, -1), strict=True)
}


class NoAnswerError(Exception):
    """Nothing was learned; the message is for the user."""


def unread(sentence: str) -> tuple[str, ...]:
    """The words that no rule knows; what stands in quotation marks is nobody's to guess at."""
    return tuple(dict.fromkeys(piece.value[0] for piece in read(sentence) if _is_open(piece, sentence)))


def applied(sentence: str, learned: Meanings) -> tuple[Piece, ...]:
    """What a sentence asks for, the words read as they were learned."""
    found: list[Piece] = []
    for piece in read(sentence):
        means = learned.get(piece.value[0], ()) if _is_open(piece, sentence) else ()
        guesses = [piece_of(each, piece.start, piece.end, piece.negated) for each in _pieces(means)]
        found += [replace(each, guess=piece.value[0]) for each in guesses] or [piece]
    return tuple(found)


def of(user: User, sentence: str) -> Meanings:
    """What this user has learned of a sentence's words. Nothing is asked and nothing is paid."""
    asked = {word: _question(user, word) for word in unread(sentence)}
    if not asked:
        return {}
    rows = select(AiAnswer).where(AiAnswer.user_id == user.id, AiAnswer.question.in_(asked.values()))
    means = {row.question: tuple(row.answer["means"]) for row in db.session.scalars(rows)}
    return {word: means[question] for word, question in asked.items() if question in means}


def askable(user: User, sentence: str, learned: Meanings) -> tuple[str, ...]:
    """The words to offer a question about; none when no model may be asked."""
    words = _unlearned(sentence, learned)
    return words if words and budget.may_ask(user, _most_usd()) else ()


def learn(user: User, sentence: str) -> None:
    """Ask a model about the words that are left, and remember its answer for this user."""
    words = _unlearned(sentence, of(user, sentence))
    questions = [answers.digest(user.id, _question(user, word)) for word in words]
    if questions:
        with answers.one_at_a_time(questions, LONGEST_S) as mine:
            if mine:
                _learn(user, sentence)
            elif _unlearned(sentence, of(user, sentence)):
                raise NoAnswerError(NO_ANSWER)


def _learn(user: User, sentence: str) -> None:
    words = _unlearned(sentence, of(user, sentence))
    if not words:
        return
    user_id, questions = user.id, {word: _question(user, word) for word in words}
    key, usd = f"{budget.OF_WORDS}{new_id()}", _most_usd()
    models = budget.put_aside(user_id, key, usd)
    db.session.commit()  # no transaction is open while a model thinks
    if models is None:
        raise NoAnswerError(NOT_NOW)
    found = _asked(words, QUOTED.sub('""', sentence), models, usd)
    if found is None:
        raise NoAnswerError(NO_ANSWER)
    budget.pay(user_id, key, usd, found.calls, _answers(user_id, questions, found))
    if found.means is None:
        raise NoAnswerError(NO_ANSWER)


def _unlearned(sentence: str, learned: Meanings) -> tuple[str, ...]:
    return tuple(word for word in unread(sentence) if word not in learned)[: word_meanings.MOST_WORDS]


def _asked(
    words: tuple[str, ...], sentence: str, models: tuple[str, ...], usd: Decimal
) -> word_meanings.Learned | None:
    """None when our own code broke: what was put aside stays, as nobody knows what it has cost."""
    here = settings()
    price = Price(Decimal(str(here.vibe_max_prompt_usd)), Decimal(str(here.vibe_max_completion_usd)))
    server = server_of(here)
    try:
        return (
            word_meanings.learn(words, sentence, models, price, usd, server) if server is not None else None
        )
    except Exception:
        log.exception("asking a model about words broke")
        return None


def _answers(user_id: str, questions: dict[str, str], found: word_meanings.Learned) -> list[AiAnswer]:
    about = {"source": found.source, "reading_version": word_meanings.READING_VERSION}
    return [
        AiAnswer(user_id=user_id, question=questions[word], answer={"word": word, "means": means} | about)
        for word, means in (found.means or {}).items()
    ]


def _question(user: User, word: str) -> str:
    """Other models or another prompt may know a word that these don't."""
    return answers.digest(
        "word", squash(word), *model_choice.in_order(user), f"r{word_meanings.READING_VERSION}"
    )


def _is_open(piece: Piece, sentence: str) -> bool:
    """A word of the sentence, as it could be given to a model."""
    if piece.field != "word" or QUOTED.search(sentence[piece.start : piece.end]) is not None:
        return False
    word = piece.value[0]
    return any(mark.isalpha() for mark in word) and tame(word, word_meanings.LONGEST_WORD) == word


def _pieces(means: tuple[str, ...]) -> list[Found]:
    """`mood: groovy` as a rule would have found it; of two words of one field, either will do."""
    found: dict[str, tuple[str, ...]] = {}
    single: list[Found] = []
    for field, _, name in (each.partition(": ") for each in means if each in word_meanings.MEANINGS):
        if field in KEPT_AS:
            found[field] = (*found.get(field, ()), name)
        else:
            single.append((field, AXES[name] if field == "rank" else (name,)))
    return [*found.items(), *single]


def _most_usd() -> Decimal:
    return Decimal(str(settings().vibe_sample_max_usd))
