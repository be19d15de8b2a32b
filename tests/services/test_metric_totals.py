"""PostgreSQL adds up the same totals as SQLite, and answers a scrape."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from app.admin import metric_totals, metrics
from app.auth import accounts
from app.models import Attempt, OutboxMessage
from app.models.base import transaction, utcnow
from app.notify.message_kinds import WEBHOOK
from tests.support import PASSWORD, waiting_jobs

pytestmark = pytest.mark.services


def test_postgresql_adds_up_what_has_ended(postgres_app: Flask) -> None:
    user = accounts.register_user("p@example.com", PASSWORD, "UTC")
    ended = utcnow() - timedelta(minutes=5)
    times = {"created_at": ended - timedelta(seconds=12.5), "finished_at": ended}
    ids = waiting_jobs(user, 3, state="completed", **times)
    waiting_jobs(user, 2)
    attempt = {"number": 1, "tier": "free-tier", "worker": "w", "wait_s": 0.0, "outcome": "completed"}
    with transaction() as session:
        for job_id in ids:
            session.add(Attempt(job_id=job_id, token=job_id, ended_at=ended, run_s=2.0, **attempt))
        message = {"key": "k", "user_id": user.id, "kind": WEBHOOK, "payload": {}}
        session.add(OutboxMessage(**message, created_at=ended))
    for _ in range(2):
        metric_totals.add_up_totals()
    lines = metrics.render_metrics().decode().splitlines()
    for line in (
        'sp404_jobs_ended_total{state="completed"} 3.0',
        'sp404_attempts_ended_total{outcome="completed"} 3.0',
        'sp404_run_seconds_bucket{le="2.5"} 3.0',
        'sp404_upload_seconds_bucket{le="10",tier="free-tier"} 0.0',
        'sp404_upload_seconds_bucket{le="20",tier="free-tier"} 3.0',
        'sp404_upload_seconds_sum{tier="free-tier"} 37.5',
        'sp404_jobs_ready{tier="free-tier"} 2.0',
        'sp404_outbox_waiting{kind="webhook"} 1.0',
    ):
        assert line in lines, "\n".join(lines)
