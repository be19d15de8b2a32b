"""What the ledger counts, charges and gives back, at, below and above each limit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from app.billing import overage_charges, quota
from app.billing.plans import GB, MB, PLANS
from app.extensions import db, settings
from app.models import Job, OverageConsent, Sample, Usage, User
from app.models.base import transaction, utcnow
from tests.postgres_statements import sent_to_postgres
from tests.support import Browser, finished_job, kick, waiting_jobs

PRO = PLANS["pro"]


def enter(user: User, kind: str, quantity: int, at: datetime | None = None) -> None:
    with transaction():
        key = f"{kind}:{quantity}:{at or 'now'}"
        quota.add_usage(user.id, kind, key, quantity, at)


def consent(user: User, **changed: object) -> None:
    """Let the owner pay for extra uploads, except for what is changed."""
    with transaction() as session:
        assert user.subscription is not None
        user.subscription.stripe_subscription_id = "sub_1"
        given = {
            "user_id": user.id, "customer_id": "cus_1", "subscription_id": "sub_1", "cap_cents": 500,
            "is_on": True,
            "changed_at": utcnow(),
        }  # fmt: skip
        session.merge(OverageConsent(**(given | changed)))


def test_only_what_falls_into_the_period_is_counted(freeloader: User) -> None:
    """The freeloader's day in Berlin runs from 23:00 to 23:00 UTC in winter."""
    start = datetime(2026, 11, 23, 23, tzinfo=UTC)
    for number, at in enumerate(
        (
            start - timedelta(seconds=1),
            start,
            start + timedelta(hours=23, minutes=59),
            start + timedelta(days=1),
        )
    ):
        enter(freeloader, "upload", 10**number, at)
    now = quota.plan_usage(freeloader, start + timedelta(hours=5))
    assert (now.uploads, now.overage) == (110, 0)
    assert now.resets_at == start + timedelta(days=1)
    assert quota.ledger_total(freeloader, "upload", since=start) == 1110
    assert quota.ledger_total(freeloader, "export", since=start) == 0


def test_a_new_time_zone_does_not_begin_a_new_day(freeloader: User) -> None:
    midnight = datetime(2026, 11, 23, 23, tzinfo=UTC)
    changed_at = midnight + timedelta(hours=2)
    enter(freeloader, "upload", 7, midnight - timedelta(hours=20))
    enter(freeloader, "upload", 30, changed_at - timedelta(days=1, seconds=1))
    at = midnight + timedelta(hours=3)
    for changed, uploads in ((changed_at, 7), (midnight, 0), (midnight - timedelta(hours=1), 0), (None, 0)):
        with transaction():
            freeloader.timezone_changed_at = changed
        assert quota.plan_usage(freeloader, at).uploads == uploads, changed


def test_uploads_in_the_plan_and_charged_ones_are_counted_apart(owner: User) -> None:
    enter(owner, "upload", 1003)
    enter(owner, "overage", 3)
    enter(owner, "storage", 5 * MB)
    now = quota.plan_usage(owner)
    assert (now.plan, now.uploads, now.overage, now.storage_bytes, now.cap_cents) == (
        PRO,
        1000,
        3,
        5 * MB,
        None,
    )


def test_the_cap_is_the_users_consent_for_this_subscription(owner: User) -> None:
    consent(owner)
    assert quota.plan_usage(owner).cap_cents == 500
    for changed in ({"is_on": False}, {"subscription_id": "sub_of_before"}):
        consent(owner, **changed)
        assert quota.plan_usage(owner).cap_cents is None, changed
    consent(owner)
    for status in ("trialing", "past_due"):
        with transaction():
            assert owner.subscription is not None
            owner.subscription.status = status
        assert (quota.plan_usage(owner).plan, quota.plan_usage(owner).cap_cents) == (PRO, None)
    with transaction():
        assert owner.subscription is not None
        owner.subscription.status, owner.subscription.plan = "active", "enterprise"
    assert quota.plan_usage(owner).cap_cents is None


def rows(user: User) -> dict[str, int]:
    found = db.session.execute(select(Usage.entry_key, Usage.quantity).where(Usage.user_id == user.id))
    return {key.split(":")[0] + key.partition(":retry")[1]: quantity for key, quantity in found}


@pytest.mark.parametrize(
    ("used", "has_consent", "size", "charged"),
    [
        (998, False, 7, {"upload": 1, "storage": 7}),
        (999, True, 7, {"upload": 1, "storage": 7}),
        (1000, True, 7, {"upload": 1, "storage": 7, "overage": 1}),
        (1000, False, 7, None),
        (0, False, None, {"upload": 1, "storage": 0}),
        (0, False, 10 * GB + 1, None),
        (0, False, 10 * GB, {"upload": 1, "storage": 10 * GB}),
    ],
)
def test_an_upload_is_charged_once_in_the_plan_or_past_it(
    owner: User, used: int, has_consent: bool, size: int | None, charged: dict[str, int] | None
) -> None:
    with transaction():
        quota.add_usage(owner.id, "upload", "used:before", used)
    if has_consent:
        consent(owner)
    job = Job(id="a job", user_id=owner.id, size_bytes=size, retries=0)
    if charged is None:
        with pytest.raises(quota.QuotaExceededError) as refused, transaction():
            quota.charge_upload(owner, job)
        assert refused.value.limit == ("uploads" if used == 1000 else "storage")
        assert str(refused.value) == quota.plan_usage(owner).refusal(size or 0)
    else:
        with transaction():
            quota.charge_upload(owner, job)
    assert rows(owner) == {"used": used} | (charged or {})


