"""The operator's pages are closed to everybody else, show true figures, and record every action."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select, update

from app.admin import graphs, job_search, operator_actions, queue_figures
from app.admin.job_search import JobFilter
from app.extensions import db
from app.jobs import claims, lease, transitions, workers
from app.models import Attempt, AuditEntry, Job, OutboxMessage, Usage, User, Worker
from app.models.base import transaction, utcnow
from app.notify import outbox
from app.queue import huey
from tests.support import Browser, finished_job, kick, uploaded_job, waiting_jobs

JSON = {"Accept": "application/json"}
PAGES = ("/admin/queues", "/admin/outbox", "/admin/audit", "/admin/jobs/JOB")


@pytest.fixture
def admin(app: Flask, stranger: User) -> User:
    with transaction():
        stranger.is_admin = True
    return stranger


@pytest.fixture
def as_admin(app: Flask, admin: User) -> Browser:
    return Browser(app, admin)


def trail() -> list[tuple[str, str, str]]:
    entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [(entry.actor, entry.action, entry.subject) for entry in entries]


def test_the_operators_pages_answer_404_to_everybody_else(as_owner: Browser, app: Flask) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    for path in PAGES:
        assert as_owner.get(path.replace("JOB", job.id)).status_code == 404
    assert as_owner.post(f"/admin/jobs/{job.id}/actions", action="cancel").status_code == 404
    assert as_owner.post("/admin/queues/bulk", action="cancel").status_code == 404
    assert "/admin" not in as_owner.get("/dashboard").text
    db.session.refresh(job)
    assert job.state == "pending"
    assert Browser(app).get("/admin/queues").status_code == 303


def test_the_command_grants_and_revokes_operator_rights(app: Flask, as_owner: Browser, owner: User) -> None:
    runner = FlaskCliRunner(app)
    for _ in range(2):
        assert runner.invoke(args=["admin", "grant", " Owner@Example.com"]).exit_code == 0
    assert as_owner.get("/admin/queues").status_code == 200
    assert runner.invoke(args=["admin", "revoke", owner.email]).exit_code == 0
    assert as_owner.get("/admin/queues").status_code == 404
    unknown = runner.invoke(args=["admin", "grant", "nobody@example.com"])
    assert unknown.exit_code == 1
    assert "No account has the address nobody@example.com" in unknown.output
    assert [action for _, action, _ in trail()] == ["grant admin", "grant admin", "revoke admin"]


def test_every_job_is_under_one_tab(as_owner: Browser, as_admin: Browser, owner: User) -> None:
    finished_job(as_owner, "done.wav", kick())
    uploaded_job(as_owner, "running.wav", kick())
    claims.claim_next()
    for tab, values in (
        ("failed", {"state": "failed", "finished_at": utcnow()}),
        ("cancelled", {"state": "cancelled", "finished_at": utcnow()}),
        ("delayed", {"run_at": utcnow() + timedelta(hours=1)}),
        ("ready", {}),
    ):
        waiting_jobs(owner, 1, filename=f"{tab}.wav", **values)
    for tab in job_search.TABS:
        found = as_admin.get(f"/admin/queues?tab={tab}", headers=JSON).get_json()
        assert [job["filename"] for job in found["jobs"]] == [f"{tab}.wav"]
        assert f"{tab}.wav" in as_admin.get(f"/admin/queues?tab={tab}").text


def test_jobs_are_filtered_by_tier_user_and_text(as_admin: Browser, owner: User, freeloader: User) -> None:
    waiting_jobs(owner, 1, filename="100%_dusty.wav")
    waiting_jobs(freeloader, 2)

    def names(**filters: str) -> set[str]:
        return {job.filename for job in job_search.find_jobs(JobFilter.from_args(filters)).jobs}

    assert names(tier="free-tier") == {"0.wav", "1.wav"}
    assert names(email="OWNER@example.com") == {"100%_dusty.wav"}
    assert names(text="0%_DUSTY") == {"100%_dusty.wav"}
    assert names(text="0_") == {"100%_dusty.wav"} - {"100%_dusty.wav"}
    assert names(tab="no such", tier="no such") == {"0.wav", "1.wav", "100%_dusty.wav"}


@pytest.mark.parametrize("tab", ["ready", "done"])
def test_pages_of_jobs_leave_no_gap(as_admin: Browser, owner: User, tab: str) -> None:
    count = 2 * job_search.PAGE_SIZE + 7
    same = {"state": "completed", "finished_at": utcnow()} if tab == "done" else {"run_at": utcnow()}
    expected = sorted(waiting_jobs(owner, count, **same), reverse=tab == "done")
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = as_admin.get(f"/admin/queues?tab={tab}&after={after}", headers=JSON).get_json()
        found += [job["id"] for job in page["jobs"]]
        after = page["next_after"]
    assert found == expected


def test_the_figures_show_the_state_of_the_queue(as_admin: Browser, owner: User, freeloader: User) -> None:
    assert queue_figures.queue_summary(queue_figures.worker_rows()).state == "no heartbeat"
    workers.send_heartbeat()
    ids = waiting_jobs(owner, 10) + waiting_jobs(freeloader, 1, run_at=utcnow() - timedelta(hours=3))
    for number, job_id in enumerate(ids[:5]):
        held = claims.claim_next()
        assert held is not None
        values = {
            "outcome": "completed",
            "ended_at": utcnow(),
            "wait_s": 10.0 * number,
            "run_s": 1.0 + number,
        }
        with transaction() as session:
            session.execute(update(Attempt).where(Attempt.job_id == job_id).values(values))
            state = "failed" if number == 4 else "completed"
            session.execute(update(Job).where(Job.id == job_id).values(state=state, finished_at=utcnow()))
    now = queue_figures.queue_summary(queue_figures.worker_rows())
    assert (now.state, now.running) == ("running", 0)
    assert now.jobs_per_minute == pytest.approx(4 / 60)
    assert now.failed_share == pytest.approx(0.2)
    assert (now.wait_s, now.run_s) == ((20.0, 40.0), (3.0, 5.0))
    assert now.oldest_s["free-tier"] == pytest.approx(3 * 3600, abs=60)
    page = as_admin.get("/admin/queues").text
    assert "20.0%" in page
    assert as_admin.get("/admin/queues", headers={"HX-Request": "true"}).text.startswith(
        '<div id="queue-status"'
    )
    workers.set_mode(workers.own_worker_id(), "paused")
    assert queue_figures.queue_summary(queue_figures.worker_rows()).state == "paused"
    with transaction() as session:
        session.execute(update(Worker).values(beat_at=utcnow() - timedelta(minutes=1)))
    assert queue_figures.queue_summary(queue_figures.worker_rows()).state == "no heartbeat"


def test_graphs_count_what_ended_in_each_step(owner: User) -> None:
    for ago, outcome in ((0, "completed"), (0, "failed"), (26, "completed"), (24 * 8, "completed")):
        (job_id,) = waiting_jobs(owner, 1)
        held = claims.claim_next()
        assert held is not None
        ended_at = utcnow() - timedelta(hours=ago)
        with transaction() as session:
            session.execute(
                update(Attempt)
                .where(Attempt.job_id == job_id)
                .values(outcome=outcome, ended_at=ended_at, run_s=2.0, wait_s=4.0)
            )
            session.execute(update(Job).where(Job.id == job_id).values(state="completed"))
    by_name = {(graph.name, graph.span): graph for graph in graphs.all_graphs()}
    assert sum(by_name["done", "24 hours"].values) == 1
    assert sum(by_name["done", "7 days"].values) == 2
    assert sum(by_name["failed", "24 hours"].values) == 1
    assert by_name["run_s", "24 hours"].values[-1] == 2.0
    assert by_name["wait_s", "7 days"].most_words == "4"
    assert len(by_name["done", "24 hours"].values) == 48


def test_a_worker_is_paused_drained_and_resumed(as_admin: Browser, owner: User, admin: User) -> None:
    workers.send_heartbeat()
    (job_id,) = waiting_jobs(owner, 1)
    claims.claim_next()
    path = f"/admin/workers/{workers.own_worker_id()}/mode"
    for mode, shown in (("paused", "paused"), ("draining", "draining"), ("running", "running")):
        assert as_admin.post(path, mode=mode).status_code == 303
        (line,) = queue_figures.worker_rows()
        assert (line.state, [job.id for job in line.jobs]) == (shown, [job_id])
    as_admin.post(path, mode="draining")
    transitions.cancel(job_id)
    assert "drained" in as_admin.get("/admin/queues").text
    assert as_admin.post("/admin/workers/none:1/mode", mode="paused").status_code == 404
    assert as_admin.post(path, mode="asleep").status_code == 400
    assert (admin.email, "draining", workers.own_worker_id()) in trail()


def test_the_page_of_a_job_shows_its_attempts_and_calls(
    as_admin: Browser, as_owner: Browser, owner: User
) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    held = claims.claim_next()
    assert held is not None
    lease.save_step(held, "decoded", {})
    transitions.retry_or_fail(held, "It broke.", "Traceback: <b>here</b>", -11)
    with transaction() as session:
        call = {"user_id": owner.id, "kind": "ai", "entry_key": f"ai:{job.id}:1", "quantity": 1}
        session.add(Usage(**call, cost_usd="0.000123"))
    page = as_admin.get(f"/admin/jobs/{job.id}").text
    for words in ("signal 11 (SIGSEGV)", "Traceback: &lt;b&gt;", "decoded", "retry", "0.000123", "Run now"):
        assert words in page
    told = as_admin.get(f"/admin/jobs/{job.id}", headers=JSON).get_json()
    assert told["attempts"][0]["exit_status"] == -11
    assert told["ai_calls"] == [{"key": f"ai:{job.id}:1", "quantity": 1, "cost_usd": "0.000123"}]
    assert as_admin.get("/admin/jobs/NOBODY").status_code == 404


def test_an_action_on_a_job_is_done_and_recorded(as_admin: Browser, as_owner: Browser, admin: User) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    with transaction() as session:
        session.execute(update(Job).values(run_at=utcnow() + timedelta(hours=1)))
    huey.flush()
    as_admin.post(f"/admin/jobs/{job.id}/actions", action="run-now")
    db.session.refresh(job)
    assert job.run_at <= utcnow()
    assert len(huey.pending()) == 1
    as_admin.post(f"/admin/jobs/{job.id}/actions", action="cancel")
    again = as_admin.post(f"/admin/jobs/{job.id}/actions", action="cancel")
    assert "the job has moved on" in as_admin.get(again.headers["Location"]).text
    db.session.refresh(job)
    assert job.state == "cancelled"
    assert trail() == [(admin.email, action, job.id) for action in ("run-now", "cancel", "cancel")]
    assert admin.email in as_admin.get("/admin/audit").text


def test_a_retry_by_an_operator_is_charged_to_the_owner(as_admin: Browser, owner: User) -> None:
    (job_id,) = waiting_jobs(
        owner, 1, state="failed", finished_at=utcnow(), kept_until=utcnow() + timedelta(days=1)
    )
    as_admin.post(f"/admin/jobs/{job_id}/actions", action="retry")
    assert db.session.get_one(Job, job_id).state == "pending"
    assert db.session.scalars(select(Usage.user_id).where(Usage.kind == "upload")).all() == [owner.id]


def test_an_action_applies_to_all_jobs_that_match_a_filter(
    as_admin: Browser, owner: User, freeloader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_actions, "MAX_BULK_JOBS", 3)
    waiting_jobs(owner, 2)
    waiting_jobs(freeloader, 4)
    form = {"action": "cancel", "tab": "ready", "tier": "free-tier"}
    first = as_admin.post("/admin/queues/bulk", **form)
    assert (
        "Cancelled: 3 jobs. More jobs match. Do it again to continue."
        in as_admin.get(first.headers["Location"]).text
    )
    as_admin.post("/admin/queues/bulk", **form)
    states = select(Job.tier, Job.state, func.count()).group_by(Job.tier, Job.state)
    rows = sorted(tuple(row) for row in db.session.execute(states))
    assert rows == [("free-tier", "cancelled", 4), ("pro-tier", "pending", 2)]
    assert as_admin.post("/admin/queues/bulk", action="retry", tab="ready").status_code == 400
    assert [action for _, action, _ in trail()] == ["cancel all", "cancel all"]


def test_a_failed_message_is_shown_and_resent(as_admin: Browser, owner: User, as_owner: Browser) -> None:
    finished_job(as_owner, "kick.wav", kick())
    with transaction() as session:
        given_up = {"last_error": "SMTPServerDisconnected", "next_try_at": None, "attempts": 7}
        session.execute(update(OutboxMessage).values(given_up))
    (message,) = outbox.list_failed()
    page = as_admin.get("/admin/outbox").text
    assert "SMTPServerDisconnected" in page
    assert "given up" in page
    assert outbox.deliver_mails() == 0
    assert as_admin.post(f"/admin/outbox/{message.id}/resend").status_code == 303
    assert outbox.deliver_mails() == 1
    assert outbox.list_failed() == []
    assert as_admin.post(f"/admin/outbox/{message.id}/resend").status_code == 404
