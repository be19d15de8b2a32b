"""A refusal at a limit names every option, and a smaller plan deletes nothing."""

from __future__ import annotations

import html
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.account import data_export
from app.billing import plans
from app.billing.plan_room import PlanUsage, format_size
from app.billing.plans import GB, MB
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.library import trash
from app.models import DataExport, Sample, Usage, User
from app.models.base import transaction, utcnow
from tests.support import Browser, finished_job, kick

HX = {"HX-Request": "true"}


def use(user: User, kind: str, quantity: int) -> None:
    with transaction() as session:
        session.add(Usage(user_id=user.id, kind=kind, entry_key=f"{kind}:{quantity}", quantity=quantity))


def fall_back_to_free(user: User) -> None:
    with transaction():
        assert user.subscription is not None
        user.subscription.status = "canceled"


@pytest.fixture
def sample(as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "kick.wav", kick()).sample_id)


@pytest.mark.parametrize(
    ("plan", "period", "way_out"),
    [("free", "today", ", or upgrade to Pro."), ("pro", "this month", ", or upgrade to Enterprise.")],
)
def test_a_refusal_says_when_the_quota_resets_and_which_plan_is_larger(
    plan: str, period: str, way_out: str
) -> None:
    of = plans.PLANS[plan]
    spent = PlanUsage(of, of.uploads, 0, of.period_bounds(utcnow(), ZoneInfo("UTC"))[1])
    sentence = spent.refusal() or ""
    assert f"You have used all {of.uploads:,} uploads for {period}" in sentence
    assert f"Wait until {spent.resets_at:%-d %b, %H:%M}" in sentence
    assert sentence.endswith(way_out)


def test_the_largest_plan_offers_no_upgrade() -> None:
    of = plans.PLANS["enterprise"]
    spent = PlanUsage(of, of.uploads, 0, utcnow())
    assert "upgrade" not in (spent.refusal() or "upgrade")


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(1, "0.1 MB"), (100_000, "0.1 MB"), (100_001, "0.2 MB"), (10 * GB, "10 GB"), (2_340_000_001, "2.4 GB")],
)
def test_the_size_to_delete_is_rounded_up(size_bytes: int, words: str) -> None:
    assert format_size(size_bytes) == words


def test_deleting_the_size_that_is_named_makes_enough_room() -> None:
    free = plans.FREE
    over = PlanUsage(free, 0, 4 * GB, utcnow())
    assert over.storage_over_bytes == 4 * GB - 100 * MB
    assert "Delete 4 GB of samples" in (over.storage_refusal(1) or "")
    assert "Delete 5 MB of samples" in (PlanUsage(free, 0, 97 * MB, utcnow()).storage_refusal(8 * MB) or "")
    assert PlanUsage(free, 0, 92 * MB, utcnow()).storage_refusal(8 * MB) is None


def test_after_a_downgrade_nothing_can_be_added(as_owner: Browser, owner: User, sample: Sample) -> None:
    use(owner, "storage", 4 * GB)
    other = db.session.get_one(Sample, finished_job(as_owner, "other.wav", kick()).sample_id)
    fall_back_to_free(owner)
    refused = as_owner.upload(("more.wav", kick()))
    assert refused.status_code == 422
    sentence = refused.get_json()["error"]
    assert "Free has room for 100 MB, so nothing can be added" in sentence
    assert "Delete 4 GB of samples to make room, or upgrade to Pro." in sentence
    trash.delete_sample(other)
    restored = as_owner.post(f"/samples/{other.id}/restore", HX)
    assert restored.status_code == 409
    assert "nothing can be added" in restored.text
    for page in ("/upload", "/dashboard", "/billing"):
        assert sentence.split(",")[0] in html.unescape(as_owner.get(page).text), page
    use(owner, "storage", -4 * GB)
    assert as_owner.upload(("more.wav", kick())).status_code == 201


def test_after_a_downgrade_everything_can_be_played_and_exported(
    as_owner: Browser, owner: User, sample: Sample
) -> None:
    use(owner, "storage", 4 * GB)
    fall_back_to_free(owner)
    assert "kick" in as_owner.get("/samples").text
    assert as_owner.get(f"/samples/{sample.id}").status_code == 200
    for path in ("audio", "original", "sp404"):
        answer = as_owner.get(f"/samples/{sample.id}/{path}", follow_redirects=True)
        assert (answer.status_code, len(answer.data) > 1000) == (200, True), path
    assert as_owner.post(f"/samples/{sample.id}", name="Low kick", tags="deep", key="").status_code == 303
    as_owner.post("/settings/exports")
    data_export.make_due_exports()
    export = db.session.scalars(select(DataExport)).one()
    packed = settings().data_dir / "packed.zip"
    open_store(settings()).fetch(export.key, packed)
    with ZipFile(packed) as archive:
        assert archive.read(f"samples/{sample.id}.wav") == kick()
