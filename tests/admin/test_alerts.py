"""Each alert fires on what the product itself says when that goes wrong, and only then.

A fault is made in the product, `/metrics` is read before and after it, and Prometheus's `promtool` follows
the rules for half an hour: gauges stay as they are after it, counters grow each minute by the difference.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import namedtuple
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from app.admin import machine_metrics, metric_totals
from app.extensions import settings
from app.jobs import claims, reconcile, workers
from app.models import Job, OutboxMessage, User, Worker
from app.models.base import transaction, utcnow
from app.notify.message_kinds import RESET_PASSWORD, WEBHOOK
from tests.services.conftest import program
from tests.support import waiting_jobs

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "alerts.yml"
TOKEN = "a-token-for-the-scraper"
Disk = namedtuple("Disk", "total used free")


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"METRICS_TOKEN": TOKEN}


@pytest.fixture(autouse=True)
def live_worker(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one worker, and ask the store again at every scrape."""
    monkeypatch.setattr(machine_metrics, "STORE_ASKED_EVERY_S", -1.0)
    workers.send_heartbeat()


def scraped(app: Flask, counted_s: float = 1) -> dict[str, float]:
    """Return the figures by their series, after what has ended up to a second from now was added up."""
    metric_totals.add_up_totals(utcnow() + timedelta(seconds=counted_s))
    answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = {"job": "sp404", "instance": "web1:5000"} | sample.labels
            inside = ", ".join(f'{name}="{value}"' for name, value in labels.items())
            found[f"{sample.name}{{{inside}}}"] = sample.value
    return found


def firing(before: dict[str, float], after: dict[str, float], folder: Path, *expected: str) -> str:
    """Return what promtool says against exactly these alerts firing in the end; nothing if it agrees."""
    series = []
    for name, value in after.items():
        is_counter = "_total{" in name
        start, step = (before.get(name, 0.0), value - before.get(name, 0.0)) if is_counter else (value, 0.0)
        series.append({"series": name, "values": f"{start:f}+{step:f}x30"})
    names = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in expected]
    query = {"expr": 'count by (alertname) (ALERTS{alertstate="firing"})', "eval_time": "30m"}
    test = {"interval": "1m", "input_series": series, "promql_expr_test": [query | {"exp_samples": names}]}
    path = folder / "alerts_test.yml"
    path.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    done = subprocess.run([program("promtool"), "test", "rules", path], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def kill_the_worker(_: pytest.MonkeyPatch, __: User) -> None:
    with transaction() as session:
        session.execute(update(Worker).values(beat_at=utcnow() - timedelta(minutes=1)))


def end_the_worker(_: pytest.MonkeyPatch, __: User) -> None:
    workers.unregister()


def let_a_job_wait(_: pytest.MonkeyPatch, owner: User) -> None:
    waiting_jobs(owner, 1, run_at=utcnow() - timedelta(minutes=11))


def take_the_store_away(_: pytest.MonkeyPatch, __: User) -> None:
    store = settings().data_dir / "store"
    shutil.rmtree(store, ignore_errors=True)
    store.write_text("not a folder")


def let_a_mail_wait(_: pytest.MonkeyPatch, owner: User) -> None:
    """Let a mail wait; a webhook that its receiver refuses and a mail given up are no alert."""
    old = utcnow() - timedelta(hours=1)
    with transaction() as session:
        for number, kind in enumerate((RESET_PASSWORD, WEBHOOK)):
            made = {"key": f"{kind}{number}", "user_id": owner.id, "kind": kind, "payload": {}}
            session.add(OutboxMessage(**made, created_at=old))


def fill_the_disk(monkeypatch: pytest.MonkeyPatch, _: User) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(100, 91, 9))


def lose_attempts(_: pytest.MonkeyPatch, owner: User) -> None:
    waiting_jobs(owner, 1)
    assert claims.claim_next() is not None
    with transaction() as session:
        session.execute(update(Job).where(Job.state == "processing").values(lease_until=utcnow()))
    reconcile.requeue_abandoned()
    with transaction() as session:
        session.execute(update(Job).values(run_at=utcnow()))


@pytest.mark.parametrize(
    ("fault", "alerts"),
    [
        (lambda *_: None, []),
        (kill_the_worker, ["WorkerGone", "NoWorker"]),
        (end_the_worker, ["NoWorker"]),
        (let_a_job_wait, ["QueueOld"]),
        (take_the_store_away, ["StoreAway"]),
        (let_a_mail_wait, ["MailStuck"]),
        (fill_the_disk, ["DiskFull"]),
        (lose_attempts, ["JobsFail"]),
    ],
)
def test_a_fault_fires_its_alert_and_no_other(
    app: Flask,
    owner: User,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[pytest.MonkeyPatch, User], None],
    alerts: list[str],
) -> None:
    before = scraped(app, counted_s=-60)
    fault(monkeypatch, owner)
    assert firing(before, scraped(app), tmp_path, *alerts) == ""


def test_requests_that_fail_fire_their_alert(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    before = scraped(app, counted_s=-60)
    for _ in range(50):
        assert client.get("/healthz").status_code == 200
    assert firing(before, scraped(app), tmp_path) == ""
    monkeypatch.setitem(app.view_functions, "pages.healthz", lambda: 1 / 0)
    app.testing = app.config["PROPAGATE_EXCEPTIONS"] = False
    assert client.get("/healthz").status_code == 500
    assert firing(before, scraped(app), tmp_path, "RequestsFail") == ""


def test_a_product_that_does_not_answer_fires_its_alert(tmp_path: Path) -> None:
    down = {'up{job="sp404", instance="web1:5000"}': 0.0}
    assert firing({}, down, tmp_path, "ProductAway") == ""
    assert firing({}, down, tmp_path) != ""


def test_every_metric_of_the_rules_is_in_the_metrics(app: Flask) -> None:
    app.test_client().get("/healthz")
    known = {name.partition("{")[0] for name in scraped(app)}
    for path in (RULES, ROOT / "docs" / "operations.md"):
        named = set(re.findall(r"sp404_[a-z_]+(?=[{)\[ `])", path.read_text()))
        assert len(named) >= 3
        assert named <= known, path
