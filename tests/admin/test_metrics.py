"""The metrics for an autoscaler need a token and match the database."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import delete, func, select, text, update

from app.admin import metric_totals
from app.extensions import db
from app.jobs import claims, reconcile, run, workers
from app.models import Attempt, Job, OutboxMessage, Sample, User, VectorOrder
from app.models.base import transaction, utcnow
from tests.query_counter import counted_queries
from tests.support import Browser, kick, uploaded_job, waiting_jobs

TOKEN = "a-token-for-the-scraper"


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"METRICS_TOKEN": TOKEN}


@pytest.fixture
def count_endings(app: Flask) -> Callable[[], None]:
    """Return a function that adds up what has ended, as a worker does a minute later."""
    return lambda: metric_totals.add_up_totals(utcnow() + timedelta(seconds=1))


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


def test_an_idle_queue_has_zero_in_every_series(
    client: FlaskClient, count_endings: Callable[[], None]
) -> None:
    assert ("sp404_jobs_ended_total", "completed") not in scraped(client)  # nobody has counted yet
    count_endings()
    found = scraped(client)
    assert found["sp404_jobs_ready", "pro-tier"] == found["sp404_jobs_ready", "free-tier"] == 0
    assert found["sp404_workers", "running"] == found["sp404_worker_slots", ""] == 0
    assert found["sp404_run_seconds_count", ""] == 0


def test_the_metrics_match_the_database(
    client: FlaskClient,
    as_owner: Browser,
    owner: User,
    freeloader: User,
    count_endings: Callable[[], None],
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
    count_endings()
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
    assert found["sp404_upload_seconds_count", "pro-tier"] == 1
    assert 0 < found["sp404_upload_seconds_sum", "pro-tier"] < 120
    db.session.commit()


def test_totals_are_those_of_the_whole_history_however_often_they_are_added_up(
    client: FlaskClient, owner: User, count_endings: Callable[[], None]
) -> None:
    """Adding up twice counts nothing twice, and what ends later is added; what is deleted stays counted."""
    add_history(owner, 30)
    metric_totals.add_up_totals(utcnow() - timedelta(minutes=9, seconds=45))
    for _ in range(2):
        count_endings()
    assert metric_totals.counted_until() > utcnow() - timedelta(seconds=5)
    counted = select(Attempt.outcome, func.count()).group_by(Attempt.outcome)
    whole = {str(row[0]): row[1] for row in db.session.execute(counted)}
    found = scraped(client)
    assert whole == {"completed": 20, "abandoned": 10}
    assert {name: found["sp404_attempts_ended_total", name] for name in whole} == whole
    assert found["sp404_jobs_ended_total", "completed"] == 20
    assert found["sp404_run_seconds_bucket", "2.5"] == 3  # runs of 0, 1 and 2 s
    assert found["sp404_run_seconds_sum", ""] == sum(range(20))
    assert found["sp404_upload_seconds_count", "pro-tier"] == 20
    assert found["sp404_upload_seconds_sum", "pro-tier"] == pytest.approx(20 * 60, abs=0.1)
    with transaction() as session:
        session.execute(delete(Job))
    count_endings()
    assert scraped(client)["sp404_attempts_ended_total", "completed"] == 20


def test_a_scrape_never_reads_what_has_ended(
    client: FlaskClient, owner: User, count_endings: Callable[[], None]
) -> None:
    """Every statement is answered by an index on what is unfinished, so the history costs nothing."""
    add_history(owner, 3)
    count_endings()
    with counted_queries() as few:
        scraped(client)
    add_history(owner, 300)
    count_endings()
    db.session.execute(text("ANALYZE"))
    with counted_queries() as many:
        scraped(client)
    few, many = ([each for each in found if not each.startswith("BEGIN")] for found in (few, many))
    assert many == few
    history = re.compile(r"SCAN (processing_jobs|job_attempts|outbox|vector_orders)|job_attempts|finished_at")
    plans = {statement: "; ".join(row[3] for row in explain(statement)) for statement in many}
    assert not [plan for plan in plans.values() if history.search(plan)], plans


def explain(statement: str) -> Sequence[Any]:
    connection: Any = db.session.connection().connection.driver_connection
    missing = ("x",) * statement.count("?")
    found: Sequence[Any] = connection.execute(f"EXPLAIN QUERY PLAN {statement}", missing).fetchall()
    return found


def add_history(owner: User, count: int) -> None:
    """Add ended jobs, a minute each from upload to card: of three, two completed and one lost its worker."""
    now = utcnow() - timedelta(minutes=10)
    ended = {"created_at": now - timedelta(minutes=1), "finished_at": now}
    ids = waiting_jobs(owner, count, state="completed", **ended)
    lost = set(ids[2::3])
    common = {"number": 1, "tier": "pro-tier", "worker": "w", "wait_s": 0.0, "started_at": now}
    runs = iter(range(count))
    with transaction() as session:
        session.execute(update(Job).where(Job.id.in_(lost)).values(state="failed"))
        for place, job_id in enumerate(ids):
            is_lost = job_id in lost
            end = {
                "outcome": "abandoned" if is_lost else "completed",
                "ended_at": now + timedelta(seconds=place),
                "run_s": 0.0 if is_lost else next(runs),
            }
            session.add(Attempt(job_id=job_id, token=job_id, **common, **end))
