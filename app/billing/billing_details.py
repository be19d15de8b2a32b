"""Fetch what Stripe keeps about a user as a customer, for the export of all their data."""

from __future__ import annotations

from typing import Any

from app.extensions import db, settings
from app.integrations import payments
from app.models import User


def list_details(user: User) -> list[dict[str, Any]]:
    """Return name, billing address and the like; the list is empty for a user who never began to pay.

    Raises PaymentsError when Stripe can't be reached.
    """
    customer_id = user.subscription.stripe_customer_id if user.subscription is not None else None
    db.session.commit()  # no transaction may be open while Stripe is called
    if customer_id is None or not payments.is_set_up(settings()):
        return []
    found = payments.customer_details(settings(), customer_id)
    return [found] if found is not None else []