def test_an_extra_upload_is_owed_by_the_month_it_was_sent_in(owner: User) -> None:
    consent(owner)
    (job_id,), before = waiting_jobs(owner, 1), utcnow() - timedelta(days=32)
    enter(owner, "upload", PRO.uploads + 1, before)
    with transaction() as session:
        quota.add_usage(owner.id, "overage", f"overage:{job_id}", 1, before)
        owed = overage_charges.finalize_charge(session.get_one(Job, job_id))
    assert owed is not None, "this month has room, and that one had none"
    assert owed["identifier"] == job_id


def test_a_closed_account_is_charged_nothing(owner: User) -> None:
    assert (quota.lock_account(owner.id), quota.lock_account("nobody")) == (True, False)
    with transaction():
        owner.closed_at = utcnow()
    with pytest.raises(quota.QuotaExceededError, match="closed"), transaction():
        quota.charge_upload(owner, Job(id="a job", user_id=owner.id, size_bytes=1, retries=0))
    assert rows(owner) == {}


def test_each_retry_is_charged_and_returned_by_itself(owner: User) -> None:
    first = Job(id="a job", user_id=owner.id, size_bytes=5, retries=0)
    again = Job(id="a job", user_id=owner.id, size_bytes=5, retries=1)
    assert not set(quota.charge_keys(first)) & set(quota.charge_keys(again))
    with transaction():
        quota.charge_upload(owner, first)
        quota.return_charges(first)
        quota.charge_upload(owner, again)
    now = quota.plan_usage(owner)
    assert (now.uploads, now.storage_bytes) == (1, 5)


def test_what_is_deleted_is_given_back_and_what_is_restored_needs_room(freeloader: User) -> None:
    enter(freeloader, "storage", 100 * MB)
    at = utcnow()
    with transaction():
        quota.release_storage(freeloader.id, {"a": 30 * MB, "b": 20 * MB}, at)
    assert quota.plan_usage(freeloader).storage_bytes == 50 * MB
    enter(freeloader, "storage", 1)
    with pytest.raises(quota.QuotaExceededError) as refused, transaction():
        quota.charge_restored(freeloader.id, {"a": 30 * MB, "b": 20 * MB}, at)
    assert refused.value.limit == "storage"
    with transaction():
        quota.charge_restored(freeloader.id, {"a": 30 * MB}, at)
        quota.charge_restored(freeloader.id, {}, at)
    assert quota.plan_usage(freeloader).storage_bytes == 80 * MB + 1


def test_each_export_is_counted_once(owner: User) -> None:
    with transaction():
        quota.record_exports(owner.id, ["one", "two"])
        quota.record_exports(owner.id, [])
    assert quota.ledger_total(owner, "export", since=utcnow() - timedelta(minutes=1)) == 2
    assert set(db.session.scalars(select(Usage.cost_usd).where(Usage.user_id == owner.id))) == {0}


def test_what_was_charged_is_free_of_cost_to_us_unless_it_is_told(owner: User) -> None:
    with transaction():
        plain = quota.add_usage(owner.id, "ai", "a call", 1)
        paid = quota.add_usage(owner.id, "ai", "another call", 1, cost_usd=Decimal("0.25"))
    assert (plain.cost_usd, paid.cost_usd) == (Decimal(0), Decimal("0.25"))


def test_the_account_is_locked_before_its_room_is_read(owner: User) -> None:
    """SQLite has one writer anyway, so this reads what would be sent to PostgreSQL."""
    job = Job(id="a job", user_id=owner.id, size_bytes=5, retries=0)
    charges: tuple[Callable[[], None], ...] = (
        lambda: quota.charge_upload(owner, job),
        lambda: quota.charge_restored(owner.id, {"a sample": 5}, utcnow()),
    )
    for charge in charges:
        with sent_to_postgres() as sent, transaction():
            charge()
        first_lock = next(at for at, sql in enumerate(sent) if sql.endswith("FOR NO KEY UPDATE"))
        first_sum = next(at for at, sql in enumerate(sent) if "sum(api_usage.quantity)" in sql)
        assert "FROM users" in sent[first_lock]
        assert first_lock < first_sum


def test_a_free_sample_takes_no_room(as_owner: Browser, owner: User) -> None:
    charged = db.session.get_one(Sample, finished_job(as_owner, "charged.wav", kick()).sample_id)
    free = db.session.get_one(Sample, finished_job(as_owner, "free.wav", kick()).sample_id)
    before = quota.plan_usage(owner).storage_bytes
    with transaction():
        quota.keep_free_of_charge(Job(id=free.id, user_id=owner.id))
    counted = dict(db.session.execute(select(Sample.id, quota.charged_bytes())).all())
    assert counted == {charged.id: charged.size_bytes, free.id: 0}
    assert quota.plan_usage(owner).storage_bytes == before


@pytest.mark.parametrize(("used", "left"), [(0, 3), (2, 1), (3, 0), (4, 0)])
def test_the_first_files_are_counted_over_all_time(
    app: Flask, freeloader: User, monkeypatch: pytest.MonkeyPatch, used: int, left: int
) -> None:
    object.__setattr__(settings(), "free_immediate_files", 3)
    enter(freeloader, "storage", 1000)
    if used:
        enter(freeloader, "upload", used, datetime(2020, 1, 1, tzinfo=UTC))
    assert quota.immediate_files_left(freeloader) == left
