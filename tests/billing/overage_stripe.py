"""A Stripe account that is set up for overage, as fixtures of the modules that import them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.billing.paying_producer import add_meter, stripe_settings
from tests.fake_stripe.server import FakeStripe
from tests.fake_stripe.world import World


@pytest.fixture
def stripe() -> Iterator[FakeStripe]:
    with FakeStripe() as served:
        add_meter(served.world)
        yield served


@pytest.fixture
def world(stripe: FakeStripe) -> World:
    return stripe.world


@pytest.fixture
def environ(environ: dict[str, str], stripe: FakeStripe) -> dict[str, str]:
    return environ | stripe_settings(stripe)
