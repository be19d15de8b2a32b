"""A trial: the first plan of an account begins with it, and no later one."""

from __future__ import annotations

import pytest

from app.billing import checkout
from tests.billing.shop import BACK, Shop
from tests.fake_stripe import checkout as sessions


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {"STRIPE_TRIAL_DAYS": "14"}


def subscribe(shop: Shop) -> str:
    address = checkout.start_checkout(shop.user, "pro", *BACK)
    sessions.act(shop.world, address.rsplit("/", 1)[-1], "paid")
    shop.hear()
    return shop.row.status


def test_the_first_plan_begins_with_a_trial_and_a_later_one_is_charged_at_once(shop: Shop) -> None:
    assert subscribe(shop) == "trialing"
    checkout.end_subscriptions(shop.user)
    shop.hear()
    assert subscribe(shop) == "active"
