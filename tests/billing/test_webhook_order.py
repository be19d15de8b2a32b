"""Webhooks that are lost, late, repeated or out of order lead to the same state in the end.

Two apps receive the events of one Stripe account. The first gets all of them at once and in order. The second
gets each event never, late, twice or after later ones, and runs the nightly refresh at the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

import tasks
from app import create_app
from app.billing import plans
from app.config import Settings
from app.extensions import db
from app.models import Invoice, Job, PaymentEvent, Subscription, User
from app.models.base import transaction
from tests.fake_stripe import charges, subscriptions
from tests.fake_stripe.server import FakeStripe, signed
from tests.fake_stripe.world import Object, World
from tests.support import waiting_jobs

SEQUENCES = 500
USER = "01TESTUSER0000000000000000"
ACTIONS = (
    "buy pro",
    "buy enterprise",
    "buy slowly",
    "pay",
    "swap",
    "cancel",
    "cancel at",
    "resume",
    "end",
    "month",
    "day",
    "card declined",
    "card ok",
    "refund",
    "dispute",
)
FATES = ("now", "twice", "late", "late twice", "never")
LEDGER = tuple(column.key for column in Invoice.__table__.c)
FATE = st.lists(st.sampled_from(FATES), min_size=1, max_size=4)
STEP = st.tuples(st.sampled_from(ACTIONS), FATE, st.booleans())


class Side:
    """An app with its own database, and the same user and customer as the other app."""

    def __init__(self, folder: Path, migrated: Path, fake: FakeStripe) -> None:
        environ = fake.settings | {"DATA_DIR": str(folder), "SECRET_KEY": "k" * 32}
        folder.mkdir()
        shutil.copy(migrated, folder / "library.db")
        self.app: Flask = create_app(Settings.from_env(environ))
        self.client: FlaskClient = self.app.test_client()

    def begin(self, customer: str) -> None:
        with self.app.app_context():
            with transaction() as session:
                for table in (User, Invoice, PaymentEvent):
                    session.execute(delete(table))
                user = User(id=USER, email="one@example.com")
                user.subscription = Subscription(plan="free", status="none", stripe_customer_id=customer)
                session.add(user)
            waiting_jobs(user, 1)

    def hear(self, events: list[Object], apply: bool = True) -> None:
        for event in events:
            body, headers = signed(event)
            assert self.client.post("/billing/events", data=body, headers=headers).status_code == 200
        if apply:
            with self.app.app_context():
                tasks.apply_payment_events.call_local()

    def reconcile(self) -> None:
        with self.app.app_context():
            tasks.reconcile_payments.call_local()

    def known(self) -> tuple[Any, ...]:
        """Return the subscription, the tier of the waiting job and the invoices."""
        with self.app.app_context():
            user = db.session.get_one(User, USER)
            row, job = user.subscription, db.session.scalars(select(Job)).one()
            assert row is not None
            found = row.plan, row.status, row.stripe_subscription_id, row.current_period_end, row.ends_at
            invoices = db.session.scalars(select(Invoice).order_by(Invoice.id)).all()
            ledger = [tuple(getattr(invoice, name) for name in LEDGER) for invoice in invoices]
            return plans.plan_for_user(user).name, job.tier, job.priority, found, ledger


@pytest.fixture(scope="module")
def sides(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[tuple[FakeStripe, Side, Side]]:
    folder = tmp_path_factory.mktemp("disorder")
    with FakeStripe() as fake:
        yield fake, Side(folder / "ordered", migrated, fake), Side(folder / "disordered", migrated, fake)


SEEN: list[int] = []


@settings(
    max_examples=SEQUENCES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEP, min_size=1, max_size=5), seed=st.integers(0, 2**32))
def _any_sequence(sides: tuple[FakeStripe, Side, Side], steps: list[Any], seed: int) -> None:
    (fake, ordered, disordered), shuffle = sides, Random(seed)
    fake.world.forget("customer", "subscription", "invoice", "charge", "dispute")
    customer = str(fake.world.add("customer", "cus")["id"])
    ordered.begin(customer)
    disordered.begin(customer)
    late: list[Object] = []
    for action, fates, is_applied in steps:
        act(fake.world, customer, action)
        happened = fake.world.take_events()
        ordered.hear(happened)
        prompt: list[Object] = []
        for number, event in enumerate(happened):
            fate = fates[number % len(fates)]
            prompt += [event] * {"now": 1, "twice": 2}.get(fate, 0)
            late += [event] * {"late": 1, "late twice": 2}.get(fate, 0)
        shuffle.shuffle(prompt)
        disordered.hear(prompt, is_applied)
    shuffle.shuffle(late)
    disordered.hear(late)
    disordered.reconcile()
    SEEN.append(len(steps))
    assert disordered.known() == ordered.known()


@pytest.mark.timeout(600)  # about a minute on a quiet machine
def test_events_in_any_order_end_in_the_same_state(sides: tuple[FakeStripe, Side, Side]) -> None:
    SEEN.clear()
    _any_sequence(sides)
    assert len(SEEN) >= SEQUENCES


def act(world: World, customer: str, action: str) -> None:
    """Do an action at Stripe, if the subscription's state allows it."""
    latest = next(iter(world.all("subscription", customer=customer)), None)
    is_over = latest is None or latest["status"] in subscriptions.ENDED
    word, _, detail = action.partition(" ")
    if word == "buy" and is_over:
        plan = "enterprise" if detail == "enterprise" else "pro"
        status = "incomplete" if detail == "slowly" else "active"
        subscriptions.start(world, customer, price_of(world, plan), status=status)
    elif word == "card":
        world.cards[customer] = detail
    elif word in ("month", "day"):
        subscriptions.advance(world, subscriptions.MONTH if word == "month" else subscriptions.DAY)
    elif word in ("refund", "dispute"):
        paid = world.all("charge", customer=customer, disputed=False, paid=True)
        if paid and word == "refund":
            charges.refund(world, paid[0]["id"], 1)
        elif paid:
            charges.dispute(world, paid[0]["id"])
    elif latest is not None and not is_over:
        change(world, latest, action)


def change(world: World, found: Object, action: str) -> None:
    if action == "pay":
        subscriptions.pay_invoice(world, found["latest_invoice"])
        return
    if action == "end":
        subscriptions.set_status(world, found, "canceled")
        return
    item = subscriptions.item_of(found)
    if action == "swap":
        other = "pro" if item["price"]["metadata"]["plan"] == "enterprise" else "enterprise"
        asked: Object = {"items": [{"id": item["id"], "price": price_of(world, other)["id"]}]}
        asked["payment_behavior"] = "pending_if_incomplete"
    else:
        asked = {"cancel_at_period_end": str(action == "cancel")}
        asked["cancel_at"] = str(item["current_period_end"] - 5) if action == "cancel at" else ""
    subscriptions.update(world, asked, found["id"])


def price_of(world: World, plan: str) -> Object:
    return world.all("price", lookup_key=f"sp404_{plan}_monthly")[0]
