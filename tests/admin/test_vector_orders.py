"""Operators see how many samples still wait for their similarity vector."""

from __future__ import annotations

from app.extensions import db
from app.models import User, VectorOrder
from app.models.base import transaction
from tests.support import Browser, finished_job, kick

WORDS = "older samples wait for a similarity vector"


def test_the_notice_is_there_while_vectors_are_missing(
    as_owner: Browser, as_stranger: Browser, stranger: User
) -> None:
    with transaction():
        stranger.is_admin = True
    sample = finished_job(as_owner, "kick.wav", kick())
    assert WORDS not in as_stranger.get("/admin/queues").text
    with transaction() as session:
        session.add(VectorOrder(sample_id=sample.id, version=1))
    assert WORDS in as_stranger.get("/admin/queues").text
    db.session.commit()
