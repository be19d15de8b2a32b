"""ZIPs of sounds at the limits of a plan: what is said before, what is refused, and what a cancel stops."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from app.billing import quota
from app.billing.plan_room import format_dollars
from app.collections import collection_rows
from app.extensions import db, settings
from app.jobs import actions, run
from app.models import Job, User
from app.models.base import transaction, utcnow
from app.models.job import CANCELLED, FAILED
from app.notify import outbox
from app.upload import intake, zip_job, zip_uploads
from tests.support import Browser
from tests.upload.test_zips import outcome_of, pack, send, sound, sounds_jobs, zip_of, zips_kept


def test_what_costs_money_is_said_before(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    now = replace(quota.plan_usage(owner), uploads=997, cap_cents=100_00)
    monkeypatch.setattr(quota, "plan_usage", lambda _: now)
    price = format_dollars(2 * (now.plan.overage_price_cents or 0))
    assert zip_uploads.quota_sentence(owner, 5, 1) == (
        False,
        f"5 sounds. Each counts as an upload; you have 3 left this month, and the other 2 cost {price}.",
    )
    assert zip_uploads.quota_sentence(owner, 3, 1)[0] is True


def test_what_a_zip_past_the_plan_may_cost_at_most_is_said_before(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = replace(quota.plan_usage(owner), uploads=997)
    price_cents = now.plan.overage_price_cents or 0

    def told(size_bytes: int, cap_cents: int | None) -> tuple[bool, str]:
        monkeypatch.setattr(quota, "plan_usage", lambda _: replace(now, cap_cents=cap_cents))
        return zip_uploads.quota_sentence(owner, 40, size_bytes)

    cases = (
        (1, 5 * price_cents + 1, 5),
        (now.plan.storage_bytes + 1, 100_00, 37),
    )
    for size_bytes, cap_cents, extra in cases:
        fits, sentence = told(size_bytes, cap_cents)
        extras = f"up to {extra} extra uploads for {format_dollars(extra * price_cents)}"
        assert sentence.endswith(
            f" Or send it now: what fits is taken, with {extras}, and the rest is listed."
        )
        assert fits is False
    for no_cap in (None, 0):
        assert told(1, no_cap)[1].endswith("Or send it now: what fits is taken, and the rest is listed.")


def test_to_cancel_the_sounds_of_a_zip_cancels_the_zip_too(
    as_owner: Browser, owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = send(as_owner, zip_of(tmp_path, [("a.wav", sound(9))]))
    with transaction():
        other.run_at = utcnow() + timedelta(hours=1)
    job = send(as_owner, pack(tmp_path, 3))
    insert, cancelled = intake.insert_charged_job, []

    def cancel_after(*args: Any) -> None:
        insert(*args)
        db.session.commit()
        if len(sounds_jobs()) == 2:
            cancelled.append(actions.cancel_batch(zip_job.sounds_batch_id(job.id)))

    monkeypatch.setattr(intake, "insert_charged_job", cancel_after)
    run.run_next()
    for each in (job, other):
        db.session.refresh(each)
    assert (cancelled, job.state, other.state) == ([3], "cancelled", "pending")
    assert [one.state for one in sounds_jobs()] == ["cancelled"] * 2
    assert quota.plan_usage(owner).uploads == 0


def test_a_zip_is_refused_at_once_when_no_further_collection_is_allowed(
    as_owner: Browser, owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection_rows, "MAX_COLLECTIONS", 1)
    with transaction():
        collection_rows.find_or_create(owner.id, "Night pack")
    fits = send(as_owner, pack(tmp_path, 2))
    run.run_next()
    assert outcome_of(fits)["sentences"] == ["2 sounds added."]
    with transaction() as session:
        session.execute(db.update(Job).where(Job.purpose == "upload").values(state=CANCELLED))
    job = send(
        as_owner, zip_of(tmp_path, [(f"Other/{number}.wav", sound(5 + number)) for number in range(2)])
    )
    run.run_next()
    db.session.refresh(job)
    assert (job.state, len(sounds_jobs()), zips_kept()) == ("failed", 2, [])
    assert "collections, which is the most. Delete one first. Nothing more was added" in (job.error or "")
    assert outbox.deliver_mails() == 1
    [mail] = (settings().data_dir / "mail").glob("*.eml")
    told = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
    body = told.get_body(("plain",))
    assert body is not None
    assert " ".join((job.error or "").split()) in " ".join(body.get_content().split())


def test_only_so_many_zips_wait_and_each_request_has_one(as_owner: Browser, tmp_path: Path) -> None:
    for number in range(8):
        send(as_owner, zip_of(tmp_path, [("a.wav", sound(number))]))
    ninth = (BytesIO(zip_of(tmp_path, [("a.wav", sound(8))])), "x.zip")
    answer = as_owner.post("/upload/zip", {"Accept": "application/json"}, zip=ninth)
    assert "8 ZIPs are waiting to be unpacked." in answer.get_json()["error"]
    with transaction() as session:  # those that failed do not wait, though they may be tried again
        failed = {"state": FAILED, "kept_until": utcnow() + timedelta(days=1)}
        session.execute(db.update(Job).values(**failed))
    send(as_owner, zip_of(tmp_path, [("a.wav", sound(8))]))
    assert as_owner.post("/upload/zip", {"Accept": "application/json"}).status_code == 422
