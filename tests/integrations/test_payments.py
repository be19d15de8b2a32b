"""Run Stripe's SDK against the fake over HTTP: requests, repeats, refusals and outages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
import stripe

from app.config import Settings
from app.integrations import payments
from app.integrations.payments import PaymentsError
from tests.fake_stripe import charges, checkout, invoices, subscriptions
from tests.fake_stripe.server import FakeStripe, signed
from tests.fake_stripe.world import Object

BACK = ("http://x/welcome", "http://x/billing")


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    with FakeStripe() as served:
        yield served


@pytest.fixture
def settings(fake: FakeStripe, tmp_path: Path) -> Settings:
    return Settings.from_env(fake.settings | {"DATA_DIR": str(tmp_path), "SECRET_KEY": "k" * 32})


@pytest.fixture
def customer(settings: Settings) -> str:
    return payments.create_customer(settings, "user", "owner@example.com", 0)


def subscribe(fake: FakeStripe, settings: Settings, customer: str, plan: str = "pro") -> None:
    url = payments.open_checkout(settings, customer, f"sp404_{plan}_monthly", 0, *BACK)
    checkout.act(fake.world, url.rsplit("/", 1)[-1], "paid")


def latest_invoice_id(fake: FakeStripe, subscription_id: str) -> str:
    return str(fake.world.get("subscription", subscription_id)["latest_invoice"])


def test_a_paid_checkout_is_a_subscription_with_an_invoice(
    fake: FakeStripe, settings: Settings, customer: str
) -> None:
    subscribe(fake, settings, customer)
    now = payments.customer_snapshot(settings, customer)
    (subscription,), (invoice,) = now.subscriptions, now.invoices
    assert (subscription.status, subscription.items[0].price.plan_name) == ("active", "pro")
    assert (invoice.status, invoice.paid_cents) == ("paid", 1500)
    assert payments.get_price(settings, invoice.price_id or "").plan_name == "pro"
    assert {found.payment_id for found in now.settled} == invoice.payment_ids


def test_two_clicks_at_once_make_one_customer_and_one_checkout(fake: FakeStripe, settings: Settings) -> None:
    def click(_: int) -> tuple[str, str]:
        customer = payments.create_customer(settings, "user", "owner@example.com", 0)
        return customer, payments.open_checkout(settings, customer, "sp404_pro_monthly", 7, *BACK)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(click, range(8)))) == 1
    assert len(fake.world.all("customer")) == len(fake.world.all("checkout.session")) == 1


def test_another_plan_closes_the_checkout_that_was_open(
    fake: FakeStripe, settings: Settings, customer: str
) -> None:
    first = payments.open_checkout(settings, customer, "sp404_pro_monthly", 0, *BACK)
    second = payments.open_checkout(settings, customer, "sp404_enterprise_monthly", 0, *BACK)
    again = payments.open_checkout(settings, customer, "sp404_pro_monthly", 0, *BACK)
    assert len({first, second, again}) == 3
    assert [s["status"] for s in fake.world.all("checkout.session")] == ["open", "expired", "expired"]


def test_a_request_with_a_lost_answer_is_repeated_without_effect(
    fake: FakeStripe, settings: Settings
) -> None:
    fake.world.lost_answers = 1
    payments.create_customer(settings, "user", "owner@example.com", 0)
    assert len(fake.world.all("customer")) == 1
    assert fake.calls.count("POST /v1/customers") == 2


def test_a_plan_change_costs_what_was_previewed(fake: FakeStripe, settings: Settings, customer: str) -> None:
    subscribe(fake, settings, customer)
    fake.world.set_time = fake.world.now + 10 * subscriptions.DAY
    (found,) = payments.customer_snapshot(settings, customer).subscriptions
    price = payments.find_price_id(settings, "sp404_enterprise_monthly")
    asked = (settings, found.id, found.items[0].id, price, fake.world.now)
    shown = payments.preview_plan_change(*asked)
    fake.world.set_time += 3600
    changed = payments.change_plan(*asked)
    assert changed.items[0].price.plan_name == "enterprise"
    bill = payments.get_invoice(settings, latest_invoice_id(fake, changed.id))
    assert bill.paid_cents == shown.total_cents == 5600
    assert payments.change_plan(*asked) == changed
    assert len(payments.customer_snapshot(settings, customer).invoices) == 2


@pytest.mark.parametrize("card", ["declined", "needs_action"])
def test_a_plan_change_takes_effect_when_it_is_paid(
    fake: FakeStripe, settings: Settings, customer: str, card: str
) -> None:
    subscribe(fake, settings, customer)
    (found,) = payments.customer_snapshot(settings, customer).subscriptions
    fake.world.cards[customer] = card
    price = payments.find_price_id(settings, "sp404_enterprise_monthly")
    changed = payments.change_plan(settings, found.id, found.items[0].id, price, fake.world.now)
    assert (changed.status, changed.items[0].price.plan_name) == ("active", "pro")
    bill = payments.get_invoice(settings, latest_invoice_id(fake, changed.id))
    assert bill.hosted_url is not None
    subscriptions.pay_invoice(fake.world, bill.id)
    (now,) = payments.customer_snapshot(settings, customer).subscriptions
    assert now.items[0].price.plan_name == "enterprise"


def test_a_subscription_is_cancelled_resumed_and_ended(
    fake: FakeStripe, settings: Settings, customer: str
) -> None:
    subscribe(fake, settings, customer)
    (found,) = payments.customer_snapshot(settings, customer).subscriptions
    for cancel, ends_at in ((True, found.items[0].period_end), (False, None)):
        payments.cancel_at_period_end(settings, found.id, cancel)
        assert payments.customer_snapshot(settings, customer).subscriptions[0].ends_at == ends_at
    subscriptions.item_of(fake.world.get("subscription", found.id))
    fake.world.get("subscription", found.id)["cancel_at"] = fake.world.now + 50
    payments.cancel_at_period_end(settings, found.id, False)
    assert payments.customer_snapshot(settings, customer).subscriptions[0].ends_at is None
    for _ in range(2):
        payments.cancel_now(settings, found.id)
    assert payments.customer_snapshot(settings, customer).subscriptions[0].status == "canceled"
    assert payments.preview_next_invoice(settings, found.id) is None


def test_refunds_and_disputes_belong_to_a_payment(
    fake: FakeStripe, settings: Settings, customer: str
) -> None:
    subscribe(fake, settings, customer)
    (charge,) = fake.world.all("charge")
    charges.refund(fake.world, charge["id"], 500)
    dispute = charges.dispute(fake.world, charge["id"])
    (found,) = payments.customer_snapshot(settings, customer).settled
    assert (found.refunded_cents, found.disputed_cents, found.dispute_status) == (500, 1500, "needs_response")
    event = payments.read_event(settings, *_webhook(fake.world.events[-1]))
    assert event is not None
    assert (event.id, event.charge_id) == (fake.world.events[-1]["id"], charge["id"])
    assert payments.customer_of_charge(settings, charge["id"]) == customer
    charges.close_dispute(fake.world, dispute["id"], won=True)
    assert payments.customer_snapshot(settings, customer).settled[0].dispute_status == "won"


def test_a_payment_that_failed_settles_nothing(fake: FakeStripe, settings: Settings, customer: str) -> None:
    subscribe(fake, settings, customer)
    (paid,) = fake.world.all("charge")
    charges.charge(fake.world, customer, 1500, paid=False)
    (found,) = payments.customer_snapshot(settings, customer).settled
    assert found.payment_id == paid["payment_intent"]


def test_an_invoice_is_for_what_it_charges_not_for_what_it_credits(
    fake: FakeStripe, settings: Settings, customer: str
) -> None:
    subscribe(fake, settings, customer, "enterprise")
    (bill,), pro = fake.world.all("invoice"), fake.world.all("price", lookup_key="sp404_pro_monthly")[0]
    charged = bill["lines"]["data"][0]
    charged["amount"] = 0  # a line that costs nothing is none of the credits
    begins = charged["period"]["start"] - 100
    bill["lines"]["data"].append(invoices.line(pro, -500, begins, begins + 50, "Unused time"))
    (found,) = payments.customer_snapshot(settings, customer).invoices
    assert payments.get_price(settings, found.price_id or "").plan_name == "enterprise"
    assert found.period_start.timestamp() == charged["period"]["start"]
    bill["lines"]["data"].remove(charged)
    (found,) = payments.customer_snapshot(settings, customer).invoices
    assert found.period_end.timestamp() == begins + 50  # an invoice of credits alone is for the last one


def test_the_fake_refuses_what_stripe_would(fake: FakeStripe, settings: Settings) -> None:
    made = payments.connection.stripe_client(settings).v1.customers
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: metdata"):
        made.create(cast(Any, {"metdata": {"user": "1"}}))
    made.create({"email": "a@example.com"}, {"idempotency_key": "one"})
    with pytest.raises(stripe.IdempotencyError):
        made.create({"email": "b@example.com"}, {"idempotency_key": "one"})


def test_an_unreachable_or_refusing_stripe_raises_one_error(
    fake: FakeStripe, settings: Settings, customer: str
) -> None:
    with pytest.raises(PaymentsError, match="No such price"):
        payments.get_price(settings, "price_none")
    assert not payments.customer_snapshot(settings, "cus_none").exists
    fake.world.is_away = True
    with pytest.raises(PaymentsError):
        payments.customer_snapshot(settings, customer)


def test_only_a_recently_signed_webhook_is_an_event(settings: Settings) -> None:
    event = {"id": "evt_1", "object": "event", "created": 1, "type": "customer.updated", "data": {}}
    event["data"] = {"object": {"id": "cus_1", "object": "customer"}}
    now = int(time.time())
    assert payments.read_event(settings, *_webhook(event)) is not None
    two = settings.model_copy(update={"stripe_webhook_secret": "whsec_new, whsec_fake"})
    assert payments.read_event(two, *_webhook(event)) is not None
    assert payments.read_event(settings, *_webhook(event, "whsec_other")) is None
    assert payments.read_event(settings, *_webhook(event, at=now - 400)) is None
    body, header = _webhook(event)
    assert payments.read_event(settings, body.replace(b"cus_1", b"cus_2"), header) is None
    assert payments.read_event(settings, body, None) is None
    assert payments.read_event(settings, b"\xff", header) is None


def _webhook(event: Object, secret: str = "whsec_fake", at: int | None = None) -> tuple[bytes, str]:
    body, headers = signed(event, secret, at)
    return body, headers["Stripe-Signature"]
