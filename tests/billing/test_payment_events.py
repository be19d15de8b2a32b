"""Stripe's webhooks are accepted when signed, stored once, and applied in any order until that works."""

from __future__ import annotations

import time

import pytest
from flask import Flask
from sqlalchemy import func, select

import tasks
from app.billing import payment_events, plans, subscription_refresh
from app.config import Settings
from app.extensions import db
from app.integrations import payments
from app.integrations.payments.snapshot import CustomerSnapshot
from app.models import Invoice, Job, PaymentEvent, User
from tests.billing.shop import Shop
from tests.fake_stripe import charges
from tests.fake_stripe.server import signed
from tests.fake_stripe.subscriptions import (
    DAY,
    MONTH,
    TRIES,
    advance,
    item_of,
    pay_invoice,
    set_status,
    start,
)
from tests.support import waiting_jobs


def count(table: type[PaymentEvent] | type[Invoice]) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def paid_event(shop: Shop) -> dict[str, object]:
    shop.subscribe()
    return next(event for event in shop.world.take_events() if event["type"] == "invoice.paid")


def test_paying_gives_the_plan_at_once_and_moves_waiting_jobs(app: Flask, shop: Shop) -> None:
    (job_id,) = waiting_jobs(shop.user, 1)
    shop.subscribe()
    assert plans.plan_for_user(shop.user).name == "free"
    shop.hear()
    assert plans.plan_for_user(shop.user).name == "pro"
    assert db.session.get_one(Job, job_id).tier == "pro-tier"
    (invoice,) = db.session.scalars(select(Invoice))
    assert (invoice.plan, invoice.paid_cents, invoice.status) == ("pro", 1500, "paid")


def test_forged_altered_and_stale_webhooks_are_refused_and_change_nothing(shop: Shop) -> None:
    event = paid_event(shop)
    before = shop.known()
    assert shop.post(event, secret="whsec_guessed") == 400
    assert shop.post(event, at=int(time.time()) - 400) == 400
    body, headers = signed(event)
    for altered, sent in ((body.replace(b"1500", b"0001"), headers), (body, {}), (b"", headers)):
        assert shop.client.post("/billing/events", data=altered, headers=sent).status_code == 400
    shop.apply()
    assert count(PaymentEvent) == 0
    assert shop.known() == before


def test_a_repeated_webhook_is_stored_and_applied_once(shop: Shop) -> None:
    event = paid_event(shop)
    assert [shop.post(event) for _ in range(3)] == [200] * 3
    assert count(PaymentEvent) == 1
    shop.apply()
    calls, before = len(shop.fake.calls), shop.known()
    assert shop.post(event) == 200
    shop.apply()
    assert (len(shop.fake.calls), shop.known()) == (calls, before)


def test_unknown_events_and_customers_are_ignored(shop: Shop) -> None:
    event = paid_event(shop)
    assert shop.post(event | {"type": "invoice.brand_new"}) == 200
    stranger = {"object": {"id": "in_x", "object": "invoice", "customer": "cus_of_another_product"}}
    assert shop.post(event | {"data": stranger}) == 200
    assert count(PaymentEvent) == 0


def test_either_secret_is_accepted_while_it_is_being_changed(app: Flask, shop: Shop) -> None:
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = settings.model_copy(update={"stripe_webhook_secret": "whsec_new whsec_fake"})
    shop.subscribe()
    for event, secret in zip(shop.world.take_events(), ("whsec_new", "whsec_fake") * 2, strict=False):
        assert shop.post(event, secret=secret) == 200


def test_the_content_of_an_event_is_not_trusted(shop: Shop) -> None:
    shop.subscribe()
    shop.hear()
    set_status(shop.world, shop.subscription, "canceled")
    shop.world.take_events()
    lie = shop.subscription | {"status": "active"}
    shop.world.emit("customer.subscription.updated", lie)
    shop.hear()
    assert (shop.row.status, plans.plan_for_user(shop.user).name) == ("canceled", "free")


