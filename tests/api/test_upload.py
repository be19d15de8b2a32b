"""Upload by the API: answers, options, refusals, and one job for each Idempotency-Key."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.extensions import db
from app.jobs import run
from app.models import IdempotencyKey, Job, Sample, User
from app.models.base import transaction, utcnow
from app.upload import idempotency
from tests.support import ApiScript, Browser, kick, silence


def jobs() -> int:
    return db.session.scalar(select(func.count()).select_from(Job)) or 0


def test_an_upload_becomes_a_sample(script: ApiScript) -> None:
    answer = script.upload("kick.wav", kick())
    assert answer.status_code == 202
    told = answer.get_json()
    assert set(told) == {"job_id", "status", "estimated_completion", "message"}
    assert (told["status"], told["message"]) == ("pending", "Queued.")
    assert datetime.fromisoformat(told["estimated_completion"]) > utcnow() - timedelta(seconds=5)
    run.run_next()
    done = script.get(f"/api/jobs/{told['job_id']}").get_json()
    assert (done["status"], done["error"]) == ("completed", None)


def test_a_free_upload_says_that_it_waits(app: Flask, freeloader: User) -> None:
    script = ApiScript(app, freeloader)
    told = script.upload("kick.wav", kick()).get_json()
    assert told["message"] == "Queued. On the Free plan, uploads start later."
    job = script.get(f"/api/jobs/{told['job_id']}").get_json()
    assert datetime.fromisoformat(told["estimated_completion"]) > utcnow() + timedelta(hours=11)
    assert datetime.fromisoformat(job["starts_at"]) > utcnow() + timedelta(hours=11)


def test_without_ai_analysis_there_is_no_description_and_the_page_says_so(
    script: ApiScript, as_owner: Browser
) -> None:
    job_id = script.upload("kick.wav", kick(), ai_analysis="false", export_sp404="no").get_json()["job_id"]
    run.run_next()
    assert db.session.get_one(Sample, job_id).vibe == {}
    assert script.get(f"/api/samples/{job_id}").get_json()["vibe"] is None
    assert script.get(f"/api/jobs/{job_id}").get_json()["sp404_url"] is None
    assert "Uploaded without a description" in as_owner.get(f"/samples/{job_id}").text


def test_a_refused_upload_says_why_and_leaves_no_job(script: ApiScript) -> None:
    refused = script.upload("list.wav", b"%PDF-1.7", key="one")
    assert (refused.status_code, refused.content_type) == (422, "application/problem+json")
    assert "looks like PDF" in refused.get_json()["detail"]
    assert jobs() == 0
    assert db.session.scalar(select(IdempotencyKey)) is None


@pytest.mark.parametrize("form", [{"ai_analysis": "perhaps"}, {"colour": "red"}])
def test_an_unknown_option_is_refused(script: ApiScript, form: dict[str, str]) -> None:
    assert script.upload("kick.wav", kick(), **form).status_code == 422
    assert jobs() == 0


def test_exactly_one_file_is_accepted(script: ApiScript) -> None:
    two = {"audio": [(BytesIO(kick()), "a.wav"), (BytesIO(kick()), "b.wav")]}
    other = {"file": (BytesIO(kick()), "a.wav")}
    for data in (two, other, {"ai_analysis": "true"}):
        form = {"data": data, "content_type": "multipart/form-data"}
        assert script.call("POST", "/api/upload", **form).status_code == 422
    assert jobs() == 0


def test_a_file_over_the_plan_is_too_large(app: Flask, freeloader: User) -> None:
    assert ApiScript(app, freeloader).upload("big.wav", kick() + bytes(12 * 10**6)).status_code == 413
    assert jobs() == 0


def test_a_repeated_key_gives_the_same_answer_and_one_job(script: ApiScript) -> None:
    first = script.upload("kick.wav", kick(), key="2f1c")
    run.run_next()
    second = script.upload("kick.wav", kick(), key="2f1c")
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert jobs() == 1


def test_a_repeated_request_gets_its_answer_when_it_took_the_last_upload(
    app: Flask, freeloader: User
) -> None:
    script = ApiScript(app, freeloader)
    answers = [script.upload("kick.wav", kick(), key=f"key-{number}") for number in range(10)]
    again = script.upload("kick.wav", kick(), key="key-9")
    assert (again.status_code, again.data) == (202, answers[9].data)
    assert script.upload("kick.wav", kick(), key="key-10").status_code == 422


def test_a_key_of_another_request_is_refused(script: ApiScript) -> None:
    script.upload("kick.wav", kick(), key="2f1c")
    for name, content, form in (
        ("kick.wav", silence(), {}),
        ("snare.wav", kick(), {}),
        ("kick.wav", kick(), {"ai_analysis": "false"}),
    ):
        answer = script.upload(name, content, key="2f1c", **form)
        assert answer.status_code == 422
        assert "Idempotency-Key" in answer.get_json()["detail"]
    assert jobs() == 1


def test_two_users_may_use_the_same_key(app: Flask, script: ApiScript, stranger: User) -> None:
    ours = script.upload("kick.wav", kick(), key="2f1c").get_json()
    theirs = ApiScript(app, stranger).upload("kick.wav", kick(), key="2f1c").get_json()
    assert ours["job_id"] != theirs["job_id"]


def test_a_key_is_remembered_for_a_day(script: ApiScript) -> None:
    def age(**by: int) -> None:
        with transaction() as session:
            session.execute(update(IdempotencyKey).values(created_at=utcnow() - timedelta(**by)))

    first = script.upload("kick.wav", kick(), key="2f1c").get_json()
    age(hours=23, minutes=59)
    assert (script.upload("kick.wav", kick(), key="2f1c").get_json(), jobs()) == (first, 1)
    age(hours=24, seconds=1)
    assert script.upload("snare.wav", kick(), key="2f1c").status_code == 202
    assert jobs() == 2


def test_a_key_in_use_answers_409(script: ApiScript, owner: User) -> None:
    print_ = idempotency.request_fingerprint(
        BytesIO(kick()), "kick.wav", '{"export_sp404":true,"ai_analysis":true}'
    )
    idempotency.begin_request(owner, "2f1c", print_)
    assert script.upload("kick.wav", kick(), key="2f1c").status_code == 409


def test_a_request_cut_off_after_making_its_job_makes_no_second_job(
    script: ApiScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("app.api.routes.idempotency.save_answer", lambda *_: 1 / 0)
        assert script.upload("kick.wav", kick(), key="2f1c").status_code == 500
    with transaction() as session:
        session.execute(update(IdempotencyKey).values(touched_at=utcnow() - timedelta(minutes=11)))
    answer = script.upload("kick.wav", kick(), key="2f1c")
    assert answer.status_code == 202
    assert jobs() == 1
    assert answer.get_json()["job_id"] == db.session.scalars(select(Job.id)).one()


def test_without_an_object_store_the_answer_names_the_other_way_to_upload(script: ApiScript) -> None:
    answer = script.call("POST", "/api/uploads", json={"filename": "kick.wav", "size_bytes": 1000})
    assert answer.status_code == 409
    assert "POST /api/upload" in answer.get_json()["detail"]
    assert script.call("POST", f"/api/uploads/{'0' * 26}/job").status_code == 404


@pytest.mark.parametrize("key", ["", "two words", "ü", "x" * 256])
def test_a_key_is_plain_text(script: ApiScript, key: str) -> None:
    assert script.upload("kick.wav", kick(), key=key).status_code == 422
