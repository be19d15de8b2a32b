"""Cache what models say about sounds, and keep one question from being asked or paid for twice."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Self

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.exc import SQLAlchemyError

from app.ai import budget, model_choice
from app.engine.describer import ModelRequest
from app.extensions import db, settings
from app.models import AiAnswer, Sample, SingleFlightLock, User
from app.models.base import new_id, transaction, utcnow
from app.vibe import vibe_prompt, vibe_schema
from app.vibe.feature_text import correction_texts
from app.vibe.sound_description import SoundDescription

log = logging.getLogger(__name__)

POLL_S = 0.25


@dataclass(frozen=True)
class QuestionSubject:
    """The sound a model is asked about: its bytes, and what its user has said about it."""

    content_sha256: str
    name: str
    tags: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()  # what the model is told about measurements the user has corrected

    @classmethod
    def from_sample(cls, sample: Sample) -> Self:
        """Take the subject from a sample in the library."""
        corrected = correction_texts(sample.corrected_analysis(), sample.analysis())
        return cls(sample.content_sha256, sample.filename, tuple(sample.tag_names), corrected)


@dataclass(frozen=True)
class Reservation:
    """Permission to ask one question, with the money reserved for it."""

    user_id: str
    key: str  # `ai:`, the job's id and its attempt
    question: str
    shared_key: str
    ask: ModelRequest
    usd: Decimal


def question_key(user: User, subject: QuestionSubject) -> str:
    """Return the key that two questions share when they are the same question.

    They are when the bytes, the user's corrections, the models in their order and the versions of prompt and
    schema are the same.
    """
    versions = (
        *model_choice.models_to_ask(user),
        f"p{vibe_prompt.PROMPT_VERSION}",
        f"s{vibe_schema.SCHEMA_VERSION}",
    )
    return sha256_digest(subject.content_sha256, *subject.corrected, *versions)


def shared_question_key(asked: str, subject: QuestionSubject) -> str:
    """Return the key under which users may share an answer: it covers the user's own name and tags too.

    Anyone who asks exactly this question has sent every word of it themselves, so sharing reveals nothing.
    """
    return sha256_digest(asked, json.dumps([subject.name, *subject.tags]))


@contextmanager
def single_flight(
    questions: Iterable[str], timeout_s: float, still_wanted: Callable[[], bool] = lambda: True
) -> Iterator[bool]:
    """Hold a single-flight lock on these questions, so that no other process asks any of them meanwhile.

    Wait while another process holds one of them: when it is done, its answer is in the cache. Yield True when
    the lock was acquired, and False when `timeout_s` passed or `still_wanted` returned False first. The lock
    expires after `timeout_s`, so a process that dies does not hold it for ever.
    """
    keys, asker, until = set(questions), new_id(), time.monotonic() + timeout_s
    while not (mine := _acquire_lock(keys, asker, timedelta(seconds=timeout_s))):
        if time.monotonic() > until or not still_wanted():
            break
        time.sleep(POLL_S)
    try:
        yield mine
    finally:
        _release_lock(asker)


def cached_answer(user_id: str, asked: str, shared: str) -> dict[str, Any] | None:
    """Return the user's own answer to a question, or one that another user got for exactly the same words.

    The latter is copied to this user. An answer is shared in no other case, because it may repeat the words
    its user wrote. Return None when the question has no answer yet.
    """
    own = and_(AiAnswer.user_id == user_id, AiAnswer.question == asked)
    found = select(own, AiAnswer.answer).where(or_(own, AiAnswer.shared_key == shared))
    answer = db.session.execute(found.order_by(own.desc()).limit(1)).one_or_none()
    if answer is None:
        return None
    is_own, same = answer
    if is_own:
        return dict(same)
    with transaction() as session:
        budget.lock_switch()  # settling takes the same lock, so two jobs never add the same answer at once
        session.merge(AiAnswer(user_id=user_id, question=asked, shared_key=shared, answer=same))
    return dict(same)


def answered_questions(user_id: str, asked: Iterable[str]) -> set[str]:
    """Return those of these questions that the user has an answer to."""
    own = select(AiAnswer.question).where(AiAnswer.user_id == user_id, AiAnswer.question.in_(asked))
    return set(db.session.scalars(own))


def reserve_question(user_id: str, key: str, subject: QuestionSubject) -> Reservation | None:
    """Reserve the most that one description may cost; return None when no model may be asked now."""
    config = settings()
    usd = Decimal(str(config.vibe_sample_max_usd))
    models = budget.reserve_budget(user_id, key, usd)
    if models is None:
        return None
    asked = question_key(db.session.get_one(User, user_id), subject)
    prices = (str(config.vibe_max_prompt_usd), str(config.vibe_max_completion_usd))
    ask = ModelRequest(models, vibe_prompt.PROMPT_VERSION, str(usd), *prices, subject.name, subject.tags)
    return Reservation(user_id, key, asked, shared_question_key(asked, subject), ask, usd)


def settle_question(held: Reservation, described: SoundDescription) -> None:
    """Replace a reservation with the real cost of each call, and keep the answer when a model gave one."""
    answers = []
    if described.answered is not None:
        found = {"shared_key": held.shared_key, "answer": described.answered}
        answers.append(AiAnswer(user_id=held.user_id, question=held.question, **found))
    budget.settle_budget(held.user_id, held.key, held.usd, described.calls, answers)


def sha256_digest(*parts: str) -> str:
    """Return the SHA-256 of the parts, one on each line, as 64 hexadecimal digits."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _acquire_lock(keys: set[str], asker: str, lifetime: timedelta) -> bool:
    """Lock all of the questions, or return False when one of them is locked.

    The first look needs no database lock, so processes that wait do not get in each other's way.
    """
    is_locked = _is_locked(keys)
    db.session.commit()
    if is_locked:
        return False
    with transaction() as session:
        budget.lock_switch()  # one at a time: the second of two processes sees the rows of the first
        if _is_locked(keys):
            return False
        session.execute(delete(SingleFlightLock).where(SingleFlightLock.until < utcnow()))
        until = utcnow() + lifetime
        session.add_all(SingleFlightLock(question=key, asker=asker, until=until) for key in keys)
        return True


def _is_locked(keys: set[str]) -> bool:
    """Return whether any of the questions is locked by a lock that has not expired."""
    held = select(SingleFlightLock.question).where(
        SingleFlightLock.question.in_(keys), SingleFlightLock.until >= utcnow()
    )
    return db.session.scalar(held.limit(1)) is not None


def _release_lock(asker: str) -> None:
    """Release what this asker holds. A failure is only logged: the lock expires by itself, and the caller
    should see its own error rather than this one."""
    try:
        db.session.rollback()
        with transaction() as session:
            session.execute(delete(SingleFlightLock).where(SingleFlightLock.asker == asker))
    except SQLAlchemyError:
        log.warning("could not release a single-flight lock; it expires by itself", exc_info=True)
