"""The ways to Stripe: becoming a customer, paying for a plan, changing it, ending it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from app.billing import plans, subscriptions
from app.billing.plans import Plan
from app.billing.quota import lock_account
from app.extensions import db, settings
from app.integrations import payments
from app.integrations.payments.snapshot import CustomerSnapshot, StripeInvoice
from app.integrations.payments.snapshot import StripeSubscription as Found
from app.models import Subscription, User
from app.models.base import transaction, utcnow
from app.models.subscription import LIVE_STATUSES, NOT_SUBSCRIBED


class PlanChangeError(Exception):
    """That can't be done as things are; the message says so to the user."""


@dataclass(frozen=True)
class PlanChangeOffer:
    """A change of plan with what it costs at one second; confirmed, it costs exactly that."""

    plan: Plan
    at: int
    invoice: StripeInvoice


def ensure_customer(user: User) -> str:
    """The account's customer at Stripe, made when there is none; two at once make one."""
    row, user_id, email = user.subscription, user.id, user.email
    known, seen = (row.stripe_customer_id, row.asked) if row is not None else (None, 0)
    db.session.commit()  # no transaction is open while Stripe is talked to
    if known is not None and payments.customer_exists(settings(), known):
        return known
    made = payments.create_customer(settings(), user_id, email, seen)
    with transaction() as session:
        lock_account(user_id)
        row = session.scalar(select(Subscription).where(Subscription.user_id == user_id))
        if row is None:
            row = Subscription(user_id=user_id, plan=plans.FREE.name, status=NOT_SUBSCRIBED)
            session.add(row)
        row.stripe_customer_id = made
    return made


def start_checkout(user: User, plan_name: str, success_url: str, cancel_url: str) -> str:
    """Where to pay for a plan. Whoever has a live subscription changes it instead of buying another."""
    plan = _plan_for_sale(plan_name)
    if user.subscription is not None and user.subscription.is_live:
        raise PlanChangeError("You have a plan already: change it instead.")
    customer_id = ensure_customer(user)
    now = payments.customer_snapshot(settings(), customer_id)
    if any(found.status in LIVE_STATUSES for found in now.subscriptions):
        raise PlanChangeError("You have paid already: this page shows your plan in a moment.")
    is_first = not now.subscriptions
    days = settings().stripe_trial_days if is_first else 0
    key = plan.price_key or ""
    try:
        return payments.open_checkout(settings(), customer_id, key, days, success_url, cancel_url)
    except payments.CheckoutConflictError as error:
        raise PlanChangeError(
            "You have just chosen or paid a plan in another window: go on there."
        ) from error


def open_portal(user: User, return_url: str) -> str:
    customer_id = _customer_id(user)
    return payments.open_portal(settings(), customer_id, return_url)


def offer_plan_change(user: User, plan_name: str) -> PlanChangeOffer:
    """What changing to a plan costs now."""
    plan, at = _plan_for_sale(plan_name), int(utcnow().timestamp())
    subscription_id, item_id, price = _plan_change_target(user, plan)
    return PlanChangeOffer(
        plan, at, payments.preview_plan_change(settings(), subscription_id, item_id, price, at)
    )


def change_plan(user: User, plan_name: str, at: int) -> None:
    """Change to a plan for what the offer of that second has said."""
    subscription_id, item_id, price = _plan_change_target(user, _plan_for_sale(plan_name))
    payments.change_plan(settings(), subscription_id, item_id, price, at)


def set_cancellation(user: User, cancel: bool) -> None:
    """Cancel at the end of what is paid, or take that back."""
    found = _live_subscription(_customer_snapshot(user))
    payments.cancel_at_period_end(settings(), found.id, cancel)


def end_subscriptions(user: User) -> None:
    """Nothing of this account is ever charged again; safe to repeat."""
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
    row = user.subscription
    if row is None or row.stripe_subscription_id is None or not row.is_live:
        return None
    subscription_id = row.stripe_subscription_id
    db.session.commit()
    return payments.preview_next_invoice(settings(), subscription_id)


def _plan_for_sale(plan_name: str) -> Plan:
    plan = plans.PLANS.get(plan_name)
    if plan is None or not plan.is_for_sale:
        raise PlanChangeError("There is no such plan to buy.")
    return plan


def _plan_change_target(user: User, plan: Plan) -> tuple[str, str, str]:
    """The subscription, the item in it that is the plan, and the price to put in its place."""
    found = _live_subscription(_customer_snapshot(user))
    if found.ends_at is not None:
        raise PlanChangeError("The plan is cancelled: resume it first.")
    if subscriptions.subscription_plan(found) == plan:
        raise PlanChangeError(f"{plan.label} is your plan already.")
    item = next(item for item in found.items if plans.plan_for_price(item.price) is not None)
    return found.id, item.id, payments.find_price_id(settings(), plan.price_key or "")


def _customer_snapshot(user: User) -> CustomerSnapshot:
    return payments.customer_snapshot(settings(), _customer_id(user))


def _live_subscription(now: CustomerSnapshot) -> Found:
    for found in now.subscriptions:
        if found.status in LIVE_STATUSES and subscriptions.subscription_plan(found) is not None:
            return found
    raise PlanChangeError("There is no subscription to change.")


def _customer_id(user: User) -> str:
    customer_id = user.subscription.stripe_customer_id if user.subscription is not None else None
    db.session.commit()  # no transaction is open while Stripe is talked to
    if customer_id is None:
        raise PlanChangeError("There is no subscription to change.")
    return customer_id
