"""Decide from a subscription's status whether its plan is in force; without one, the Free plan is."""

from __future__ import annotations

from app.models import Subscription

# past_due keeps its plan, because the provider still retries the card. An unknown status is no proof of
# payment and gives the Free plan, where nothing is lost; a later refresh gives the plan back.
LIVE_STATUSES = frozenset({"active", "trialing", "past_due"})


def is_live(subscription: Subscription | None) -> bool:
    """Return whether a subscription keeps its plan; False without one."""
    return subscription is not None and subscription.status in LIVE_STATUSES
