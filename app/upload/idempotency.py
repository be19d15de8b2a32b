"""Idempotency keys of the API: an upload sent twice with one key is accepted once and answered twice."""

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
# A request that has no answer by then was cut off.
RUNNING_LIMIT = timedelta(minutes=10)


class KeyReusedError(Exception):
    """The key belongs to a request with another file or other options."""


class RequestInProgressError(Exception):
    """The first request with this key has not been answered yet."""


def request_fingerprint(stream: IO[bytes], *facts: object) -> str:
    """Return a hash that two requests share when they send the same bytes with the same options."""
    digest = hashlib.file_digest(stream, "sha256")  # type: ignore[arg-type]  # any binary file will do
    stream.seek(0)
    return hashlib.sha256(repr((digest.hexdigest(), *facts)).encode()).hexdigest()


def is_known(user: User, key: str) -> bool:
    """Return whether an earlier request of the user had this key."""
    mine = select(IdempotencyKey.id).where(IdempotencyKey.user_id == user.id, IdempotencyKey.key == key)
    return db.session.scalar(mine) is not None


def begin_request(user: User, key: str, fingerprint: str) -> IdempotencyKey:
    """Return the record of this key: a new one, or that of the earlier request with its answer.

    Raises KeyReusedError for another request under the same key, and RequestInProgressError.
    """
    user_id = user.id
    mine = select(IdempotencyKey).where(IdempotencyKey.user_id == user_id, IdempotencyKey.key == key)
    try:
        with transaction() as session:
            session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < utcnow() - KEY_LIFETIME))
            record = session.scalar(mine.with_for_update())
            if record is None:
                record = IdempotencyKey(user_id=user_id, key=key, fingerprint=fingerprint, job_id=new_id())
                session.add(record)
            else:
                _resume_request(record, fingerprint)
    except IntegrityError as error:
        raise RequestInProgressError from error  # another request with this key was faster
    return record


def find_job(record: IdempotencyKey) -> Job | None:
    """Return the job that an earlier request created before it was cut off."""
    return db.session.scalar(select(Job).where(Job.id == record.job_id, Job.user_id == record.user_id))


def save_answer(key_id: int, answer: dict[str, Any]) -> None:
    """Store the answer that every repetition of the request gets."""
    with transaction() as session:
        session.execute(update(IdempotencyKey).where(IdempotencyKey.id == key_id).values(answer=answer))


def release_key(key_id: int) -> None:
    """Delete the key if its request created no job, so that the same key may be used to try again."""
    became_job = select(Job.id).where(Job.id == IdempotencyKey.job_id).exists()
    with transaction() as session:
        session.execute(
            delete(IdempotencyKey).where(
                IdempotencyKey.id == key_id, IdempotencyKey.answer.is_(None), ~became_job
            )
        )


def _resume_request(record: IdempotencyKey, fingerprint: str) -> None:
    if record.fingerprint != fingerprint:
        raise KeyReusedError
    if record.answer is None:
        if record.touched_at > utcnow() - RUNNING_LIMIT:
            raise RequestInProgressError
        record.touched_at = utcnow()
