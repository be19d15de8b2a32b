"""Which keys of requests may be used again, and whose answer is kept."""

from __future__ import annotations

from sqlalchemy import select

from app.extensions import db
from app.models import IdempotencyKey, User
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
