"""Demo sounds come once, are analysed at once and charge nothing, whatever happens to them afterwards."""

from __future__ import annotations

import threading

from flask import Flask
from sqlalchemy import func, select

from app.billing import quota
from app.extensions import db
from app.jobs import run
from app.library import trash
from app.models import Job, Sample, Usage, User
from app.models.base import transaction, utcnow
from app.models.job import CANCELLED, COMPLETED
from app.upload import demo_jobs
from tests.search.test_text_conditions import shelve
from tests.support import Browser, kick, uploaded_job, waiting_jobs


def demo_samples() -> list[Sample]:
    return list(db.session.scalars(select(Sample).where(Sample.deleted_at.is_(None))))


def usage(user: User) -> tuple[int, int, int]:
    now = quota.plan_usage(user)
    return now.uploads, now.storage_bytes, quota.immediate_files_left(user)


def test_demo_sounds_come_once_and_at_once_also_when_nothing_is_left(
    as_freeloader: Browser, freeloader: User
) -> None:
    with transaction() as session:
        session.add(Usage(user_id=freeloader.id, kind="upload", entry_key="spent", quantity=10))
        session.add(Usage(user_id=freeloader.id, kind="storage", entry_key="full", quantity=100_000_000))
    before = usage(freeloader)
    assert before == (10, 100_000_000, 0)
    assert as_freeloader.post("/upload/demo-sounds").headers["Location"] == "/jobs"
    jobs = db.session.scalars(select(Job)).all()
    assert len(jobs) == 4
    assert {job.filename for job in jobs} >= {"Demo drum loop 92.wav", "Demo chord A minor.wav"}
    assert all(job.run_at <= utcnow() for job in jobs)
    assert as_freeloader.post("/upload/demo-sounds").headers["Location"] == "/samples"
    while run.run_next() is not None:
        pass
    assert {job.state for job in db.session.scalars(select(Job))} == {COMPLETED}
    as_freeloader.post("/upload/demo-sounds")
    assert "already, or about to be" in as_freeloader.get("/samples").text
    assert len(demo_samples()) == 4
    assert usage(freeloader) == before


def test_deleting_demo_sounds_frees_nothing_and_they_can_come_back(
    as_freeloader: Browser, freeloader: User
) -> None:
    charged = uploaded_job(as_freeloader, "kick.wav", kick())
    as_freeloader.post("/upload/demo-sounds")
    for job in db.session.scalars(select(Job)):
        job.run_at = utcnow()
    db.session.commit()
    while run.run_next() is not None:
        pass
    before = usage(freeloader)
    assert before[:2] == (1, charged.size_bytes)
    demo = next(sample for sample in demo_samples() if sample.id != charged.id)
    trash.delete_sample(demo)
    assert usage(freeloader) == before
    trash.restore_sample(db.session.get_one(Sample, demo.id))
    assert usage(freeloader) == before
    trash.delete_sample(demo)
    as_freeloader.post("/upload/demo-sounds")
    assert db.session.scalar(select(func.count()).select_from(Job)) == 6
    trash.delete_sample(db.session.get_one(Sample, charged.id))
    assert usage(freeloader)[:2] == (1, 0)


def test_of_two_presses_at_once_one_brings_the_sounds(app: Flask, owner: User, stranger: User) -> None:
    """All four sounds come, also one that another account has, or that was deleted or cancelled here."""
    user_id, added = owner.id, list[int]()
    sha256 = str(demo_jobs.add_demo_sounds(stranger)[0].content_sha256)
    waiting_jobs(owner, 1, state=CANCELLED, content_sha256=sha256)
    foreign, deleted = (*shelve(stranger, {"Demo": {}}).values(), *shelve(owner, {"Demo": {}}).values())
    with transaction():
        foreign.content_sha256 = deleted.content_sha256 = sha256
        deleted.deleted_at = utcnow()

    def press() -> None:
        with app.app_context():
            added.append(len(demo_jobs.add_demo_sounds(db.session.get_one(User, user_id))))

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [0, 0, 0, 4]
