"""Act as a customer at the fake Stripe, and deliver its events to the app."""

from __future__ import annotations

from typing import Any

from flask import Flask

import tasks
from app.billing import checkout, plans
from app.extensions import db
from app.models import Invoice, Subscription, User
from tests.fake_stripe import checkout as sessions
from tests.fake_stripe.server import FakeStripe, signed
from tests.fake_stripe.world import Object

BACK = ("http://x/welcome", "http://x/billing")


class Shop:
    def __init__(self, app: Flask, fake: FakeStripe, user: User) -> None:
        self.app, self.fake, self.world = app, fake, fake.world
        self.user_id = user.id
        self.client = app.test_client()
        self.customer = checkout.ensure_customer(user)

    @property
    def user(self) -> User:
        db.session.expire_all()
        return db.session.get_one(User, self.user_id)

    @property
    def row(self) -> Subscription:
        row = self.user.subscription
        assert row is not None
        return row

    @property
    def subscription(self) -> Object:
        """The subscription at Stripe."""
        return self.world.all("subscription", customer=self.customer)[0]

    def subscribe(self, plan: str = "pro", outcome: str = "paid") -> None:
        url = checkout.start_checkout(self.user, plan, *BACK)
        sessions.act(self.world, url.rsplit("/", 1)[-1], outcome)

    def post(self, event: Object, **how: Any) -> int:
        body, headers = signed(event, **how)
        return self.client.post("/billing/events", data=body, headers=headers).status_code

    def hear(self) -> None:
        """Deliver all events in order, and apply them."""
        for event in self.world.take_events():
            assert self.post(event) == 200
        self.apply()

    def apply(self) -> None:
        tasks.apply_payment_events.call_local()
        db.session.commit()

    def known(self) -> tuple[Any, ...]:
        """Return everything the app has saved about the customer."""
        row, fields = self.row, ("plan", "status", "stripe_subscription_id", "current_period_end", "ends_at")
        columns = [column.key for column in Invoice.__table__.c if column.key != "user_id"]
        invoices = db.session.query(Invoice).filter_by(customer_id=self.customer).order_by(Invoice.id)
        return (
            plans.plan_for_user(self.user).name,
            *(getattr(row, name) for name in fields),
            *(tuple(getattr(invoice, name) for name in columns) for invoice in invoices),
        )
