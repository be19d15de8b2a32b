"""Which keys of requests may be used again, and whose answer is kept."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.extensions import db
from app.models import IdempotencyKey, User
from app.models.base import transaction, utcnow
from app.upload import idempotency
from tests.support import waiting_jobs


def test_only_a_key_without_an_answer_and_a_job_is_released(owner: User) -> None:
    names = ("free", "other", "answered", "has a job")
    records = {name: idempotency.begin_request(owner, name, "fingerprint") for name in names}
    ids = {name: (record.id, record.job_id) for name, record in records.items()}
    idempotency.save_answer(ids["answered"][0], {"job_id": "1"})
    waiting_jobs(owner, 1, id=ids["has a job"][1])
    for name in ("free", "answered", "has a job"):
        idempotency.release_key(ids[name][0])
    kept = db.session.execute(select(IdempotencyKey.key, IdempotencyKey.answer)).tuples().all()
    assert dict(kept) == {"other": None, "answered": {"job_id": "1"}, "has a job": None}


def test_a_key_belongs_to_its_user_for_a_day(owner: User, stranger: User) -> None:
    keys = {user.id: idempotency.begin_request(user, "one key", user.id) for user in (owner, stranger)}
    theirs = {user_id: (record.id, record.job_id) for user_id, record in keys.items()}
    assert len(set(theirs.values())) == 2
    assert not idempotency.is_known(owner, "another key")
    for key_id, job_id in theirs.values():
        idempotency.save_answer(key_id, {"job_id": job_id})
    again = {user.id: idempotency.begin_request(user, "one key", user.id) for user in (owner, stranger)}
    assert {user_id: record.answer for user_id, record in again.items()} == {
        user_id: {"job_id": job_id} for user_id, (_, job_id) in theirs.items()
    }
    with pytest.raises(idempotency.KeyReusedError):
        idempotency.begin_request(owner, "one key", stranger.id)
    with transaction() as session:
        for user, minutes in ((owner, 24 * 60 + 1), (stranger, 24 * 60 - 1)):
            old = update(IdempotencyKey).where(IdempotencyKey.user_id == user.id)
            session.execute(old.values(created_at=utcnow() - timedelta(minutes=minutes)))
    assert idempotency.begin_request(owner, "one key", "another print").answer is None
    assert (idempotency.is_known(owner, "one key"), idempotency.is_known(stranger, "one key")) == (True, True)


def test_a_request_without_an_answer_is_repeated_after_ten_minutes_under_the_same_job(owner: User) -> None:
    began = idempotency.begin_request(owner, "a key", "print")
    key_id, job_id = began.id, began.job_id
    for minutes, is_running in ((9, True), (11, False), (0, True)):
        with transaction() as session:
            if minutes:
                session.execute(
                    update(IdempotencyKey).values(touched_at=utcnow() - timedelta(minutes=minutes))
                )
        if is_running:
            with pytest.raises(idempotency.RequestInProgressError):
                idempotency.begin_request(owner, "a key", "print")
        else:
            again = idempotency.begin_request(owner, "a key", "print")
            assert (again.id, again.job_id) == (key_id, job_id)


def test_the_job_of_a_request_is_found_by_its_id_and_owner(owner: User, stranger: User) -> None:
    mine = idempotency.begin_request(owner, "a key", "print")
    theirs = idempotency.begin_request(stranger, "a key", "print")
    assert idempotency.find_job(mine) is None
    waiting_jobs(owner, 1, id=mine.job_id)
    waiting_jobs(owner, 1, id=theirs.job_id)
    found = idempotency.find_job(mine)
    assert found is not None
    assert found.id == mine.job_id
    assert idempotency.find_job(theirs) is None


def test_the_same_bytes_with_the_same_options_have_one_print() -> None:
    def print_of(content: bytes, *facts: object) -> str:
        stream = io.BytesIO(content)
        made = idempotency.request_fingerprint(stream, *facts)
        assert stream.read() == content, "it is read from its start afterwards"
        return made

    assert print_of(b"sound", "a.wav", True) == print_of(b"sound", "a.wav", True)
    others = (b"other", "a.wav", True), (b"sound", "b.wav", True), (b"sound", "a.wav", False), (b"sound",)
    assert len({print_of(*each) for each in ((b"sound", "a.wav", True), *others)}) == 5
