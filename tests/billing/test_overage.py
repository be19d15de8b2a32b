"""Overage needs consent, stops at a cap, is charged with the upload and reported when its job is done."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.billing import overage_charges, plans, quota
from app.billing.plan_room import PlanUsage
from app.extensions import db, settings
from app.integrations.payments import meters
from app.jobs import run, transitions
from app.models import Job, MeterDifference, OutboxMessage, OverageConsent, Usage, User
from app.models.base import transaction, utcnow
from app.notify import outbox
from tests.billing.overage_stripe import environ, stripe, world
from tests.billing.paying_producer import (
    add_usage_row,
    counted_identifiers,
    subscribe,
)
from tests.fake_stripe.world import World
from tests.support import Browser, finished_job, kick, uploaded_job

__all__ = ["environ", "stripe", "world"]
DAY = timedelta(days=1)


@pytest.fixture
def payer(app: Flask, owner: User, world: World) -> User:
    """A user on Pro, paid for, with one upload of the plan left."""
    subscribe(world, owner)
    add_usage_row(owner, "upload", 999)
    return owner


def ledger(kind: str) -> int:
    total = select(func.coalesce(func.sum(Usage.quantity), 0)).where(Usage.kind == kind)
    return int(db.session.scalar(total) or 0)


def test_a_refusal_without_consent_names_every_option(as_owner: Browser, payer: User) -> None:
    assert as_owner.upload(("last.wav", kick())).status_code == 201
    sentence = as_owner.upload(("more.wav", kick())).get_json()["error"]
    assert "You have used all 1,000 uploads for this month. Wait until" in sentence
    assert "turn on extra uploads on the Plan page ($0.02 for each upload, up to a cap you set)" in sentence
    assert sentence.endswith(", or upgrade to Enterprise.")
    assert ledger("overage") == 0


def test_with_consent_each_extra_upload_is_charged_and_reported(
    as_owner: Browser, payer: User, world: World
) -> None:
    assert as_owner.post("/billing/overage", cap_usd="5").status_code == 303
    jobs = [finished_job(as_owner, f"{number}.wav", kick()) for number in range(3)]
    assert [job.state for job in jobs] == ["completed"] * 3
    now = quota.plan_usage(payer)
    assert (now.uploads, now.overage, now.overage_cents) == (1000, 2, 4)
    assert counted_identifiers(world) == []  # nothing leaves before the outbox sends it
    assert outbox.deliver_usage() == 2
    assert counted_identifiers(world) == sorted(job.id for job in jobs[1:])
    page = html.unescape(re.sub("<[^>]+>", "", as_owner.get("/billing").text))
    page = " ".join(page.split())
    assert "2 extra uploads this month: $0.04 of $5.00" in page


def test_uploads_stop_at_the_cap(as_owner: Browser, payer: User) -> None:
    add_usage_row(payer, "upload", 1)
    overage_charges.turn_on(payer, cap_cents=5)
    assert [as_owner.upload(("x.wav", kick())).status_code for _ in range(3)] == [201, 201, 422]
    sentence = as_owner.upload(("x.wav", kick())).get_json()["error"]
    assert "and reached your $0.05 cap for extra uploads." in sentence
    assert "raise the cap on the Plan page" in sentence
    overage_charges.turn_on(payer, cap_cents=6)
    assert as_owner.upload(("x.wav", kick())).status_code == 201
    assert quota.plan_usage(payer).overage == 3


def test_turning_overage_off_keeps_what_is_owed(as_owner: Browser, payer: User, world: World) -> None:
    add_usage_row(payer, "upload", 1)
    overage_charges.turn_on(payer, cap_cents=500)
    job = uploaded_job(as_owner, "owed.wav", kick())
    assert as_owner.post("/billing/overage/off").status_code == 303
    assert as_owner.upload(("more.wav", kick())).status_code == 422
    run.run_next()
    outbox.deliver_usage()
    assert counted_identifiers(world) == [job.id]
    (subscription,) = world.all("subscription")
    assert subscription["items"]["data"][-1]["price"]["lookup_key"] == "sp404_pro_overage"


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_a_failed_or_cancelled_job_is_never_reported(
    as_owner: Browser, payer: User, world: World, how: str
) -> None:
    add_usage_row(payer, "upload", 1)
    overage_charges.turn_on(payer, cap_cents=500)
    header = bytearray(kick())
    header[22:24] = b"\0\0"  # no channels
    job = uploaded_job(as_owner, "nothing.wav", bytes(header))
    assert ledger("overage") == 1
    if how == "cancelled":
        transitions.cancel(job.id)
    else:
        run.run_next()
    db.session.refresh(job)
    assert job.state == how
    assert outbox.deliver_usage() == 0
    assert (ledger("overage"), ledger("metered"), counted_identifiers(world)) == (0, 0, [])


def test_a_returned_upload_makes_room_before_anybody_pays(
    as_owner: Browser, payer: User, world: World
) -> None:
    """When the plan's last upload is cancelled, the charged one takes its place."""
    overage_charges.turn_on(payer, cap_cents=500)
    within = uploaded_job(as_owner, "within.wav", kick())
    beyond = uploaded_job(as_owner, "beyond.wav", kick())
    assert quota.plan_usage(payer).overage == 1
    transitions.cancel(within.id)
    run.run_next()
    db.session.refresh(beyond)
    assert beyond.state == "completed"
    assert outbox.deliver_usage() == 0
    now = quota.plan_usage(payer)
    assert (now.uploads, now.overage, counted_identifiers(world)) == (1000, 0, [])


