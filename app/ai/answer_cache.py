"""Descriptions that models give: what makes two questions the same, and that none is paid for twice."""

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

from sqlalchemy import delete, select
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
    """What is asked about: a sound's bytes, and what its user says of it."""

    content_sha256: str
    name: str
    tags: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()  # what a model is told of the figures they have corrected

    @classmethod
    def of(cls, sample: Sample) -> Self:
        corrected = correction_texts(sample.corrected_analysis(), sample.analysis())
        return cls(sample.content_sha256, sample.filename, tuple(sample.tag_names), corrected)


@dataclass(frozen=True)
class Reservation:
    """Leave to ask, and what is put aside for it."""

    user_id: str
    key: str  # `ai:` and the job's id, and the attempt
    question: str
    shared_key: str
    ask: ModelRequest
    usd: Decimal


def question_key(user: User, subject: QuestionSubject) -> str:
    """What makes two questions the same one: the bytes, what the user has corrected in them, who is asked."""
    asked = (
        *model_choice.models_to_ask(user),
        f"p{vibe_prompt.PROMPT_VERSION}",
        f"s{vibe_schema.SCHEMA_VERSION}",
    )
    return sha256_digest(subject.content_sha256, *subject.corrected, *asked)


def shared_question_key(asked: str, subject: QuestionSubject) -> str:
    """Of a question with the user's words in it: whoever asks exactly this has sent all of it themselves."""
    return sha256_digest(asked, json.dumps([subject.name, *subject.tags]))


@contextmanager
def single_flight(
    questions: Iterable[str], longest_s: float, still_wanted: Callable[[], bool] = lambda: True
) -> Iterator[bool]:
    """Of one question put twice at once, anywhere, the second waits for the answer of the first.

    Yields whether it may be asked now: not when others were asking all the time, or nobody wants it any more.
    A process that dies holds a question for no longer than asking may take.
    """
    keys, asker, until = set(questions), new_id(), time.monotonic() + longest_s
    while not (mine := _acquire_lock(keys, asker, timedelta(seconds=longest_s))):
        if time.monotonic() > until or not still_wanted():
            break
        time.sleep(POLL_S)
    try:
        yield mine
    finally:
        _release_lock(asker)


def cached_answer(user_id: str, asked: str, shared: str) -> dict[str, Any] | None:
    """What a model said that costs nothing now: to the user, or to somebody who asked the very same.

    The latter becomes their own. Nobody else gets a user's answer: it may show their words.
    """
    if (own := db.session.get(AiAnswer, (user_id, asked))) is not None:
        return dict(own.answer)
    same = db.session.scalar(select(AiAnswer.answer).where(AiAnswer.shared_key == shared).limit(1))
    if same is None:
        return None
    with transaction() as session:
        budget.lock_switch()  # as whoever settles: two jobs don't add the same answer at once
        session.merge(AiAnswer(user_id=user_id, question=asked, shared_key=shared, answer=same))
    return dict(same)


def answered_questions(user_id: str, asked: Iterable[str]) -> set[str]:
    """Which of these questions the user has an answer to."""
    own = select(AiAnswer.question).where(AiAnswer.user_id == user_id, AiAnswer.question.in_(asked))
    return set(db.session.scalars(own))


def reserve_question(user_id: str, key: str, subject: QuestionSubject) -> Reservation | None:
    """Put aside the most a description may cost; None when nobody may be asked now."""
    here = settings()
    usd = Decimal(str(here.vibe_sample_max_usd))
    models = budget.reserve_budget(user_id, key, usd)
    if models is None:
        return None
    asked = question_key(db.session.get_one(User, user_id), subject)
    prices = (str(here.vibe_max_prompt_usd), str(here.vibe_max_completion_usd))
    ask = ModelRequest(models, vibe_prompt.PROMPT_VERSION, str(usd), *prices, subject.name, subject.tags)
    return Reservation(user_id, key, asked, shared_question_key(asked, subject), ask, usd)


def settle_question(held: Reservation, described: SoundDescription) -> None:
    """The reservation given back, a row for each call, and the answer kept when a model gave one."""
    kept = []
    if described.answered is not None:
        found = {"shared_key": held.shared_key, "answer": described.answered}
        kept.append(AiAnswer(user_id=held.user_id, question=held.question, **found))
    budget.settle_budget(held.user_id, held.key, held.usd, described.calls, kept)


def sha256_digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _acquire_lock(keys: set[str], asker: str, longest: timedelta) -> bool:
    """Enter all of them as being asked, unless one of them is; whoever waits takes no lock."""
    is_asked = _is_locked(keys)
    db.session.commit()
    if is_asked:
        return False
    with transaction() as session:
        budget.lock_switch()  # of two that come at once the second sees what the first has entered
        if _is_locked(keys):
            return False
        session.execute(delete(SingleFlightLock).where(SingleFlightLock.until < utcnow()))
        until = utcnow() + longest
        session.add_all(SingleFlightLock(question=key, asker=asker, until=until) for key in keys)
        return True


def _is_locked(keys: set[str]) -> bool:
    alive = select(SingleFlightLock.question).where(
        SingleFlightLock.question.in_(keys), SingleFlightLock.until >= utcnow()
    )
    return db.session.scalar(alive.limit(1)) is not None


def _release_lock(asker: str) -> None:
    """Whatever broke meanwhile is what the caller hears of: an entry that stays expires by itself."""
    try:
        db.session.rollback()
        with transaction() as session:
            session.execute(delete(SingleFlightLock).where(SingleFlightLock.asker == asker))
    except SQLAlchemyError:
        log.warning("a question stays entered as being asked until it expires", exc_info=True)
