"""Scripts ask which files are there, by their hashes."""

from __future__ import annotations

import hashlib

from flask import Flask

from app.extensions import db
from app.jobs import reprocess
from app.library import trash
from app.models import Sample, User
from app.reprocessing.reprocess_purposes import ANALYSE
from tests.support import ApiScript, Browser, finished_job, kick, tone, wav


def known(script: ApiScript, *files: bytes) -> list[tuple[bool, bool]]:
    """Return of each file that is known whether it is a sample, and whether it is on its way."""
    wanted = [hashlib.sha256(each).hexdigest() for each in files]
    answer = script.call("POST", "/api/uploads/known", json={"sha256": wanted})
    assert answer.status_code == 200
    return [
        (each["sample_id"] is not None, each["job_id"] is not None) for each in answer.get_json()["known"]
    ]


def test_a_file_is_known_from_its_upload_until_its_sample_is_deleted(
    as_owner: Browser, script: ApiScript, owner: User
) -> None:
    first, second = kick(), wav(tone(200, 0.3))
    assert known(script, first, second) == []
    job = finished_job(as_owner, "Kick.wav", first)
    as_owner.upload(("Tone.wav", second))
    assert job.sample_id is not None
    reprocess.queue_job(owner, job.sample_id, ANALYSE)  # is about the file, but no upload of it
    assert known(script, first, second) == [(True, False), (False, True)]
    trash.delete_sample(db.session.get_one(Sample, job.sample_id))
    assert known(script, first, second) == [(False, True)]


def test_nobody_learns_of_the_files_of_others(
    app: Flask, as_owner: Browser, script: ApiScript, stranger: User
) -> None:
    second = wav(tone(200, 0.3))
    finished_job(as_owner, "Kick.wav", kick())
    as_owner.upload(("Tone.wav", second))
    assert len(known(script, kick(), second)) == 2
    assert known(ApiScript(app, stranger), kick(), second) == []


def test_hashes_that_are_none_are_refused(script: ApiScript) -> None:
    for wrong in ([], ["x"], ["a" * 64] * 501, ["A" * 64]):
        assert script.call("POST", "/api/uploads/known", json={"sha256": wrong}).status_code == 422
