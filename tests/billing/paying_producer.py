"""Set up a producer who pays at the fake Stripe, with a meter and its price."""

from __future__ import annotations

from app.models import Subscription, Usage, User
from app.models.base import new_id, transaction
from tests.fake_stripe import meters, subscriptions
from tests.fake_stripe.server import FakeStripe
from tests.fake_stripe.world import Object, World


def stripe_settings(stripe: FakeStripe) -> dict[str, str]:
    return stripe.settings | {"SECRET_KEY": "a secret for tests, long enough to be taken"}


def add_meter(world: World) -> Object:
    """Add the meter and the price that overage needs, as `stripe setup` does."""
    made = meters.create_meter(
        world,
        {
            "display_name": "Overage",
            "event_name": "sp404_overage_upload",
            "default_aggregation": {"formula": "sum"},
        },
    )
    usage = {"interval": "month", "usage_type": "metered", "meter": made["id"]}
    named = {"lookup_key": "sp404_pro_overage", "product": "prod_1"}
    world.add("price", "price", active=True, currency="usd", unit_amount=2, recurring=usage, **named)
    return made


def subscribe(world: World, user: User) -> Object:
    """Subscribe the user to Pro at Stripe, and save that in the account."""
    customer = world.add("customer", "cus", email=user.email)
    world.cards[customer["id"]] = "ok"
    (price,) = world.all("price", lookup_key="sp404_pro_monthly")
    made = subscriptions.start(world, customer["id"], price)
    with transaction():
        user.subscription = user.subscription or Subscription(plan="pro", status="active")
        user.subscription.stripe_customer_id = customer["id"]
        user.subscription.stripe_subscription_id = made["id"]
    return made


def add_usage_row(user: User, kind: str, quantity: int) -> None:
    with transaction() as session:
        session.add(Usage(user_id=user.id, kind=kind, entry_key=new_id(), quantity=quantity))


def counted_identifiers(world: World) -> list[str]:
    """Return the identifiers that Stripe has counted; one counted twice is listed twice."""
    return sorted(event["identifier"] for event in world.all("billing.meter_event"))
