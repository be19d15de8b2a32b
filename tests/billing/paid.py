"""A producer who pays at the fake Stripe, which has a meter and its price."""

from __future__ import annotations

from typing import Any

from app.models import Subscription, Usage, User
from app.models.base import new_id, transaction
from tests.fake_stripe import meters, money
from tests.fake_stripe.world import Thing, World


def settings_of(url: str) -> dict[str, str]:
    return {
        "STRIPE_API_BASE": url,
        "STRIPE_SECRET_KEY": "sk_test_fake",
        "STRIPE_WEBHOOK_SECRET": "whsec_fake",
        "SECRET_KEY": "a secret for tests, long enough to be taken",
    }


def add_meter(world: World) -> Thing:
    """What `stripe setup` makes, as far as overage needs it."""
    add_price(world, "sp404_pro_overage", 2, "metered")
    wanted = {"event_name": "sp404_overage_upload", "default_aggregation": {"formula": "sum"}}
    return meters.create_meter(world, {"display_name": "Overage"} | wanted)


def add_price(world: World, lookup_key: str, cents: int, usage_type: str) -> Thing:
    recurring = {"interval": "month", "usage_type": usage_type}
    same: dict[str, Any] = {"active": True, "currency": "usd", "nickname": None, "metadata": {}}
    same |= {"unit_amount": cents, "recurring": recurring, "product": "prod_1"}
    return world.add("price", "price", lookup_key=lookup_key, **same)


def subscribe(world: World, user: User) -> Thing:
    """A Pro subscription at Stripe that the account knows of."""
    customer = world.add("cus", "customer", email=user.email, metadata={})
    made = money.start(world, customer["id"], add_price(world, "sp404_pro_monthly", 1500, "licensed"))
    with transaction():
        user.subscription = user.subscription or Subscription(plan="pro", status="active")
        user.subscription.stripe_customer_id = customer["id"]
        user.subscription.stripe_subscription_id = made["id"]
    return made


def use_up(user: User, kind: str, quantity: int) -> None:
    with transaction() as session:
        session.add(Usage(user_id=user.id, kind=kind, entry_key=new_id(), quantity=quantity))


def counted(world: World) -> list[str]:
    """The identifiers that Stripe has counted, one for each time."""
    return sorted(event["identifier"] for event in world.all("billing.meter_event"))
