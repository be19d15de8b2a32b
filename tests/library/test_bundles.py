"""A ZIP too large to be sent at once is offered, made by a job, kept for a week, and counted as a card."""

from __future__ import annotations

import io
from zipfile import ZipFile

import pytest
from sqlalchemy import func, select

from app.billing import plans
from app.cards import card_orders
from app.extensions import db
from app.jobs import cleanup, run
from app.library import bulk_download, bundle_job, trash
from app.models import CardExport, Job, Sample, Usage, User
from app.models.base import transaction, utcnow
from app.models.card_export import CARD_LIFETIME
from app.models.usage import EXPORT
from app.notify import batch_mail
from tests.support import Browser, drum_loop, finished_job, kick

HTMX = {"HX-Request": "true"}


@pytest.fixture
def uploaded(as_owner: Browser, monkeypatch: pytest.MonkeyPatch) -> list[Sample]:
    files = (("Break.wav", drum_loop(93)), ("Kick.wav", kick()))
    samples = [db.session.get_one(Sample, finished_job(as_owner, *each).sample_id) for each in files]
    monkeypatch.setattr(bulk_download, "MAX_ZIP_BYTES", sum(each.size_bytes for each in samples) - 1)
    return samples


def chosen(samples: list[Sample], files: str = "original") -> dict[str, object]:
    return {"sample": [each.id for each in samples], "set-files": files}


def order(browser: Browser, samples: list[Sample]) -> str:
    """Order a ZIP; return the address of its page."""
    answer = browser.post("/selected/zips", **chosen(samples))
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def exports() -> int:
    return db.session.scalar(select(func.count()).where(Usage.kind == EXPORT)) or 0


def test_a_large_zip_is_offered_made_and_downloaded(as_owner: Browser, uploaded: list[Sample]) -> None:
    offer = as_owner.post("/selected/download", **chosen(uploaded))
    assert (offer.status_code, offer.mimetype) == (200, "text/html")
    assert "It counts as one of the" in offer.text
    assert all(f'name="sample" value="{each.id}"' in offer.text for each in uploaded)
    assert exports() == 0
    place = order(as_owner, uploaded)
    assert order(as_owner, uploaded) == place, "the same order is one job"
    assert "Making the ZIP" in as_owner.get(place, headers=HTMX).text
    run.run_next()
    assert "The ZIP is ready" in as_owner.get(place, headers=HTMX).text
    another = order(as_owner, uploaded[:1])
    assert "Making the ZIP" in as_owner.get(another, headers=HTMX).text
    assert as_owner.get(place.rpartition("/")[0] + f"/{uploaded[0].id}").status_code == 404, "an upload's job"
    kept = db.session.scalars(select(CardExport)).one()
    link = as_owner.get(f"/exports/{kept.id}").location
    content = as_owner.get(link)
    assert "samples.zip" in content.headers["Content-Disposition"]
    with ZipFile(io.BytesIO(content.data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["Break.wav", "Kick.wav", "report.csv"]
        assert archive.read("Kick.wav") == kick()
    assert exports() == 2
    assert cleanup.remove_orphans() == 0
    with transaction():
        kept.created_at = utcnow() - CARD_LIFETIME
    card_orders.remove_old_cards()
    assert "A ZIP is kept for seven days." in as_owner.get(place).text


def test_it_tells_how_far_it_is_and_ends_when_it_is_cancelled(
    as_owner: Browser, uploaded: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, told = order(as_owner, uploaded), list[str]()
    monkeypatch.setattr(bundle_job, "SAID_EVERY", 1)

    def look(*_: object) -> None:
        told.append(as_owner.get(place, headers=HTMX).text)
        as_owner.post(f"{place}/cancel")

    monkeypatch.setattr(bundle_job, "check_disk", look)
    run.run_next()
    assert "Putting the files into one ZIP." in told[0]
    assert "Cancelled. Your library has not changed." in as_owner.get(place).text
    assert as_owner.post(f"{place}/retry").status_code == 409
    assert db.session.scalars(select(CardExport)).all() == []


def test_what_failed_is_tried_again_and_a_full_disk_is_waited_for(
    as_owner: Browser, uploaded: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = order(as_owner, uploaded)
    monkeypatch.setattr(bundle_job, "MIN_FREE_SHARE", 2.0)
    ending = run.run_next()
    job = db.session.get_one(Job, place.rpartition("/")[2], populate_existing=True)
    assert ending is not None
    assert (ending.state, job.attempt) == ("pending", 0)
    with transaction():
        job.state, job.error, job.finished_at = "failed", "The store was away.", utcnow()
        job.kept_until = utcnow() + CARD_LIFETIME
    assert "Try again" in as_owner.get(place).text
    assert as_owner.post(f"{place}/retry").status_code == 303
    assert job.state == "pending"


def test_what_is_refused_is_said_in_a_sentence(
    as_owner: Browser, owner: User, uploaded: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = order(as_owner, uploaded)
    for sample in uploaded:
        trash.delete_sample(sample)
    run.run_next()
    assert bundle_job.GONE in as_owner.get(place).text
    assert as_owner.post("/selected/zips", **chosen(uploaded)).status_code == 404
    for sample in uploaded:
        trash.restore_sample(sample)
    left = plans.plan_for_user(owner).exports - 1
    with transaction() as session:
        values = {"purpose": "kit_export", "filename": "x", "tier": "free", "priority": 1, "results": {}}
        batch_id = db.session.scalars(select(Job.batch_id)).first()
        session.add_all([Job(user_id=owner.id, batch_id=batch_id, **values) for _ in range(left)])
    answer = as_owner.post("/selected/zips", **chosen(uploaded))
    assert "cards and large ZIPs every 24 hours, and you have 0 left." in as_owner.get(answer.location).text
    monkeypatch.setattr(bundle_job, "MAX_BUNDLE_BYTES", 1)
    for path in ("/selected/download", "/selected/zips"):
        answer = as_owner.post(path, **chosen(uploaded))
        assert "Select fewer samples." in as_owner.get(answer.location).text


def test_the_mail_of_a_zip_names_it_and_leads_to_it(owner: User) -> None:
    wording = batch_mail.WORDING_BY_PURPOSE[bundle_job.BUNDLE]
    assert wording.min_wait_s == 60.0
    assert wording.address is not None
    assert wording.address(Job(id="01JAAAAAAAAAAAAAAAAAAAAAAA")).endswith(
        "/exports/01JAAAAAAAAAAAAAAAAAAAAAAA"
    )
