"""What is done to one webhook, or asked of it, is not about another's."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import User, WebhookDelivery, WebhookEndpoint
from app.models.base import transaction
from app.models.ownership import RowNotFoundError
from app.webhooks import endpoints


def add_delivered(user: User, *names: str) -> WebhookEndpoint:
    """Add an endpoint that was sent messages of these names."""
    made = WebhookEndpoint(user_id=user.id, url="https://a.example/", secret="whsec_", events=[])
    with transaction() as session:
        session.add(made)
        for name in names:
            row = WebhookDelivery(endpoint=made, message_id=name, event="job.completed", body="{}")
            session.add(row)
            session.flush()
    return made


def test_endpoints_and_what_they_were_sent_are_listed_apart(owner: User, stranger: User) -> None:
    theirs = add_delivered(stranger, "x")
    first, second = add_delivered(owner, "a", "b"), add_delivered(owner, "c")
    assert endpoints.list_endpoints(owner) == [first, second]
    assert endpoints.list_endpoints(stranger) == [theirs]
    assert [[row.message_id for row in endpoints.list_deliveries(each)] for each in (first, second)] == [
        ["b", "a"], ["c"],
    ]  # fmt: skip


def test_a_delivery_is_found_by_its_id_and_its_endpoint(owner: User, stranger: User) -> None:
    made = [add_delivered(stranger, "x"), add_delivered(owner, "a", "b"), add_delivered(owner, "c")]
    for endpoint in made:
        for other in made:
            for row in endpoints.list_deliveries(other):
                if other is endpoint:
                    assert endpoints.find_delivery(endpoint, row.id) is row
                else:
                    with pytest.raises(RowNotFoundError):
                        endpoints.find_delivery(endpoint, row.id)


def test_removing_an_endpoint_leaves_the_others_with_what_they_were_sent(owner: User, stranger: User) -> None:
    add_delivered(stranger, "x")
    removed = add_delivered(owner, "a", "b")
    add_delivered(owner, "c")
    endpoints.remove_endpoint(removed)
    left = db.session.scalars(select(WebhookDelivery.message_id).order_by(WebhookDelivery.id)).all()
    assert left == ["x", "c"]
    assert len(db.session.scalars(select(WebhookEndpoint.id)).all()) == 2
