"""Overage: what has to be there to turn it on, when it is charged, which days are compared with Stripe."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.billing import overage_charges, quota
from app.extensions import db
from app.integrations.payments import PaymentsError, meters
from app.models import Job, MeterDifference, OverageConsent, Subscription, Usage, User
from app.models.base import transaction, utcnow
from app.models.usage import METERED, OVERAGE
from tests.billing.overage_stripe import environ, stripe, world
from tests.billing.paying_producer import add_usage_row, subscribe
from tests.fake_stripe.world import World
from tests.postgres_statements import sent_to_postgres

__all__ = ["environ", "stripe", "world"]
DAY = timedelta(days=1)
LOCK = "FOR NO KEY UPDATE"


@pytest.fixture
def payer(app: Flask, owner: User, world: World) -> User:
    subscribe(world, owner)
    return owner


@pytest.mark.parametrize("missing", ["stripe_customer_id", "stripe_subscription_id"])
def test_a_plan_that_an_operator_gave_has_nothing_to_charge(payer: User, missing: str) -> None:
    with transaction():
        setattr(payer.subscription, missing, None)
    with pytest.raises(overage_charges.OverageError, match="Payments aren't set up"):
        overage_charges.turn_on(payer, 500)
    assert db.session.get(OverageConsent, payer.id) is None


def test_no_transaction_is_open_while_stripe_is_asked(payer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    open_ones: list[bool] = []

    def asked(*_: object) -> int:
        open_ones.append(db.session().in_transaction())
        return 0

    monkeypatch.setattr(meters, "add_metered_price", asked)
    monkeypatch.setattr(meters, "counted_uploads", asked)
    overage_charges.turn_on(payer, 500)
    overage_charges.reconcile_with_stripe()
    assert open_ones == [False] * 4


def test_consent_is_given_and_taken_back_with_the_account_locked(payer: User) -> None:
    overage_charges.turn_off(payer)  # it was never on
    assert db.session.get(OverageConsent, payer.id) is None
    with sent_to_postgres() as sent:
        overage_charges.turn_on(payer, 500)
    assert sum(sql.endswith(LOCK) for sql in sent) == 1
    with sent_to_postgres() as sent:
        overage_charges.turn_off(payer)
    assert sum(sql.endswith(LOCK) for sql in sent) == 1
    assert db.session.get_one(OverageConsent, payer.id).is_on is False


@pytest.mark.parametrize(
    ("plan", "uploads", "metered"),
    [("pro", 1000, 1), ("pro", 999, 0), ("free", 0, 1)],
)
def test_a_charge_is_final_unless_the_month_has_room_again(
    payer: User, plan: str, uploads: int, metered: int
) -> None:
    """A change to Free has room today, but the upload was made past the month of the plan before."""
    overage_charges.turn_on(payer, 500)
    job = Job(id="a job", user_id=payer.id, retries=0)
    add_usage_row(payer, "upload", uploads + 1)
    with transaction():
        quota.add_usage(payer.id, OVERAGE, quota.charge_keys(job)[2], 1)
        assert payer.subscription is not None
        payer.subscription.plan = plan
        owed = overage_charges.finalize_charge(job)
    rows = dict(db.session.execute(select(Usage.kind, Usage.quantity).order_by(Usage.id)).all())
    assert (rows.get(METERED, 0), rows[OVERAGE]) == ((1, 1) if metered else (0, -1))
    if not metered:
        assert owed is None
        return
    assert owed is not None
    assert owed["identifier"] == "a job"
    assert payer.subscription is not None
    assert owed["customer_id"] == payer.subscription.stripe_customer_id
    assert abs(owed["at"] - utcnow().timestamp()) < 60
    with transaction():
        assert overage_charges.finalize_charge(Job(id="within", user_id=payer.id, retries=0)) is None


def differences() -> list[tuple[int, int, int]]:
    """Return how many days ago each difference was, what we counted, and what Stripe did."""
    today = utcnow().date()
    return [
        ((today - found.day).days, found.ours, found.theirs)
        for found, _ in overage_charges.meter_differences()
    ]


def test_the_last_three_days_are_compared_from_midnight_to_midnight(
    payer: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One report at each midnight belongs to the day that begins with it. A charge is no report."""
    now = utcnow().replace(hour=12)
    monkeypatch.setattr(overage_charges, "utcnow", lambda: now)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    consent_of(payer, "cus_payer")
    consent_of(stranger, "cus_stranger")
    with transaction() as session:
        for days_ago in range(6):
            row = {"user_id": payer.id, "kind": METERED, "entry_key": f"m{days_ago}", "quantity": 1}
            session.add(Usage(**row, effective_at=midnight - days_ago * DAY))
            other = row | {"kind": OVERAGE, "entry_key": f"o{days_ago}"}
            session.add(Usage(**other, effective_at=midnight - days_ago * DAY))
    monkeypatch.setattr(meters, "counted_uploads", lambda *_: 0)
    for _ in range(2):
        overage_charges.reconcile_with_stripe()
    assert differences() == [(1, 1, 0), (2, 1, 0), (3, 1, 0)]

    def counted(_: object, customer_id: str, start: int, end: int) -> int:
        """Stripe counts what we do for the payer, and is away when asked about the other customer."""
        if customer_id == "cus_stranger":
            raise PaymentsError("away")
        assert datetime.fromtimestamp(end, now.tzinfo) - datetime.fromtimestamp(start, now.tzinfo) == DAY
        return 1

    monkeypatch.setattr(meters, "counted_uploads", counted)
    overage_charges.reconcile_with_stripe()
    assert differences() == []
    assert db.session.scalar(select(MeterDifference)) is None


def test_what_only_stripe_counted_differs_from_nothing(payer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    consent_of(payer, "cus_payer")
    monkeypatch.setattr(meters, "counted_uploads", lambda *_: 1)
    overage_charges.reconcile_with_stripe()
    assert differences() == [(1, 0, 1), (2, 0, 1), (3, 0, 1)]


def consent_of(user: User, customer_id: str) -> None:
    with transaction() as session:
        user.subscription = user.subscription or Subscription(plan="pro", status="active")
        given = {"customer_id": customer_id, "subscription_id": "sub_1", "cap_cents": 500, "is_on": True}
        session.add(OverageConsent(user_id=user.id, changed_at=utcnow(), **given))
