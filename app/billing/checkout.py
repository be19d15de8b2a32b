"""Subscribe to a plan at Stripe, change it and end it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from app.billing import plans, subscription_refresh
from app.billing.plans import Plan
from app.billing.quota import lock_account
from app.billing.subscription_status import LIVE_STATUSES, is_live
from app.extensions import db, settings
from app.integrations import payments
from app.integrations.payments.snapshot import CustomerSnapshot, StripeInvoice, StripeSubscription
from app.models import Subscription, User
from app.models.base import transaction, utcnow
from app.models.subscription import NOT_SUBSCRIBED

OFFER_LASTS_S = 3600
NO_SUBSCRIPTION = "You have no subscription yet. Choose a plan on this page first."


class PlanChangeError(Exception):
    """This change is not possible now; the message tells the user why and what to do."""


class OfferExpiredError(Exception):
    """This offer may not be confirmed any more: by now the change costs something else."""

    def __init__(self, plan_name: str) -> None:
        super().__init__("That price was shown more than an hour ago. This is what the change costs now.")
        self.plan_name = plan_name


@dataclass(frozen=True)
class PlanChangeOffer:
    """A change of plan and what it costs at one second. Confirmed for that second, it costs exactly this."""

    plan: Plan
    at: int  # Unix time, in seconds
    invoice: StripeInvoice


def ensure_customer(user: User) -> str:
    """Return the account's customer id at Stripe, and create the customer when there is none.

    Two requests at once create one customer.
    """
    row, user_id, email = user.subscription, user.id, user.email
    known, number = (row.stripe_customer_id, row.issued_number) if row is not None else (None, 0)
    db.session.commit()  # no transaction may be open while Stripe is called
    if known is not None and payments.customer_exists(settings(), known):
        return known
    created = payments.create_customer(settings(), user_id, email, number)
    with transaction() as session:
        lock_account(user_id)
        row = session.scalar(select(Subscription).where(Subscription.user_id == user_id))
        if row is None:
            row = Subscription(user_id=user_id, plan=plans.FREE.name, status=NOT_SUBSCRIBED)
            session.add(row)
        row.stripe_customer_id = created
    return created


def start_checkout(user: User, plan_name: str, success_url: str, cancel_url: str) -> str:
    """Return the URL to pay for a plan at. Raise PlanChangeError for an account that has a plan already."""
    plan = _plan_for_sale(plan_name)
    if is_live(user.subscription):
        raise PlanChangeError("You already have a plan. Use “Change to …” on this page instead.")
    customer_id = ensure_customer(user)
    now = payments.customer_snapshot(settings(), customer_id)
    if any(found.status in LIVE_STATUSES for found in now.subscriptions):
        raise PlanChangeError("You have already paid. Reload this page in a minute to see your plan.")
    is_first = not now.subscriptions
    days = settings().stripe_trial_days if is_first else 0
    key = plan.price_key or ""
    try:
        return payments.open_checkout(settings(), customer_id, key, days, success_url, cancel_url)
    except payments.CheckoutConflictError as error:
        raise PlanChangeError(
            "You have just chosen or paid for a plan in another window. Finish there, then reload this page."
        ) from error


def open_portal(user: User, return_url: str) -> str:
    """Return the URL of Stripe's page for this user's cards and billing address."""
    customer_id = _customer_id(user)
    return payments.open_portal(settings(), customer_id, return_url)


def offer_plan_change(user: User, plan_name: str) -> PlanChangeOffer:
    """Return what changing to a plan costs now."""
    plan, at = _plan_for_sale(plan_name), int(utcnow().timestamp())
    subscription_id, item_id, price = _plan_change_target(user, plan)
    return PlanChangeOffer(
        plan, at, payments.preview_plan_change(settings(), subscription_id, item_id, price, at)
    )


def change_plan(user: User, plan_name: str, at: int) -> None:
    """Change to a plan, at the price that the offer of that second showed.

    Raise OfferExpiredError for an offer older than an hour, and for a second in the future: near the end of
    the period the rest of it would cost nothing.
    """
    now = int(utcnow().timestamp())
    if not now - OFFER_LASTS_S <= at <= now:
        raise OfferExpiredError(plan_name)
    subscription_id, item_id, price = _plan_change_target(user, _plan_for_sale(plan_name))
    payments.change_plan(settings(), subscription_id, item_id, price, at)


def set_cancellation(user: User, cancel: bool) -> None:
    """Cancel at the end of the period that is paid for, or take the cancellation back."""
    found = _live_subscription(_customer_snapshot(user))
    payments.cancel_at_period_end(settings(), found.id, cancel)


def end_subscriptions(user: User) -> None:
    """End every subscription and open checkout of an account, so that it is never charged again.

    Safe to repeat.
    """
    if user.subscription is None or user.subscription.stripe_customer_id is None:
        return
    customer_id = _customer_id(user)
    if not payments.customer_exists(settings(), customer_id):
        return
    payments.close_checkouts(settings(), customer_id)
    for found in payments.customer_snapshot(settings(), customer_id).subscriptions:
        if found.status not in ("canceled", "incomplete_expired"):
            payments.cancel_now(settings(), found.id)


def preview_next_invoice(user: User) -> StripeInvoice | None:
    """Return what the user's next invoice will be, or None when there will be none."""
    row = user.subscription
    if row is None or row.stripe_subscription_id is None or not is_live(row):
        return None
    subscription_id = row.stripe_subscription_id
    db.session.commit()
    return payments.preview_next_invoice(settings(), subscription_id)


def _plan_for_sale(plan_name: str) -> Plan:
    plan = plans.PLANS.get(plan_name)
    if plan is None or not plan.is_for_sale:
        raise PlanChangeError("That plan is not for sale. Choose one of the plans on this page.")
    return plan


def _plan_change_target(user: User, plan: Plan) -> tuple[str, str, str]:
    """Return the ids of the subscription, of the item in it that is the plan, and of the new price."""
    found = _live_subscription(_customer_snapshot(user))
    if found.ends_at is not None:
        raise PlanChangeError("Your plan is cancelled. Resume it first, then change it.")
    if subscription_refresh.subscription_plan(found) == plan:
        raise PlanChangeError(f"You are already on {plan.label}, so there is nothing to change.")
    item = next(item for item in found.items if plans.plan_for_price(item.price) is not None)
    return found.id, item.id, payments.find_price_id(settings(), plan.price_key or "")


def _customer_snapshot(user: User) -> CustomerSnapshot:
    return payments.customer_snapshot(settings(), _customer_id(user))


def _live_subscription(now: CustomerSnapshot) -> StripeSubscription:
    """Return the customer's live subscription to one of our plans; raise PlanChangeError without one."""
    for found in now.subscriptions:
        if found.status in LIVE_STATUSES and subscription_refresh.subscription_plan(found) is not None:
            return found
    raise PlanChangeError(NO_SUBSCRIPTION)


def _customer_id(user: User) -> str:
    """Return the user's customer id at Stripe; raise PlanChangeError for one who never began to pay."""
    customer_id = user.subscription.stripe_customer_id if user.subscription is not None else None
    db.session.commit()  # no transaction may be open while Stripe is called
    if customer_id is None:
        raise PlanChangeError(NO_SUBSCRIPTION)
    return customer_id
