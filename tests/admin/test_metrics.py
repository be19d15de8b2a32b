"""The metrics for an autoscaler need a token and match the database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select, update

from app.extensions import db
from app.jobs import claims, reconcile, run, workers
from app.models import Job, OutboxMessage, Sample, User, VectorOrder
from app.models.base import transaction, utcnow
from tests.support import Browser, kick, uploaded_job, waiting_jobs

TOKEN = "a-token-for-the-scraper"


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"METRICS_TOKEN": TOKEN}


def scraped(client: FlaskClient) -> dict[tuple[str, str], float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    "given", [None, "Bearer", "Bearer wrong", "Bearer ünknown", f"Basic {TOKEN}", f"Bearer {TOKEN}x"]
)
def test_a_wrong_token_is_refused(app: Flask, client: FlaskClient, given: str | None) -> None:
    answer = client.get("/metrics", headers={"Authorization": given} if given else {})
    assert answer.status_code == 401
    assert "sp404_" not in answer.text


class TestWithoutToken:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in environ.items() if name != "METRICS_TOKEN"}

    def test_the_metrics_answer_404(self, client: FlaskClient) -> None:
        assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_an_idle_queue_has_zero_in_every_series(client: FlaskClient) -> None:
    found = scraped(client)
    assert found["sp404_jobs_ready", "pro-tier"] == found["sp404_jobs_ready", "free-tier"] == 0
    assert found["sp404_workers", "running"] == found["sp404_worker_slots", ""] == 0
    assert found["sp404_run_seconds_count", ""] == 0


def test_the_metrics_match_the_database(
    client: FlaskClient, as_owner: Browser, owner: User, freeloader: User
) -> None:
    uploaded_job(as_owner, "kick.wav", kick())
    run.run_next()
    workers.send_heartbeat()  # after the job, before which an engine that is cold may start for half a minute
    waiting_jobs(owner, 3, run_at=utcnow() - timedelta(seconds=90))
    waiting_jobs(freeloader, 2, run_at=utcnow() + timedelta(hours=1))
    claims.claim_next()
    with transaction() as session:
        session.execute(update(Job).where(Job.state == "processing").values(lease_until=utcnow()))
        old = utcnow() - timedelta(minutes=10)
        session.execute(update(OutboxMessage).values(created_at=old, next_try_at=None))
    reconcile.requeue_abandoned()
    claims.claim_next()
    (sample_id,) = db.session.scalars(select(Sample.id))
    with transaction() as session:
        session.add(VectorOrder(sample_id=sample_id, version=1))
    found = scraped(client)
    assert found["sp404_jobs_ready", "pro-tier"] == 2
    assert found["sp404_jobs_oldest_ready_seconds", "pro-tier"] == pytest.approx(90, abs=30)
    assert found["sp404_jobs_delayed", "free-tier"] == 2
    assert found["sp404_jobs_running", "pro-tier"] == 1
    assert found["sp404_jobs_ended_total", "completed"] == 1
    assert found["sp404_lease_losses_total", ""] == 1
    assert found["sp404_run_seconds_bucket", "+Inf"] == found["sp404_run_seconds_count", ""] == 1
    assert found["sp404_run_seconds_sum", ""] > 0
    assert found["sp404_outbox_given_up", ""] == found["sp404_outbox_unsent", ""] == 1
    assert found["sp404_outbox_oldest_seconds", ""] == pytest.approx(600, abs=30)
    assert found["sp404_workers", "running"] == 1
    assert found["sp404_worker_slots", ""] == 2
    assert (found["sp404_vectors_waiting", ""], found["sp404_vectors_failed", ""]) == (1, 0)
    with transaction() as session:
        session.execute(update(VectorOrder).values(due_at=None))
    found = scraped(client)
    assert (found["sp404_vectors_waiting", ""], found["sp404_vectors_failed", ""]) == (0, 1)
    db.session.commit()
