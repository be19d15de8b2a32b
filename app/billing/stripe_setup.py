"""Set up the Stripe account that the plans need (`stripe setup`), and compare it (`stripe check`)."""

from __future__ import annotations

from collections.abc import Iterator

from app.billing.plans import FOR_SALE
from app.config import Settings
from app.integrations.payments import account_parts, meters
from app.integrations.payments.account_parts import AccountPart
from app.integrations.payments.connection import map_stripe_errors

PRODUCT_NAME = "SP404MK2 Sample Agent"
WEBHOOK_PATH = "/billing/events"


def set_up_account(settings: Settings) -> Iterator[str]:
    """Create what is missing and update what differs; yield a line for each part. Safe to run twice."""
    with map_stripe_errors():
        for part in _account_parts(settings):
            found = part.find()
            if found is None:
                created = part.create()
                yield f"{part.name}: created, {created['id']}"
                if "secret" in created:
                    yield f"  Save this, it is shown only once: STRIPE_WEBHOOK_SECRET={created['secret']}"
            elif part.differences():
                part.update(found)
                yield f"{part.name}: updated"
            else:
                yield f"{part.name}: is as it should be"


def check_account(settings: Settings) -> Iterator[str]:
    """Yield a line for each thing that differs from what `stripe setup` would create."""
    with map_stripe_errors():
        for part in _account_parts(settings):
            yield from (f"{part.name}: {words}" for words in part.differences())


def _account_parts(settings: Settings) -> Iterator[AccountPart]:
    """Yield the parts in the order to create them: a price names its product and its meter.

    The metered price has no free tier. What the plan includes is counted on our side, in the user's own
    months, and only uploads past it are ever reported.
    """
    yield account_parts.meter_part(settings)
    for plan in FOR_SALE:
        product_id, labels = f"sp404_{plan.name}", {"plan": plan.name}
        yield account_parts.product_part(settings, product_id, f"{PRODUCT_NAME} {plan.label}")
        yield account_parts.price_part(
            settings, plan.price_key or "", product_id, plan.price_cents, labels, ""
        )
        if plan.overage_key and plan.overage_price_cents:
            meter_id, extra = meters.find_meter_id(settings) or "missing", f"{product_id}_overage"
            yield account_parts.product_part(
                settings, extra, f"{PRODUCT_NAME} {plan.label}, upload beyond the plan"
            )
            cents = plan.overage_price_cents
            yield account_parts.price_part(
                settings, plan.overage_key, extra, cents, {"overage": plan.name}, meter_id
            )
    yield account_parts.portal_part(settings, f"{settings.base_url}/billing")
    yield account_parts.webhook_part(settings, settings.base_url + WEBHOOK_PATH)