@pytest.mark.parametrize("status", ["trialing", "past_due", "canceled"])
def test_overage_needs_an_active_paid_subscription(as_owner: Browser, payer: User, status: str) -> None:
    add_usage_row(payer, "upload", 1)
    overage_charges.turn_on(payer, cap_cents=500)
    with transaction():
        assert payer.subscription is not None
        payer.subscription.status = status
    assert quota.plan_usage(payer).cap_cents is None
    with pytest.raises(overage_charges.OverageError):
        overage_charges.turn_on(payer, cap_cents=500)
    if status != "canceled":
        assert as_owner.upload(("more.wav", kick())).status_code == 422


def test_a_new_subscription_needs_new_consent(payer: User, world: World) -> None:
    overage_charges.turn_on(payer, cap_cents=500)
    assert quota.plan_usage(payer).cap_cents == 500
    subscribe(world, payer)
    assert quota.plan_usage(payer).cap_cents is None


@pytest.mark.parametrize("plan", ["free", "enterprise"])
def test_other_plans_have_no_overage(payer: User, plan: str) -> None:
    with transaction():
        assert payer.subscription is not None
        payer.subscription.plan = plan
    with pytest.raises(overage_charges.OverageError):
        overage_charges.turn_on(payer, 500)
    assert "overage" not in (PlanUsage(plans.PLANS[plan], 10**6, 0, utcnow()).refusal() or "overage")


@pytest.mark.parametrize("cap", ["", "0", "-5", "0.001", "10001", "much", "NaN"])
def test_a_cap_is_an_amount_of_money(as_owner: Browser, payer: User, cap: str) -> None:
    assert as_owner.post("/billing/overage", cap_usd=cap).status_code == 422
    assert db.session.get(OverageConsent, payer.id) is None


def test_turning_overage_on_twice_adds_one_price(payer: User, world: World) -> None:
    for cap_cents in (100, 200):
        overage_charges.turn_on(payer, cap_cents)
    (subscription,) = world.all("subscription")
    assert len(subscription["items"]["data"]) == 2
    assert db.session.get_one(OverageConsent, payer.id).cap_cents == 200


def test_a_report_that_stripe_already_has_counts_as_sent(payer: User, world: World) -> None:
    """A report is sent again after its answer was lost, and counts once."""
    for _ in range(2):
        meters.report_upload(settings(), "cus_1", "job-1", world.now)
    assert counted_identifiers(world) == ["job-1"]


