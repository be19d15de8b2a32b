"""How long an event of Stripe waits after each failure, and how events are listed and kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.billing import payment_events, subscription_refresh
from app.extensions import db
from app.integrations import payments
from app.integrations.payments.snapshot import StripeEvent
from app.models import Invoice, PaymentEvent, User
from app.models.base import transaction, utcnow

Answer = Callable[[str], User | None]


@pytest.fixture
def asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the customers that Stripe is asked about; the one called `broken` can't be fetched."""
    found: list[str] = []

    def refresh(customer_id: str) -> None:
        found.append(customer_id)
        if customer_id == "broken":
            raise payments.PaymentsError("dj@example.com " + "x" * 400)

    monkeypatch.setattr(subscription_refresh, "refresh_subscription", refresh)
    return found


def receive(event_id: str, customer_id: str | None = "cus_1", **values: object) -> None:
    with transaction() as session:
        row = {"type": "invoice.paid", "customer_id": customer_id, "created_at": utcnow()} | values
        session.add(PaymentEvent(id=event_id, **row))


def event(event_id: str) -> PaymentEvent:
    db.session.expire_all()
    return db.session.get_one(PaymentEvent, event_id)


def nobody_moves(_: User) -> None:
    raise AssertionError("no account has changed")


def test_an_event_that_fails_waits_longer_each_time_and_is_never_given_up(asked: list[str]) -> None:
    receive("evt_1", "broken")
    for tries, wait_s in enumerate((10, 60, 300, 1800, 1800, 1800), 1):
        before = utcnow()
        with transaction():
            event("evt_1").next_try_at = before
        payment_events.apply_due_events(nobody_moves)
        row = event("evt_1")
        assert (row.tries, row.applied_at) == (tries, None)
        assert before + timedelta(seconds=wait_s) <= row.next_try_at <= utcnow() + timedelta(seconds=wait_s)
        assert not payment_events.has_due_events()
        assert len(row.error or "") == 300
        assert "dj@example.com" not in (row.error or "")
    assert payment_events.replay_event("evt_1")
    row = event("evt_1")
    assert (row.tries, row.error, row.applied_at) == (0, None, None)
    assert payment_events.has_due_events()


def test_a_customer_is_fetched_once_for_all_their_events_and_others_go_on(asked: list[str]) -> None:
    receive("evt_1", "broken")
    receive("evt_2", "cus_2")
    receive("evt_3", "cus_2")
    receive("evt_4", "cus_2", next_try_at=utcnow() + timedelta(minutes=1))
    payment_events.apply_due_events(nobody_moves)
    assert asked == ["broken", "cus_2"]
    is_applied = {each: event(f"evt_{each}").applied_at is not None for each in (1, 2, 3, 4)}
    assert is_applied == {1: False, 2: True, 3: True, 4: False}
    assert [event(f"evt_{each}").tries for each in is_applied] == [1, 0, 0, 0]


def test_an_account_is_told_of_its_events_before_they_count(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[User] = []

    def tell(user: User) -> None:
        assert event("evt_1").applied_at is None
        told.append(user)

    monkeypatch.setattr(subscription_refresh, "refresh_subscription", lambda _: owner)
    receive("evt_1", error="earlier")
    payment_events.apply_due_events(tell)
    assert told == [owner]
    assert (event("evt_1").applied_at is not None, event("evt_1").error) == (True, None)
    payment_events.apply_due_events(nobody_moves)


def test_what_a_failed_refresh_has_begun_is_not_saved(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def refresh(_: str) -> User:
        owner.timezone = "Asia/Tokyo"
        raise RuntimeError("half-way")

    monkeypatch.setattr(subscription_refresh, "refresh_subscription", refresh)
    receive("evt_1")
    payment_events.apply_due_events(nobody_moves)
    db.session.expire_all()
    assert owner.timezone == "UTC"
    assert event("evt_1").error == "RuntimeError: half-way"


def test_the_customer_of_a_dispute_is_found_by_its_charge(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(_: object, charge_id: str) -> str | None:
        assert not db.session().in_transaction()
        return {"ch_1": "cus_1"}.get(charge_id)

    monkeypatch.setattr(payments, "customer_of_charge", find)
    receive("evt_1", None, charge_id="ch_1")
    receive("evt_2", None, charge_id="ch_of_another_product")
    receive("evt_3", "cus_3", charge_id="ch_1")
    payment_events.apply_due_events(nobody_moves)
    assert asked == ["cus_1", "cus_3"]
    assert not payment_events.has_due_events()


@pytest.mark.parametrize(
    ("customer_id", "charge_id", "is_stored"),
    [(None, None, False), (None, "ch_1", True), ("cus_of_another_product", "ch_1", False)],
)
def test_an_event_is_stored_once_if_it_may_concern_us(
    app: Flask, customer_id: str | None, charge_id: str | None, is_stored: bool
) -> None:
    received = StripeEvent("evt_1", "charge.dispute.created", utcnow(), customer_id, charge_id)
    assert payment_events.store_event(received) is is_stored
    assert payment_events.store_event(received) is False
    assert len(db.session.scalars(select(PaymentEvent)).all()) == is_stored


def test_events_of_present_and_former_customers_are_stored(owner: User) -> None:
    """An account that was deleted leaves its invoices, which later events still change."""
    now = utcnow()
    paid = {"plan": "pro", "status": "paid", "currency": "usd", "total_cents": 1500, "paid_cents": 1500}
    times = dict.fromkeys(("period_start", "period_end", "issued_at"), now)
    with transaction() as session:
        assert owner.subscription is not None
        owner.subscription.stripe_customer_id = "cus_present"
        session.add(Invoice(id="in_1", customer_id="cus_former", **paid, **times))
    for customer_id, is_stored in (("cus_present", True), ("cus_former", True), ("cus_other", False)):
        received = StripeEvent(f"evt_{customer_id}", "invoice.paid", now, customer_id, None)
        assert payment_events.store_event(received) is is_stored
    assert not payment_events.store_event(StripeEvent("evt_new", "of.a.new.type", now, "cus_present", None))


def test_applied_events_are_listed_newest_first_and_kept_for_ninety_days(app: Flask) -> None:
    now = utcnow()
    for event_id, age, applied_at in (
        ("evt_new", timedelta(), None),
        ("evt_kept", timedelta(days=89, hours=23), now),
        ("evt_old", timedelta(days=90, seconds=1), now),
        ("evt_waits", timedelta(days=91), None),
    ):
        receive(event_id, received_at=now - age, applied_at=applied_at)
    assert [row.id for row in payment_events.latest_events()] == [
        "evt_new",
        "evt_kept",
        "evt_old",
        "evt_waits",
    ]
    assert [row.id for row in payment_events.latest_events(1)] == ["evt_new"]
    payment_events.purge_applied()
    assert {row.id for row in payment_events.latest_events()} == {"evt_new", "evt_kept", "evt_waits"}
