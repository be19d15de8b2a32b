"""Cleanup removes each kind of leftover once it is old enough, and nothing else."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import cleanup, purposes
from app.models import CardExport, Job, ProjectUpload, Render, User
from app.models.base import transaction, utcnow
from tests.search.test_text_conditions import shelve
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


def test_a_folder_that_can_not_be_removed_holds_up_no_other(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("it is in use")

    folder = settings().data_dir / "tmp"
    (folder / "stuck").mkdir(parents=True)
    (folder / "old").write_text("x")
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    monkeypatch.setattr(os, "rmdir", refuse)
    cleanup.remove_temporary_files()
    assert [path.name for path in folder.iterdir()] == ["stuck"]


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


def test_files_that_a_row_names_stay(owner: User) -> None:
    """Those of samples, shaped sounds, cards and projects, although no job of the same id may run."""
    sample = shelve(owner, {"Kick": {}})["Kick"]
    common: dict[str, Any] = {"user_id": owner.id, "size_bytes": 1}
    shaped: dict[str, Any] = {
        "recipe": {},
        "recipe_sha256": "",
        "frames": 1,
        "channels": 1,
        "peaks": b"",
        "done": [],
    }
    render = Render(sample_id=sample.id, store_key=f"made/{owner.id}/render", **common, **shaped)
    card = CardExport(kit_name="Kit", targets=[], findings=[], store_key=f"made/{owner.id}/card", **common)
    project = ProjectUpload(name="a.zip", found=[], store_key=f"projects/{owner.id}/project", **common)
    with transaction() as session:
        session.add_all((render, card, project))
    needed = {store_old(row.store_key) for row in (render, card, project)}
    needed.add(store_old(f"samples/{owner.id}/{sample.id}/original.wav"))
    orphans = {store_old(f"{room}/{owner.id}/other") for room in ("made", "projects", "samples")}
    assert cleanup.remove_orphans() == len(orphans)
    assert {key for key in needed | orphans if is_stored(key)} == needed


def test_sounds_that_an_import_has_stored_ahead_stay_until_it_ends(owner: User, stranger: User) -> None:
    """Their samples have ids that no row names yet."""
    purpose = purposes.storing_ahead()[0]
    (job_id,) = waiting_jobs(owner, 1, purpose=purpose)
    mine, theirs = (store_old(f"samples/{user.id}/ahead/original.wav") for user in (owner, stranger))
    assert cleanup.remove_orphans() == 1
    assert (is_stored(mine), is_stored(theirs)) == (True, False)
    with transaction():
        db.session.get_one(Job, job_id).state = "completed"
    assert cleanup.remove_orphans() == 1
    assert not is_stored(mine)