def test_an_old_report_is_sent_with_the_oldest_time_stripe_accepts(payer: User, world: World) -> None:
    meters.report_upload(settings(), "cus_1", "job-1", world.now - 100 * 86400)
    (event,) = world.all("billing.meter_event")
    assert world.now - event["timestamp"] == pytest.approx(34 * 86400, abs=60)


def test_a_report_is_sent_until_it_is_accepted(as_owner: Browser, payer: User, world: World) -> None:
    add_usage_row(payer, "upload", 1)
    overage_charges.turn_on(payer, cap_cents=500)
    finished_job(as_owner, "owed.wav", kick())
    world.all("billing.meter")[0]["status"] = "inactive"
    message = db.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "meter")).one()
    for attempt in range(1, 12):
        assert outbox.deliver_usage() == 0
        db.session.refresh(message)
        assert message.attempts == attempt
        assert message.next_try_at is not None
        assert message.next_try_at - utcnow() <= timedelta(minutes=30)
        with transaction() as session:
            session.execute(update(OutboxMessage).values(next_try_at=utcnow()))
    world.all("billing.meter")[0]["status"] = "active"
    assert outbox.deliver_usage() == 1
    assert len(counted_identifiers(world)) == 1


def test_mails_do_not_wait_for_stripe(app: Flask, payer: User) -> None:
    outbox.enqueue("meter:x", None, "meter", {"customer_id": "x", "identifier": "x", "at": 0})
    db.session.commit()
    assert outbox.deliver_mails() == 0
    assert db.session.scalars(select(OutboxMessage.attempts).where(OutboxMessage.kind == "meter")).one() == 0


def yesterday(user: User, world: World, ours: int, theirs: int) -> None:
    at = utcnow() - DAY
    with transaction() as session:
        for number in range(ours):
            row = {"user_id": user.id, "kind": "metered", "entry_key": f"m{number}", "quantity": 1}
            session.add(Usage(**row, effective_at=at))
    assert user.subscription is not None
    for number in range(theirs):
        customer = user.subscription.stripe_customer_id or ""
        meters.report_upload(settings(), customer, f"m{number}", int(at.timestamp()))


def test_the_ledger_is_compared_with_stripe_every_night(
    app: Flask, as_owner: Browser, payer: User, world: World
) -> None:
    overage_charges.turn_on(payer, 500)
    yesterday(payer, world, ours=3, theirs=2)
    for _ in range(2):
        overage_charges.reconcile_with_stripe()
    (found,) = db.session.scalars(select(MeterDifference))
    assert (found.user_id, found.day, found.ours, found.theirs) == (payer.id, (utcnow() - DAY).date(), 3, 2)
    with transaction():
        payer.is_admin = True
    page = as_owner.get("/admin/costs").text
    assert "count differs from ours" in page
    customer = world.all("customer")[0]["id"]
    meters.report_upload(settings(), customer, "m2", int((utcnow() - DAY).timestamp()))
    overage_charges.reconcile_with_stripe()
    assert db.session.scalar(select(func.count()).select_from(MeterDifference)) == 0
    assert "count differs from ours" not in as_owner.get("/admin/costs").text


def test_without_a_meter_the_comparison_says_what_to_do(
    payer: User, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    overage_charges.turn_on(payer, 500)
    world.all("billing.meter")[0]["status"] = "inactive"
    overage_charges.reconcile_with_stripe()
    assert "run `flask --app wsgi stripe setup`" in caplog.text
    assert db.session.scalar(select(func.count()).select_from(MeterDifference)) == 0


def test_the_cost_report_shows_overage(payer: User, as_owner: Browser) -> None:
    add_usage_row(payer, "overage", 7)
    with transaction():
        payer.is_admin = True
    assert db.session.scalar(select(func.count()).select_from(Job)) == 0
    table = as_owner.get("/admin/costs.csv").text.splitlines()
    assert dict(zip(table[0].split(","), table[1].split(","), strict=True))["overage_uploads"] == "7"
