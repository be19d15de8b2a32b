"""The operator's pages run as many database queries for fifty rows as for five."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from app.extensions import db
from app.models import (
    AiCall,
    Attempt,
    AuditEntry,
    Invoice,
    MeterDifference,
    OutboxMessage,
    PaymentEvent,
    Subscription,
    Usage,
    User,
    Worker,
)
from app.models.base import new_id, transaction, utcnow
from tests.query_counter import counted_queries
from tests.support import Browser, waiting_jobs

FEW, MANY = 5, 50
HTML, JSON = "text/html", "application/json"
WATCHED_JOB = "01JOB0000000000000WATCHED0"


@pytest.fixture
def as_operator(app: Flask, stranger: User) -> Browser:
    with transaction():
        stranger.is_admin = True
    return Browser(app, stranger)


def add_users(numbers: range) -> list[User]:
    """Add producers who pay for Pro."""
    users = [User(email=f"producer{number}@example.com") for number in numbers]
    with transaction() as session:
        for user in users:
            user.subscription = Subscription(plan="pro", status="active")
        session.add_all(users)
    return users


def add_workers(numbers: range) -> None:
    """Add workers that each run one job of a producer's own."""
    users = add_users(numbers)
    with transaction() as session:
        session.add_all(Worker(id=f"host:{number}", host="host", pid=number, slots=2) for number in numbers)
    for number, user in zip(numbers, users, strict=True):
        holder = {"worker": f"host:{number}:Worker-1", "lease_until": utcnow() + timedelta(hours=1)}
        waiting_jobs(user, 1, state="processing", started_at=utcnow(), **holder)


def add_waiting_jobs(numbers: range) -> None:
    for user in add_users(numbers):
        waiting_jobs(user, 1)


def add_failed_jobs(numbers: range) -> None:
    for user in add_users(numbers):
        waiting_jobs(user, 1, state="failed", finished_at=utcnow(), error="It broke.")


def add_job_history(numbers: range) -> None:
    """Give one job an attempt, a call to a model and an operator's action for each number."""
    if numbers.start == 0:
        waiting_jobs(add_users(range(1))[0], 1, id=WATCHED_JOB)
    with transaction() as session:
        user = session.query(User).filter_by(email="producer0@example.com").one()
        for number in numbers:
            attempt = {"token": new_id(), "tier": "pro-tier", "worker": "w", "wait_s": 1.0}
            session.add(Attempt(job_id=WATCHED_JOB, number=number + 1, started_at=utcnow(), **attempt))
            entry = Usage(user_id=user.id, kind="ai", entry_key=f"ai:{WATCHED_JOB}:{number}", quantity=1)
            session.add(entry)
            session.flush()
            tokens = {"prompt_tokens": 1, "completion_tokens": 1, "latency_ms": 1, "is_estimated": False}
            session.add(AiCall(usage_id=entry.id, model="m", attempt=1, outcome="answered", **tokens))
            session.add(AuditEntry(actor="a@example.com", action="retry", subject=WATCHED_JOB, detail={}))


def add_costs(numbers: range) -> None:
    """Give producers usage of every kind, paid invoices and days that Stripe counted differently."""
    for number, user in zip(numbers, add_users(numbers), strict=True):
        waiting_jobs(user, 1, state="completed", finished_at=utcnow())
        add_invoice(number, user)
        with transaction() as session:
            for kind in ("upload", "ai", "storage"):
                key = f"{kind}:{number}"
                session.add(Usage(user_id=user.id, kind=kind, entry_key=key, quantity=1, cost_usd=1))
            session.add(MeterDifference(user_id=user.id, day=utcnow().date(), ours=1, theirs=2))


def add_invoice(number: int, user: User) -> None:
    now = utcnow()
    times = {"period_start": now, "period_end": now, "issued_at": now, "paid_at": now}
    amounts = {"total_cents": 1500, "paid_cents": 1500, "refunded_cents": 500, "currency": "usd"}
    with transaction() as session:
        names = {"id": f"in_{number}", "user_id": user.id, "customer_id": f"cus_{number}", "plan": "pro"}
        session.add(Invoice(**names, status="paid", **amounts, **times))


def add_payments(numbers: range) -> None:
    """Add refunded invoices and events of Stripe's."""
    for number, user in zip(numbers, add_users(numbers), strict=True):
        add_invoice(number, user)
        with transaction() as session:
            session.add(PaymentEvent(id=f"evt_{number}", type="invoice.paid", created_at=utcnow()))


def add_messages(numbers: range) -> None:
    """Add mails that could not be sent."""
    for number, user in zip(numbers, add_users(numbers), strict=True):
        with transaction() as session:
            state = {"attempts": 7, "last_error": "Refused", "next_try_at": None}
            session.add(
                OutboxMessage(key=f"m{number}", user_id=user.id, kind="batch_done", payload={}, **state)
            )


def add_audit_entries(numbers: range) -> None:
    with transaction() as session:
        for number in numbers:
            session.add(AuditEntry(actor="a@example.com", action="cancel", subject=f"j{number}", detail={}))


@pytest.mark.parametrize(
    ("path", "accept", "add_rows"),
    [
        ("/admin/queues", HTML, add_workers),
        ("/admin/queues", JSON, add_workers),
        ("/admin/queues?tab=ready", HTML, add_waiting_jobs),
        ("/admin/queues?tab=failed", HTML, add_failed_jobs),
        ("/admin/queues?tab=failed", JSON, add_failed_jobs),
        (f"/admin/jobs/{WATCHED_JOB}", HTML, add_job_history),
        (f"/admin/jobs/{WATCHED_JOB}", JSON, add_job_history),
        ("/admin/costs", HTML, add_costs),
        ("/admin/costs.csv", HTML, add_costs),
        ("/admin/payments", HTML, add_payments),
        ("/admin/outbox", HTML, add_messages),
        ("/admin/outbox", JSON, add_messages),
        ("/admin/audit", HTML, add_audit_entries),
    ],
)
def test_a_page_runs_as_many_queries_for_fifty_rows_as_for_five(
    as_operator: Browser, path: str, accept: str, add_rows: Callable[[range], None]
) -> None:
    def queries() -> int:
        db.session.commit()
        with counted_queries() as statements:
            assert as_operator.get(path, headers={"Accept": accept}).status_code == 200
        return len(statements)

    add_rows(range(FEW))
    as_operator.get(path)  # what the first request of a session writes is not counted
    few = queries()
    add_rows(range(FEW, MANY))
    assert queries() == few


def test_the_live_figures_run_as_many_queries_for_fifty_workers_as_for_five(as_operator: Browser) -> None:
    counts = []
    for numbers in (range(FEW), range(FEW, MANY)):
        add_workers(numbers)
        with counted_queries() as statements:
            answer = as_operator.get("/admin/queues", headers={"HX-Request": "true"})
        assert answer.text.count("host") >= numbers.stop
        counts.append(len(statements))
    assert counts[0] == counts[1]
