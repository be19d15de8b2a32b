"""Quotas are sums over the ledger, returned once, and counted by the user's own days."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.billing import plans, quota
from app.billing.plans import PLANS
from app.extensions import db
from app.models import Job, Usage, User
from app.models.base import transaction, utcnow
from tests.support import Browser, kick, uploaded_job


@pytest.mark.parametrize(
    ("now", "zone", "start", "end"),
    [
        ("2026-11-24T23:30+00:00", "Europe/Berlin", "2026-11-25T00:00+01:00", "2026-11-26T00:00+01:00"),
        ("2026-03-29T12:00+00:00", "Europe/Berlin", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
        ("2026-11-24T03:00+00:00", "America/New_York", "2026-11-23T00:00-05:00", "2026-11-24T00:00-05:00"),
    ],
)
def test_a_day_is_the_users_own_day(now: str, zone: str, start: str, end: str) -> None:
    found = PLANS["free"].period_bounds(datetime.fromisoformat(now), ZoneInfo(zone))
    assert found == (datetime.fromisoformat(start), datetime.fromisoformat(end))


def test_a_month_ends_with_the_year() -> None:
    found = PLANS["pro"].period_bounds(datetime(2026, 12, 31, 12, tzinfo=UTC), ZoneInfo("UTC"))
    assert found == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("status", "plan"),
    [
        ("active", "pro"),
        ("trialing", "pro"),
        ("past_due", "pro"),
        ("canceled", "free"),
        ("brand_new", "free"),
    ],
)
def test_only_a_live_subscription_gives_its_plan(app: Flask, owner: User, status: str, plan: str) -> None:
    with transaction():
        assert owner.subscription is not None
        owner.subscription.status = status
    assert plans.plan_for_user(owner).name == plan


def test_a_failed_job_returns_its_charges_once_on_the_day_they_were_made(
    as_owner: Browser, owner: User
) -> None:
    job = uploaded_job(as_owner, "kick.wav", kick())
    for _ in range(2):
        with transaction():
            quota.return_charges(job)
    now = quota.plan_usage(owner)
    assert (now.uploads, now.storage_bytes) == (0, 0)
    entries = db.session.scalars(select(Usage).where(Usage.user_id == owner.id)).all()
    assert len(entries) == 4
    assert len({entry.effective_at for entry in entries if entry.kind == "upload"}) == 1


def test_exactly_one_of_many_uploads_at_the_limit_is_accepted(app: Flask, owner: User) -> None:
    """Thirty threads charge at once with one upload left."""
    with transaction() as session:
        session.add(Usage(user_id=owner.id, kind="upload", entry_key="used", quantity=999))
    browser = Browser(app, owner)
    batch_id = uploaded_job(browser, "last but none.wav", kick()).batch_id
    with transaction() as session:
        session.add(Usage(user_id=owner.id, kind="upload", entry_key="room", quantity=-1))
    user_id, codes = owner.id, []

    def charge(number: int) -> None:
        with app.app_context():
            user = db.session.get_one(User, user_id)
            job = Job(
                id=f"thread-{number:02d}",
                user_id=user_id,
                batch_id=batch_id,
                filename="x",
                format="WAV",
                size_bytes=1,
                content_sha256="",
                incoming_key="",
                tier="pro-tier",
                priority=1,
                run_at=utcnow(),
                results={},
            )
            try:
                with transaction() as session:
                    quota.charge_upload(user, job)
                    session.add(job)
                codes.append("in")
            except quota.QuotaExceededError:
                codes.append("refused")

    threads = [threading.Thread(target=charge, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["in"] + ["refused"] * 29
    db.session.commit()  # this thread's own view is older than theirs
    used = select(func.sum(Usage.quantity)).where(Usage.user_id == user_id, Usage.kind == "upload")
    assert db.session.scalar(used) == 1000