def test_an_event_waits_until_stripe_is_reachable(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.billing.payment_events.RETRY_S", (0,))
    shop.subscribe()
    shop.world.is_away = True
    shop.hear()
    waiting = db.session.scalars(select(PaymentEvent)).first()
    assert waiting is not None
    assert (waiting.applied_at, waiting.tries) == (None, 1)
    assert plans.plan_for_user(shop.user).name == "free"
    shop.world.is_away = False
    assert payment_events.has_due_events()
    shop.apply()
    assert plans.plan_for_user(shop.user).name == "pro"
    assert not payment_events.has_due_events()


def test_jobs_are_moved_later_when_a_worker_dies_first(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (job_id,) = waiting_jobs(shop.user, 1)
    shop.subscribe()
    with monkeypatch.context() as patch:
        patch.setattr("tasks.scheduler.move_to_plan", lambda _: 1 / 0)
        patch.setattr("app.billing.payment_events.RETRY_S", (0,))
        shop.hear()
    assert db.session.get_one(Job, job_id).tier == "free-tier"
    shop.apply()
    assert db.session.get_one(Job, job_id).tier == "pro-tier"


def test_an_operator_replays_an_event(shop: Shop) -> None:
    event = paid_event(shop)
    shop.post(event)
    shop.apply()
    assert payment_events.replay_event(str(event["id"]))
    assert payment_events.has_due_events()
    shop.apply()
    assert not payment_events.replay_event("evt_none")


def test_a_slow_refresh_never_overwrites_a_later_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first refresh is delayed, and returns what was true before the second asked."""
    shop.subscribe()
    present = payments.customer_snapshot

    def held_up(settings: Settings, customer_id: str) -> CustomerSnapshot:
        old = present(settings, customer_id)
        monkeypatch.setattr(payments, "customer_snapshot", present)
        set_status(shop.world, shop.subscription, "canceled")
        tasks.refresh_customer(shop.customer)
        return old

    monkeypatch.setattr(payments, "customer_snapshot", held_up)
    tasks.refresh_customer(shop.customer)
    assert shop.row.status == "canceled"


@pytest.mark.parametrize(
    ("status", "plan"),
    [
        ("trialing", "pro"),
        ("past_due", "pro"),
        ("unpaid", "free"),
        ("paused", "free"),
        ("incomplete", "free"),
        ("incomplete_expired", "free"),
        ("a_status_to_come", "free"),
    ],
)
def test_each_status_gives_the_right_plan(shop: Shop, status: str, plan: str) -> None:
    shop.subscribe()
    set_status(shop.world, shop.subscription, status)
    shop.hear()
    assert (shop.row.status, plans.plan_for_user(shop.user).name) == (status, plan)


@pytest.mark.parametrize("how", ["cancel_at_period_end", "cancel_at"])
def test_a_cancelled_plan_lasts_until_its_end(shop: Shop, how: str) -> None:
    shop.subscribe()
    ends = shop.subscription["items"]["data"][0]["current_period_end"]
    shop.subscription[how] = True if how == "cancel_at_period_end" else ends
    shop.hear()
    tasks.reconcile_payments.call_local()
    assert shop.row.ends_at is not None
    advance(shop.world, ends - shop.world.now - 1)
    shop.hear()
    assert plans.plan_for_user(shop.user).name == "pro"
    advance(shop.world, 1)
    shop.hear()
    assert (plans.plan_for_user(shop.user).name, shop.row.status) == ("free", "canceled")


def test_a_renewal_is_paid_fails_and_is_paid_again(shop: Shop) -> None:
    shop.subscribe()
    advance(shop.world, MONTH)
    shop.hear()
    assert (shop.row.status, count(Invoice)) == ("active", 2)
    shop.world.cards[shop.customer] = "declined"
    advance(shop.world, MONTH)
    shop.hear()
    assert (shop.row.status, plans.plan_for_user(shop.user).name) == ("past_due", "pro")
    pay_invoice(shop.world, shop.subscription["latest_invoice"])
    shop.hear()
    assert (shop.row.status, count(Invoice)) == ("active", 3)


def test_a_renewal_that_is_never_paid_ends_the_plan(shop: Shop) -> None:
    shop.subscribe()
    shop.world.cards[shop.customer] = "declined"
    advance(shop.world, MONTH + (TRIES - 2) * DAY)
    shop.hear()
    assert plans.plan_for_user(shop.user).name == "pro"
    advance(shop.world, DAY)
    shop.hear()
    assert plans.plan_for_user(shop.user).name == "free"


def test_refunds_and_disputes_are_saved(shop: Shop) -> None:
    shop.subscribe()
    shop.hear()
    (charge,) = shop.world.all("charge")
    charges.refund(shop.world, charge["id"], 500)
    dispute = charges.dispute(shop.world, charge["id"])
    shop.hear()
    (invoice,) = db.session.scalars(select(Invoice))
    assert (invoice.refunded_cents, invoice.disputed_cents) == (500, 1500)
    assert invoice.dispute_status == "needs_response"
    charges.close_dispute(shop.world, dispute["id"], won=False)
    shop.hear()
    db.session.refresh(invoice)
    assert invoice.dispute_status == "lost"
    advance(shop.world, MONTH)
    shop.hear()
    renewal = db.session.scalars(select(Invoice).where(Invoice.id != invoice.id)).one()
    assert (renewal.refunded_cents, renewal.disputed_cents, renewal.dispute_status) == (0, 0, None)


def test_a_subscription_is_refreshed_at_the_end_of_its_period_without_an_event(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.subscribe()
    shop.hear()
    assert subscription_refresh.overdue_customer_ids() == []
    shop.world.set_time = int(time.time()) - 40 * DAY
    item = shop.subscription["items"]["data"][0]
    item["current_period_end"] -= 35 * DAY
    item["current_period_start"] -= 35 * DAY
    tasks.refresh_customer(shop.customer)
    row = shop.row
    row.refreshed_at = row.current_period_end
    db.session.commit()
    assert subscription_refresh.overdue_customer_ids() == [shop.customer]
    shop.subscription["cancel_at_period_end"] = True
    advance(shop.world, 38 * DAY)
    tasks.refresh_overdue()
    assert plans.plan_for_user(shop.user).name == "free"
    assert subscription_refresh.overdue_customer_ids() == []


def test_a_customer_deleted_at_stripe_is_on_free_and_may_subscribe_again(shop: Shop) -> None:
    shop.subscribe()
    shop.hear()
    shop.world.get("customer", shop.customer)["deleted"] = True
    set_status(shop.world, shop.subscription, "canceled")
    shop.hear()
    assert (plans.plan_for_user(shop.user).name, shop.row.stripe_customer_id) == ("free", None)
    shop.subscribe("enterprise")
    assert len(shop.world.all("customer")) == 2


def test_what_is_paid_for_counts_although_a_later_subscription_has_ended(shop: Shop) -> None:
    shop.subscribe()
    paid = shop.subscription
    shop.world.set_time = shop.world.now + 60
    later = start(shop.world, shop.customer, item_of(paid)["price"], status="incomplete")
    set_status(shop.world, later, "incomplete_expired")
    shop.hear()
    assert (shop.row.stripe_subscription_id, shop.row.status) == (paid["id"], "active")


def test_the_plan_follows_the_price_after_its_lookup_key_moved(shop: Shop) -> None:
    shop.subscribe("enterprise")
    shop.subscription["items"]["data"][0]["price"]["lookup_key"] = None
    shop.hear()
    assert plans.plan_for_user(shop.user).name == "enterprise"


def test_other_accounts_are_not_changed(shop: Shop, owner: User) -> None:
    shop.subscribe("enterprise")
    shop.hear()
    tasks.reconcile_payments.call_local()
    assert plans.plan_for_user(owner).name == "pro"
