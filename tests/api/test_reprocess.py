"""Describe and analyse samples again by the API, with jobs like those of uploads."""

from __future__ import annotations

import pytest
from flask import Flask

from app.api.schemas import PURPOSES
from app.extensions import db
from app.jobs import purposes, run
from app.library import trash
from app.models import Job, Sample, User
from app.models.base import transaction
from tests.support import ApiScript, Browser, finished_job, kick

BOTH = pytest.mark.parametrize("purpose", ["describe", "analyse"])


@pytest.fixture
def sample(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "kick.wav", kick()).id)


@BOTH
def test_reprocessing_makes_a_job_that_can_be_followed(
    script: ApiScript, sample: Sample, purpose: str
) -> None:
    made = script.call("POST", f"/api/samples/{sample.id}/{purpose}")
    assert made.status_code == 202
    told = made.get_json()
    assert (told["status"], told["message"]) == ("pending", "Queued.")
    again = script.call("POST", f"/api/samples/{sample.id}/{purpose}").get_json()
    assert again["job_id"] == told["job_id"]
    run.run_next()
    job = script.get(f"/api/jobs/{told['job_id']}").get_json()
    assert (job["purpose"], job["status"], job["sample_id"]) == (purpose, "completed", sample.id)
    assert (job["sp404_url"] is not None) == (purpose == "analyse")


def test_a_job_says_its_purpose_also_when_only_a_newer_version_knows_it(
    script: ApiScript, sample: Sample
) -> None:
    assert set(PURPOSES) == set(purposes._rows)
    assert script.get(f"/api/jobs/{sample.id}").get_json()["purpose"] == "upload"
    with transaction():
        db.session.get_one(Job, sample.id).purpose = "kit_to_come"
    assert script.get(f"/api/jobs/{sample.id}").get_json()["purpose"] == "kit_to_come"


@BOTH
def test_reprocessing_needs_the_ability_and_the_sample(
    app: Flask, script: ApiScript, owner: User, stranger: User, sample: Sample, purpose: str
) -> None:
    path = f"/api/samples/{sample.id}/{purpose}"
    assert ApiScript(app, owner, "samples:read").call("POST", path).status_code == 403
    assert ApiScript(app, stranger).call("POST", path).status_code == 404
    trash.delete_sample(sample)
    assert script.call("POST", path).status_code == 404


def test_a_job_of_a_deleted_sample_is_cancelled_and_says_why(script: ApiScript, sample: Sample) -> None:
    told = script.call("POST", f"/api/samples/{sample.id}/describe").get_json()
    trash.delete_sample(sample)
    run.run_next()
    job = script.get(f"/api/jobs/{told['job_id']}").get_json()
    assert (job["status"], job["sample_id"]) == ("cancelled", None)
    assert job["error"].startswith("The sample was deleted in the meantime")
