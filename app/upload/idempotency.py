"""The same upload sent twice under one Idempotency-Key is taken once and answered twice."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import IO, Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import IdempotencyKey, Job, User
from app.models.base import new_id, transaction, utcnow

KEY_LIFETIME = timedelta(hours=24)
# A request that has not ended by then was cut off.
RUNNING_LIMIT = timedelta(minutes=10)


class KeyReusedError(Exception):
    """The key belongs to a request with another file or other options."""


class RequestInProgressError(Exception):
    """The first request with this key has not been answered yet."""


def request_fingerprint(stream: IO[bytes], *facts: object) -> str:
    """What makes two requests the same: the bytes and whatever is asked of them."""
    digest = hashlib.file_digest(stream, "sha256")  # type: ignore[arg-type]  # any binary file will do
    stream.seek(0)
    return hashlib.sha256(repr((digest.hexdigest(), *facts)).encode()).hexdigest()


def begin_request(user: User, key: str, print_: str) -> IdempotencyKey:
    """The record of this key: a fresh one, or the earlier request's with its answer."""
    user_id = user.id
    mine = select(IdempotencyKey).where(IdempotencyKey.user_id == user_id, IdempotencyKey.key == key)
    try:
        with transaction() as session:
            session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < utcnow() - KEY_LIFETIME))
            known = session.scalar(mine.with_for_update())
            if known is None:
                known = IdempotencyKey(user_id=user_id, key=key, fingerprint=print_, job_id=new_id())
                session.add(known)
            else:
                _resume_request(known, print_)
    except IntegrityError as error:
        raise RequestInProgressError from error  # another request with this key was a moment faster
    return known


def find_job(repeat: IdempotencyKey) -> Job | None:
    """The job that the earlier request made before it was cut off."""
    return db.session.scalar(select(Job).where(Job.id == repeat.job_id, Job.user_id == repeat.user_id))


def save_answer(repeat_id: int, answer: dict[str, Any]) -> None:
    with transaction() as session:
        session.execute(update(IdempotencyKey).where(IdempotencyKey.id == repeat_id).values(answer=answer))


def release_key(repeat_id: int) -> None:
    """When nothing came of it, the same key may try again."""
    became_job = select(Job.id).where(Job.id == IdempotencyKey.job_id).exists()
    with transaction() as session:
        session.execute(
            delete(IdempotencyKey).where(
                IdempotencyKey.id == repeat_id, IdempotencyKey.answer.is_(None), ~became_job
            )
        )


def _resume_request(known: IdempotencyKey, print_: str) -> None:
    if known.fingerprint != print_:
        raise KeyReusedError
    if known.answer is None:
        if known.touched_at > utcnow() - RUNNING_LIMIT:
            raise RequestInProgressError
        known.touched_at = utcnow()
