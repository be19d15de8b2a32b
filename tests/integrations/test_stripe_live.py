"""Make the same calls in a test account of the real Stripe. This test is skipped without a key."""

from __future__ import annotations

import os

import pytest

from app.billing import stripe_setup
from app.billing.plans import FOR_SALE
from app.config import Settings
from app.integrations import payments
from app.integrations.payments.snapshot import CustomerSnapshot

KEY = os.environ.get("STRIPE_LIVE_TEST_KEY", "")


@pytest.mark.skipif(not KEY, reason="STRIPE_LIVE_TEST_KEY is not set")
def test_the_real_stripe_sets_up_an_account_and_opens_checkout_and_portal() -> None:
    assert "_test_" in KEY, "a key of a test account is needed"
    settings = Settings(
        stripe_secret_key=KEY,
        stripe_webhook_secret="whsec_unused",
        secret_key="k" * 32,
        base_url="https://sounds.example.com",
    )
    list(stripe_setup.set_up_account(settings))
    assert list(stripe_setup.check_account(settings)) == []
    customer = payments.create_customer(settings, os.urandom(8).hex(), "owner@example.com", 0)
    try:
        back = ("https://sounds.example.com/billing/welcome", "https://sounds.example.com/billing")
        for plan in FOR_SALE:
            url = payments.open_checkout(settings, customer, plan.price_key or "", 0, *back)
            assert url.startswith("https://checkout.stripe.com/")
        assert payments.open_portal(settings, customer, back[1]).startswith("https://billing.stripe.com/")
        assert payments.customer_snapshot(settings, customer) == CustomerSnapshot(exists=True)
    finally:
        payments.connection.stripe_client(settings).v1.customers.delete(customer)
    assert not payments.customer_exists(settings, customer)
