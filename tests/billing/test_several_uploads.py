"""Several uploads of one job: what the plan has no room for, and what is charged for the others."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.billing import several_uploads
from app.billing.plans import GB
from app.billing.quota import QuotaExceededError
from app.extensions import db
from app.models import Job, Usage, User
from app.models.base import transaction, utcnow
from tests.billing.test_quota_limits import consent, enter


def ledger(user: User) -> list[tuple[str, int]]:
    rows = select(Usage.kind, Usage.quantity).where(Usage.user_id == user.id)
    return sorted((kind, quantity) for kind, quantity in db.session.execute(rows))


@pytest.mark.parametrize(
    ("count", "size_bytes", "refused"),
    [
        (3, 7, None),
        (4, 7, "4 uploads; you have 3 left"),
        (3, 8, "Not enough storage"),
        (0, 7, None),
        (0, 8, "Not enough storage"),
        (0, 0, None),
    ],
)
def test_several_uploads_need_room_for_each_and_for_their_bytes(
    owner: User, count: int, size_bytes: int, refused: str | None
) -> None:
    """Room is left for 3 uploads and 7 bytes. Nobody pays for extra ones unasked."""
    consent(owner, cap_cents=500)
    enter(owner, "upload", 997)
    enter(owner, "storage", 10 * GB - 7)
    sentence = several_uploads.refusal(owner, count, size_bytes)
    assert (sentence is None) if refused is None else (refused in str(sentence))
    assert "cap" not in str(sentence)


def test_each_upload_is_charged_and_their_bytes_to_the_account_once(owner: User, stranger: User) -> None:
    job = Job(id="a job", user_id=owner.id, retries=0)
    with transaction():
        several_uploads.charge(owner, job, 3, 7)
        several_uploads.charge(owner, Job(id="other", user_id=owner.id, retries=0), 0, 5)
    assert ledger(owner) == [("storage", 5), ("storage", 7), ("upload", 3)]
    assert ledger(stranger) == []


def test_nothing_is_charged_without_room_or_to_a_closed_account(owner: User, freeloader: User) -> None:
    job = Job(id="a job", user_id=freeloader.id, retries=0)
    with pytest.raises(QuotaExceededError, match="11 uploads"), transaction():
        several_uploads.charge(freeloader, job, 11, 7)
    with transaction():
        owner.closed_at = utcnow()
    with pytest.raises(QuotaExceededError, match="closed"), transaction():
        several_uploads.charge(owner, Job(id="b job", user_id=owner.id, retries=0), 1, 7)
    assert ledger(freeloader) == ledger(owner) == []
