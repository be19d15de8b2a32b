"""Open Stripe's own pages: Checkout to pay for a subscription, and the portal for cards and addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import stripe

from app.config import Settings
from app.integrations.payments.connection import (
    OUR_METADATA,
    PAGE_SIZE,
    CheckoutConflictError,
    make_idempotency_key,
    map_stripe_errors,
    stripe_client,
)
from app.integrations.payments.prices import find_price_id

if TYPE_CHECKING:
    from stripe.params.billing_portal import SessionCreateParams as PortalParams
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsSubscriptionData


def open_checkout(
    settings: Settings, customer_id: str, lookup_key: str, trial_days: int, success_url: str, cancel_url: str
) -> str:
    """Return the URL to pay for a subscription at: of the Checkout session that is open for it, or a new one.

    The idempotency key names the session before, so two clicks at once open one session and a later click
    opens the next. Raise CheckoutConflictError when a session for another plan was opened at the same moment;
    that one stays open.
    """
    sessions = stripe_client(settings).v1.checkout.sessions
    price_now = find_price_id(settings, lookup_key)
    subscription: SessionCreateParamsSubscriptionData = {}
    if trial_days:
        subscription["trial_period_days"] = trial_days
    wanted: SessionCreateParams = {
        "mode": "subscription",
        "customer": customer_id,
        "line_items": [{"price": price_now, "quantity": 1}],
        "metadata": {"price": price_now},
        "allow_promotion_codes": settings.stripe_promotion_codes,
        "automatic_tax": {"enabled": settings.stripe_automatic_tax},
        "subscription_data": subscription,
        "success_url": success_url,
        "cancel_url": cancel_url,
    }
    if settings.stripe_automatic_tax:
        wanted["customer_update"] = {"address": "auto"}
    with map_stripe_errors():
        latest = sessions.list({"customer": customer_id, "limit": 1}).data
        if latest and latest[0].status == "open":
            if (latest[0].metadata or {"price": ""})["price"] == price_now and latest[0].url:
                return latest[0].url
            sessions.expire(latest[0].id)
        before = latest[0].id if latest else None
        key = make_idempotency_key("checkout", before, sorted(wanted.items()))
        made = sessions.create(wanted, {"idempotency_key": key})
    _keep_newest(settings, customer_id, made.id)
    return made.url or cancel_url


def _keep_newest(settings: Settings, customer_id: str, own_id: str) -> None:
    """Expire every open session but the newest, when two were opened at once for two plans.

    Of two requests, the one that lists the sessions last sees both. Raise CheckoutConflictError when the
    newest is not our own, or when an older one was paid meanwhile.
    """
    sessions = stripe_client(settings).v1.checkout.sessions
    with map_stripe_errors():
        listed = [found.id for found in sessions.list({"customer": customer_id, "status": "open"}).data]
        if own_id not in listed[:1] and not _has_status(settings, own_id, "open"):
            raise CheckoutConflictError("another checkout has ended this one")
        if own_id in listed[1:]:
            sessions.expire(own_id)
            raise CheckoutConflictError("another checkout was opened since")
        for older in listed:
            if older == own_id:
                continue
            try:
                sessions.expire(older)
            except stripe.InvalidRequestError:  # it was expired or paid in another window
                if _has_status(settings, older, "complete"):
                    sessions.expire(own_id)
                    raise CheckoutConflictError("another checkout was paid meanwhile") from None


def _has_status(settings: Settings, session_id: str, status: str) -> bool:
    return stripe_client(settings).v1.checkout.sessions.retrieve(session_id).status == status


def close_checkouts(settings: Settings, customer_id: str) -> None:
    """Expire the customer's open Checkout sessions, so that the customer can no longer pay them."""
    sessions = stripe_client(settings).v1.checkout.sessions
    with map_stripe_errors():
        for session in sessions.list({"customer": customer_id, "status": "open"}).auto_paging_iter():
            sessions.expire(session.id)


def open_portal(settings: Settings, customer_id: str, return_url: str) -> str:
    """Return the URL where a customer changes cards and addresses; each visit opens a session of its own.

    The configuration is named in the request, because one created by the API is not the account's default.
    """
    with map_stripe_errors():
        portal = stripe_client(settings).v1.billing_portal
        wanted: PortalParams = {"customer": customer_id, "return_url": return_url}
        active = portal.configurations.list({"active": True, "limit": PAGE_SIZE}).auto_paging_iter()
        mine = next((found.id for found in active if found.to_dict()["metadata"] == OUR_METADATA), None)
        if mine is not None:
            wanted["configuration"] = mine
        return portal.sessions.create(wanted).url
