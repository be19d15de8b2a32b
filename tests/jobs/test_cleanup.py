"""What is swept away, and from when on."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest
from flask import Flask

from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import cleanup
from app.models import Job, User
from app.models.base import transaction, utcnow
from tests.support import waiting_jobs

HOUR_S, DAY_S = 3600, 86400


def store_old(key: str, age_s: float = DAY_S + 60) -> str:
    source = settings().data_dir / "source"
    source.write_bytes(b"bytes")
    open_store(settings()).put(key, source, "audio/wav")
    source.unlink()
    at = time.time() - age_s
    os.utime(settings().data_dir / "store" / key, (at, at))
    return key


def is_stored(key: str) -> bool:
    return (settings().data_dir / "store" / key).exists()


def test_temporary_files_are_removed_after_an_hour(app: Flask) -> None:
    cleanup.remove_temporary_files()  # there is no folder yet
    folder = settings().data_dir / "tmp"
    (folder / "old work").mkdir(parents=True)
    (folder / "old work" / "inside").write_text("x")
    for name, age_s in (("old", HOUR_S + 60), ("young", HOUR_S - 60), ("old work", HOUR_S + 60)):
        path = folder / name
        path.exists() or path.write_text("x")
        at = time.time() - age_s
        os.utime(path, (at, at))
    cleanup.remove_temporary_files()
    assert [path.name for path in folder.iterdir()] == ["young"]


def test_an_object_of_nothing_is_removed_after_a_day(app: Flask, owner: User) -> None:
    (job_id,) = waiting_jobs(owner, 1)
    needed = {
        store_old(str(db.session.get_one(Job, job_id).incoming_key)),
        store_old(f"samples/{owner.id}/{job_id}/original.wav"),
        store_old(f"made/{owner.id}/{job_id}"),
    }
    young = {store_old(f"{room}/{owner.id}/young", DAY_S - 60) for room in ("incoming", "samples", "made")}
    orphans = {store_old(f"{room}/{owner.id}/gone") for room in ("incoming", "samples", "made", "projects")}
    orphans.add(store_old("samples/short"))
    other = store_old("exports/not-swept-here")
    assert cleanup.remove_orphans() == len(orphans) == 5
    assert {key for key in needed | young | orphans | {other} if is_stored(key)} == needed | young | {other}
    assert cleanup.remove_orphans() == 0


@pytest.mark.parametrize(
    ("state", "kept_for", "is_needed"),
    [
        ("processing", None, True),
        ("failed", timedelta(minutes=5), True),
        ("failed", -timedelta(seconds=1), False),
        ("failed", None, False),
        ("completed", None, False),
    ],
)
def test_objects_of_a_job_stay_while_it_may_still_run(
    owner: User, state: str, kept_for: timedelta | None, is_needed: bool
) -> None:
    kept_until = utcnow() + kept_for if kept_for is not None else None
    (job_id,) = waiting_jobs(owner, 1, state=state, kept_until=kept_until)
    with transaction():
        key = str(db.session.get_one(Job, job_id).incoming_key)
    for each in (key, f"samples/{owner.id}/{job_id}/sp404.wav", f"made/{owner.id}/{job_id}"):
        store_old(each)
    assert cleanup.may_job_run(f"made/{owner.id}/{job_id}") is is_needed
    assert cleanup.remove_orphans() == (0 if is_needed else 3)
