"""A file sent straight to the bucket becomes exactly one job, whatever happens meanwhile."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import select

from app.billing import quota
from app.extensions import db
from app.jobs import run
from app.models import Collection, DirectUpload, Job, Sample, User
from app.upload import intake
from tests.services.direct.links import complete, keys, link, rows, send
from tests.services.store_proxy import StoreProxy
from tests.support import ApiScript, Browser, chord, kick

pytestmark = pytest.mark.services


def test_a_file_sent_to_its_link_becomes_a_sample(script: ApiScript, owner: User) -> None:
    content = kick()
    told = link(script, content, ai_analysis=False, collection="Pack", folder="Drums\\Kicks")
    assert send(told, content) == 200
    answer = complete(script, told)
    assert (answer.status_code, answer.get_json()["job_id"]) == (202, told["upload_id"])
    assert set(answer.get_json()) == {"job_id", "status", "estimated_completion", "message"}
    now = quota.plan_usage(owner)
    assert (now.uploads, now.storage_bytes) == (1, len(content))
    run.run_next()
    sample = db.session.scalars(select(Sample)).one()
    assert (sample.name, sample.format, sample.vibe) == ("Kick 01", "WAV", {})
    collection = db.session.scalars(select(Collection)).one()
    assert (collection.name, sample.collection_id, sample.folder) == ("Pack", collection.id, "Drums/Kicks")
    assert sample.content_sha256 == hashlib.sha256(content).hexdigest()
    got = httpx.get(script.get(f"/api/samples/{sample.id}/download").headers["Location"])
    assert got.content == content
    assert [key.split("/")[-1] for key in keys(owner)] == ["original.wav", "sp404.wav"]


def test_the_page_uploads_directly_and_finds_the_duplicate_later(as_owner: Browser) -> None:
    content = chord()
    wishes = {"filename": "Chord.wav", "size_bytes": len(content), "collection": "Pack"}
    told = as_owner.post("/upload/links", **wishes).get_json()
    assert send(told, content) == 200
    assert as_owner.post(told["job_url"]).status_code == 201
    run.run_next()
    sha256 = hashlib.sha256(content).hexdigest()
    assert as_owner.get(f"/upload/known/{sha256}").get_json()["name"] == "Chord"
    assert db.session.scalars(select(Sample.collection_id)).one() is not None


def test_completing_twice_creates_one_job(script: ApiScript, owner: User) -> None:
    """Its upload is over then, and other uploads stay open."""
    told, other = link(script, kick()), link(script, kick(), "Kick 02.wav")
    send(told, kick())
    answers = [complete(script, told) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.get_json()["job_id"] for answer in answers} == {told["upload_id"]}
    assert (rows(Job), quota.plan_usage(owner).uploads) == (1, 1)
    assert db.session.scalars(select(DirectUpload.id)).all() == [other["upload_id"]]


def test_simultaneous_completions_create_one_job(app: Flask, script: ApiScript, owner: User) -> None:
    told = link(script, kick())
    send(told, kick())
    path, headers = f"/api/uploads/{told['upload_id']}/job", {"Authorization": f"Bearer {script.secret}"}

    def complete_it(_: int) -> int:
        return app.test_client(use_cookies=False).post(path, headers=headers).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(complete_it, range(6))) == {202}
    db.session.commit()
    assert (rows(Job), quota.plan_usage(owner).uploads) == (1, 1)
    job = db.session.scalars(select(Job)).one()
    assert job.incoming_key in keys(owner)
    run.run_next()
    assert rows(Sample) == 1


@pytest.mark.parametrize("request_", ["HEAD", "GET", "PUT"])
def test_a_slower_completion_returns_the_job_of_the_faster_one(
    script: ApiScript, app: Flask, owner: User, gate: StoreProxy, request_: str
) -> None:
    """It does so whichever of its requests to the store finds the file gone."""
    told = link(script, kick())
    send(told, kick())
    path, headers = f"/api/uploads/{told['upload_id']}/job", {"Authorization": f"Bearer {script.secret}"}
    faster: list[int] = []

    def overtake() -> None:
        faster.append(app.test_client(use_cookies=False).post(path, headers=headers).status_code)

    gate.meanwhile[request_] = overtake
    answer = complete(script, told)
    assert (answer.status_code, faster) == (202, [202])
    assert answer.get_json()["job_id"] == told["upload_id"]
    assert (rows(Job), quota.plan_usage(owner).uploads) == (1, 1)
    assert len(keys(owner)) == 1


def test_completing_too_early_can_be_repeated(script: ApiScript) -> None:
    told = link(script, kick())
    early = complete(script, told)
    assert (early.status_code, early.content_type) == (409, "application/problem+json")
    assert "has not arrived yet" in early.get_json()["detail"]
    send(told, kick())
    assert complete(script, told).status_code == 202


def test_using_a_link_again_does_not_change_the_job(script: ApiScript) -> None:
    first, second = kick(), kick()[:-1] + b"\x7f"
    told = link(script, first)
    send(told, first)
    complete(script, told)
    assert send(told, second) == 200
    run.run_next()
    sample = db.session.scalars(select(Sample)).one()
    assert sample.content_sha256 == hashlib.sha256(first).hexdigest()


def test_a_file_that_changes_during_the_check_is_not_accepted(
    script: ApiScript, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = link(script, kick())
    send(told, kick())
    seen = intake.detect_format

    def then_changed(name: str, head: bytes) -> Any:
        send(told, kick()[:-1] + b"\x7f")
        return seen(name, head)

    with monkeypatch.context() as patch:
        patch.setattr("app.upload.intake.detect_format", then_changed)
        answer = complete(script, told)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert rows(Job) == 0
    assert complete(script, told).status_code == 202


def test_the_store_being_down_loses_nothing(script: ApiScript, gate: StoreProxy) -> None:
    told = link(script, kick())
    send(told, kick())
    gate.is_shut = True
    answer = complete(script, told)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    gate.is_shut = False
    assert complete(script, told).status_code == 202
