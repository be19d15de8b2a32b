"""`stripe setup` creates what is missing once, and `stripe check` names what differs, on the fake Stripe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner

from app.billing import plans
from app.billing.stripe_setup import WEBHOOK_PATH
from app.extensions import settings
from app.integrations import payments
from app.integrations.payments import EVENT_TYPES
from tests.billing.paying_producer import stripe_settings
from tests.fake_stripe import setup
from tests.fake_stripe.server import FakeStripe
from tests.fake_stripe.world import World


@pytest.fixture
def stripe() -> Iterator[FakeStripe]:
    """A Stripe account that is empty."""
    with FakeStripe() as served:
        served.world.objects.clear()
        yield served


@pytest.fixture
def world(stripe: FakeStripe, environ: dict[str, str]) -> World:
    environ |= stripe_settings(stripe) | {"BASE_URL": "https://sounds.example.com"}
    return stripe.world


@pytest.fixture
def runner(world: World, app: Flask) -> FlaskCliRunner:
    return FlaskCliRunner(app)


def run(runner: FlaskCliRunner, command: str) -> Result:
    return runner.invoke(args=["stripe", command])


def made(world: World) -> dict[str, int]:
    return {kind: len(things) for kind, things in sorted(world.objects.items()) if things}


def test_setup_creates_everything_once(runner: FlaskCliRunner, stripe: FakeStripe, world: World) -> None:
    first = run(runner, "setup")
    assert first.exit_code == 0, first.output
    (endpoint,) = world.all("webhook_endpoint")
    assert f"STRIPE_WEBHOOK_SECRET=whsec_{endpoint['id']}" in first.output
    everything = {
        "billing.meter": 1,
        "billing_portal.configuration": 1,
        "price": 3,
        "product": 3,
        "webhook_endpoint": 1,
    }
    assert made(world) == everything
    writes = [call for call in stripe.calls if call.startswith("POST")]
    second = run(runner, "setup")
    assert second.exit_code == 0, second.output
    assert second.output.count("is as it should be") == 9
    assert "whsec" not in second.output
    assert made(world) == everything
    assert [call for call in stripe.calls if call.startswith("POST")] == writes
    checked = run(runner, "check")
    assert (checked.exit_code, checked.output) == (0, "Everything is as it should be.\n")


def test_setup_creates_what_the_plans_say(runner: FlaskCliRunner, world: World) -> None:
    run(runner, "setup")
    by_key = {price["lookup_key"]: price for price in world.all("price")}
    for plan in plans.FOR_SALE:
        price = by_key[plan.price_key]
        assert price["unit_amount"] == plan.price_cents
        assert price["recurring"] == {"interval": "month", "usage_type": "licensed"}
        assert price["metadata"]["plan"] == plan.name
    (meter,) = world.all("billing.meter")
    overage = by_key["sp404_pro_overage"]
    assert overage["unit_amount"] == plans.OVERAGE_PRICE_CENTS
    assert overage["recurring"] == {"interval": "month", "usage_type": "metered", "meter": meter["id"]}
    (endpoint,) = world.all("webhook_endpoint")
    assert endpoint["url"].startswith("https://sounds.example.com/")
    assert sorted(endpoint["enabled_events"]) == sorted(EVENT_TYPES)


def test_check_lists_everything_as_missing_before_setup(runner: FlaskCliRunner, world: World) -> None:
    found = run(runner, "check")
    assert found.exit_code == 1
    assert found.output.count("is missing") == 9
    assert made(world) == {}


@pytest.mark.parametrize(
    ("kind", "change", "says"),
    [
        ("product", {"name": "Other"}, "name is 'Other', and should be"),
        ("product", {"active": False}, "active is False, and should be True"),
        ("billing_portal.configuration", {"default_return_url": None}, "default_return_url is None"),
        ("webhook_endpoint", {"status": "disabled"}, "status is 'disabled', and should be 'enabled'"),
        ("webhook_endpoint", {"enabled_events": ["*"]}, "enabled_events is ['*']"),
        ("billing.meter", {"display_name": "x"}, "display_name is 'x'"),
        ("price", {"metadata": {}}, "metadata.made_by is None"),
    ],
)
def test_check_names_changes_and_setup_corrects_them(
    runner: FlaskCliRunner, world: World, kind: str, change: dict[str, object], says: str
) -> None:
    run(runner, "setup")
    before = made(world)
    world.all(kind)[0].update(change)
    found = run(runner, "check")
    assert found.exit_code == 1
    assert says in found.output
    assert "updated" in run(runner, "setup").output
    assert run(runner, "check").exit_code == 0
    assert made(world) == before


def test_a_changed_amount_creates_a_new_price(runner: FlaskCliRunner, world: World) -> None:
    """The amount of a price at Stripe can't change: the lookup key moves to a new price."""
    run(runner, "setup")
    old = world.all("price", lookup_key="sp404_pro_monthly")[0]
    old["unit_amount"] = 900
    assert "unit_amount is 900, and should be 1500" in run(runner, "check").output
    assert run(runner, "setup").exit_code == 0
    (new,) = world.all("price", lookup_key="sp404_pro_monthly")
    assert (new["unit_amount"], old["active"], old["lookup_key"]) == (1500, False, None)
    assert run(runner, "check").exit_code == 0


def test_a_default_portal_is_updated_and_no_other_created(runner: FlaskCliRunner, world: World) -> None:
    default = setup.create_portal(world, {"default_return_url": "https://elsewhere.example.com"})
    default["is_default"] = True
    run(runner, "setup")
    assert default["default_return_url"] == "https://sounds.example.com/billing"
    assert made(world)["billing_portal.configuration"] == 1


def test_check_names_a_meter_that_setup_cannot_change(runner: FlaskCliRunner, world: World) -> None:
    run(runner, "setup")
    world.all("billing.meter")[0]["default_aggregation"] = {"formula": "last"}
    run(runner, "setup")
    found = run(runner, "check")
    assert found.exit_code == 1
    assert "default_aggregation.formula is 'last', and should be 'sum'" in found.output


@pytest.mark.parametrize("command", ["setup", "check"])
def test_the_commands_name_a_missing_key(
    environ: dict[str, str], request: pytest.FixtureRequest, command: str
) -> None:
    del environ["STRIPE_SECRET_KEY"]
    found = run(FlaskCliRunner(request.getfixturevalue("app")), command)
    assert found.exit_code == 1
    assert "STRIPE_SECRET_KEY is not set" in found.output


def test_an_error_of_stripes_is_one_sentence(runner: FlaskCliRunner, world: World) -> None:
    world.is_away = True
    found = run(runner, "setup")
    assert found.exit_code == 1
    assert "Error: Stripe:" in found.output
    assert "Traceback" not in found.output


def test_the_webhook_url_is_a_route(app: Flask) -> None:
    routes = {rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or set())}
    assert WEBHOOK_PATH in routes


def test_the_portal_that_setup_created_is_opened(runner: FlaskCliRunner, world: World) -> None:
    """A configuration created by the API is not the account's default, so it has to be named."""
    run(runner, "setup")
    customer_id = payments.create_customer(settings(), "user", "owner@example.com", 0)
    payments.open_portal(settings(), customer_id, "https://sounds.example.com/billing")
    (session,) = world.all("billing_portal.session")
    (portal,) = world.all("billing_portal.configuration")
    assert session["configuration"] == portal["id"]
